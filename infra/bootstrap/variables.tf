variable "environment" {
  description = "The environment that is brought up, as in the settings of its stacks."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.environment))
    error_message = "environment is \"${var.environment}\"; accepted are 2 to 12 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "holds_state" {
  description = "Whether this account holds the state: buckets and secrets key. True in one account of an environment."
  type        = bool
  default     = true
}

variable "administrators" {
  description = "ARNs (patterns with * allowed) of those who alone may take the secrets key away or change the deploy roles. Whoever applies first, unless given."
  type        = list(string)
  default     = null

  validation {
    condition     = alltrue([for arn in coalesce(var.administrators, []) : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/[A-Za-z0-9+=,.@_/*-]+$", arn))])
    error_message = "administrators holds ${join(", ", [for arn in coalesce(var.administrators, []) : "\"${arn}\"" if !can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/[A-Za-z0-9+=,.@_/*-]+$", arn))])}; accepted are ARNs of IAM roles or users with their account's id."
  }

  validation {
    condition     = var.administrators == null || length(coalesce(var.administrators, [])) > 0
    error_message = "administrators is empty; a key that nobody administers could never be changed. Leave it out or name at least one."
  }
}

variable "github" {
  description = "The repository whose workflows deploy, and the GitHub environment that each layer's jobs run in. None: no workflow deploys here."
  type = object({
    repository             = string
    foundation_environment = string
    platform_environment   = string
    provider_arn           = optional(string)
  })
  default = null

  validation {
    condition     = var.github == null || can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", var.github.repository))
    error_message = "github.repository is \"${try(var.github.repository, "")}\"; accepted is one owner and one name, such as \"example/interlock\", without patterns."
  }

  validation {
    condition     = var.github == null || alltrue([for name in [try(var.github.foundation_environment, ""), try(var.github.platform_environment, "")] : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", name))])
    error_message = "github.foundation_environment and github.platform_environment are \"${try(var.github.foundation_environment, "")}\" and \"${try(var.github.platform_environment, "")}\"; accepted are letters, digits, dots, underscores and hyphens: the subject that is trusted is exact."
  }

  validation {
    condition     = var.github == null || try(lower(var.github.foundation_environment) != lower(var.github.platform_environment), false)
    error_message = "github.foundation_environment and github.platform_environment are both \"${try(var.github.platform_environment, "")}\"; whoever may approve a job of one layer would hold the other too."
  }

  validation {
    condition     = try(var.github.provider_arn, null) == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.github.provider_arn))
    error_message = "github.provider_arn is \"${try(coalesce(var.github.provider_arn), "-")}\"; accepted is the ARN of this account's provider for token.actions.githubusercontent.com."
  }
}

variable "people" {
  description = "Who deploys by hand, by layer and name: the principal whose sessions they come from. The name becomes session name and source identity."
  type = object({
    foundation = optional(map(string), {})
    platform   = optional(map(string), {})
  })
  default = {}

  validation {
    condition     = alltrue([for name in concat(keys(var.people.foundation), keys(var.people.platform)) : can(regex("^[A-Za-z][A-Za-z0-9+=,.@_-]{1,63}$", name))])
    error_message = "people names ${join(", ", [for name in concat(keys(var.people.foundation), keys(var.people.platform)) : "\"${name}\""])}; accepted are 2 to 64 letters, digits and +=,.@_- beginning with a letter, as a source identity."
  }

  validation {
    condition     = alltrue([for arn in concat(values(var.people.foundation), values(var.people.platform)) : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "people holds ${join(", ", [for arn in concat(values(var.people.foundation), values(var.people.platform)) : "\"${arn}\""])}; accepted are ARNs of IAM roles or users, without patterns."
  }

  validation {
    condition     = length(setintersection(keys(var.people.foundation), keys(var.people.platform))) == 0
    error_message = "people has ${join(", ", setintersection(keys(var.people.foundation), keys(var.people.platform)))} in both layers; nobody may hold foundation and platform."
  }
}

variable "deployed_from" {
  description = "By layer: the deploy role of another account of this environment that may go on into this one."
  type = object({
    foundation = optional(string)
    platform   = optional(string)
  })
  default = {}

  validation {
    condition = alltrue([
      for layer, arn in { foundation = var.deployed_from.foundation, platform = var.deployed_from.platform } :
      arn == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/interlock/deploy/[a-z0-9-]+-${layer}$", arn))
    ])
    error_message = "deployed_from is foundation \"${coalesce(var.deployed_from.foundation, "-")}\", platform \"${coalesce(var.deployed_from.platform, "-")}\"; accepted is for each layer the ARN of that layer's deploy role, an output of this module in the other account."
  }
}

variable "evidence_account_id" {
  description = "The account of keys, vault and images, if it is not this one."
  type        = string
  default     = null

  validation {
    condition     = var.evidence_account_id == null || can(regex("^\\d{12}$", var.evidence_account_id))
    error_message = "evidence_account_id is \"${coalesce(var.evidence_account_id, "-")}\"; accepted are 12 digits."
  }
}

variable "vault_bucket_names" {
  description = "Names of the vault's buckets (patterns with * allowed) that the platform must neither weaken nor write evidence into."
  type        = list(string)
  default     = ["vault-bucket-*", "vault-recovery-bucket-*"]

  validation {
    condition     = length(var.vault_bucket_names) > 0 && alltrue([for name in var.vault_bucket_names : can(regex("^[a-z0-9][a-z0-9.*-]{2,62}$", name))])
    error_message = "vault_bucket_names is [${join(", ", var.vault_bucket_names)}]; accepted is at least one name of a bucket, in which * stands for anything."
  }
}

variable "foundation_stacks" {
  description = "Pulumi stacks of the foundation: their state is read by the platform and written by the foundation alone."
  type        = list(string)
  default     = ["*foundation*"]

  validation {
    condition     = alltrue([for name in var.foundation_stacks : can(regex("^[A-Za-z0-9._*-]{1,100}$", name))])
    error_message = "foundation_stacks is [${join(", ", var.foundation_stacks)}]; accepted are names of stacks, in which * stands for anything."
  }
}

variable "session_hours" {
  description = "Hours that a session of a deploy role lasts at most."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3, 4], var.session_hours)
    error_message = "session_hours is ${var.session_hours}; accepted are 1, 2, 3 and 4."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
