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

  # A role of IAM Identity Center does not say that there was an MFA, and the trust asks for one.
  validation {
    condition = alltrue([
      for arn in concat(values(var.people.foundation), values(var.people.platform)) :
      !strcontains(lower(arn), ":role/aws-reserved/")
    ])
    error_message = "people has ${join(", ", [for name, arn in merge(var.people.foundation, var.people.platform) : "${name} = \"${arn}\"" if strcontains(lower(arn), ":role/aws-reserved/")])}; a role of IAM Identity Center does not say that there was an MFA, so that nobody could come in. Accepted are ARNs of IAM users, of roles that are assumed with an MFA, or a pipeline in github."
  }

  validation {
    condition     = length(setintersection(keys(var.people.foundation), keys(var.people.platform))) == 0
    error_message = "people has ${join(", ", setintersection(keys(var.people.foundation), keys(var.people.platform)))} in both layers; nobody may hold foundation and platform."
  }
}

variable "deployed_from" {
  description = "The foundation's role of this environment's other account, which may go on into this one."
  type        = string
  default     = null

  validation {
    condition     = var.deployed_from == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/interlock/duties/interlock-[a-z0-9-]+-foundation$", var.deployed_from))
    error_message = "deployed_from is \"${coalesce(var.deployed_from, "-")}\"; accepted is the ARN of the foundation's role, an output of this module in the other account."
  }
}

variable "workload_account_id" {
  description = "The account of the platform, if it is not this one."
  type        = string
  default     = null

  validation {
    condition     = var.workload_account_id == null || can(regex("^\\d{12}$", var.workload_account_id))
    error_message = "workload_account_id is \"${coalesce(var.workload_account_id, "-")}\"; accepted are 12 digits."
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

variable "stack" {
  description = "The stack that roles, boundaries and buckets are named after; the environment's name, unless given."
  type        = string
  default     = null

  validation {
    condition     = var.stack == null || can(regex("^[a-z][a-z0-9-]{1,30}$", var.stack))
    error_message = "stack is \"${coalesce(var.stack, "-")}\"; accepted are 2 to 31 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "platform_stack" {
  description = "The stack that the layer platform's resources are named after; the same, unless given."
  type        = string
  default     = null

  validation {
    condition     = var.platform_stack == null || can(regex("^[a-z][a-z0-9-]{1,30}$", var.platform_stack))
    error_message = "platform_stack is \"${coalesce(var.platform_stack, "-")}\"; accepted are 2 to 31 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "foundation_stack" {
  description = "The Pulumi stack of a foundation of its own, whose state the platform reads and does not write; <stack>-foundation, unless given."
  type        = string
  default     = null

  validation {
    condition     = var.foundation_stack == null || can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", var.foundation_stack))
    error_message = "foundation_stack is \"${coalesce(var.foundation_stack, "-")}\"; accepted is the name of a Pulumi stack."
  }
}

variable "regions" {
  description = "The regions that the stack lives in, the primary one first; this one, unless given."
  type        = list(string)
  default     = null

  validation {
    condition     = var.regions == null || (length(coalesce(var.regions, [])) > 0 && alltrue([for name in coalesce(var.regions, []) : can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", name))]))
    error_message = "regions is [${join(", ", coalesce(var.regions, []))}]; accepted is at least one region such as eu-west-1."
  }
}

variable "vault_bucket_names" {
  description = "Names of the vault's buckets (patterns with * allowed), if the settings give them others than their own."
  type        = list(string)
  default     = null

  validation {
    condition     = var.vault_bucket_names == null || (length(coalesce(var.vault_bucket_names, [])) > 0 && alltrue([for name in coalesce(var.vault_bucket_names, []) : can(regex("^[a-z0-9][a-z0-9.*-]{2,62}$", name))]))
    error_message = "vault_bucket_names is [${join(", ", coalesce(var.vault_bucket_names, []))}]; accepted is at least one name of a bucket, in which * stands for anything."
  }
}

variable "staging_bucket_names" {
  description = "Names of the buckets beside the vault (patterns with * allowed), if the settings give them others than their own."
  type        = list(string)
  default     = null

  validation {
    condition     = var.staging_bucket_names == null || (length(coalesce(var.staging_bucket_names, [])) > 0 && alltrue([for name in coalesce(var.staging_bucket_names, []) : can(regex("^[a-z0-9][a-z0-9.*-]{2,62}$", name))]))
    error_message = "staging_bucket_names is [${join(", ", coalesce(var.staging_bucket_names, []))}]; accepted is at least one name of a bucket, in which * stands for anything."
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
