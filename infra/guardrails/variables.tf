variable "environment" {
  description = "The environment whose accounts are guarded."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.environment))
    error_message = "environment is \"${var.environment}\"; accepted are 2 to 12 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "target_ids" {
  description = "Organizational units or accounts of the environment. The management account is guarded by no policy of its organization."
  type        = list(string)

  validation {
    condition     = length(var.target_ids) > 0 && alltrue([for id in var.target_ids : can(regex("^(\\d{12}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})$", id))]) && length(distinct(var.target_ids)) == length(var.target_ids)
    error_message = "target_ids is [${join(", ", var.target_ids)}]; accepted are ids of organizational units or accounts, each once and at least one. The root is not: what is attached there holds every account of the organization."
  }
}

variable "regions" {
  description = "The only regions in which anything is made or used."
  type        = list(string)

  validation {
    condition     = length(var.regions) > 0 && alltrue([for region in var.regions : can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", region))])
    error_message = "regions is [${join(", ", var.regions)}]; accepted is at least one region, such as eu-west-1."
  }
}

variable "vault_bucket_names" {
  description = "Names of the vault's buckets (patterns with * allowed)."
  type        = list(string)
  default     = ["interlock-*-vault-*", "vault-bucket-*", "vault-recovery-bucket-*"]

  validation {
    condition     = length(var.vault_bucket_names) > 0 && alltrue([for name in var.vault_bucket_names : can(regex("^[a-z0-9][a-z0-9.*-]{2,62}$", name))])
    error_message = "vault_bucket_names is [${join(", ", var.vault_bucket_names)}]; accepted is at least one name of a bucket, in which * stands for anything."
  }
}

variable "record_bucket_names" {
  description = "Names of the buckets that trails and AWS Config write into (patterns with * allowed)."
  type        = list(string)
  default     = ["interlock-*-trail-*", "interlock-*-config-*"]

  validation {
    condition     = length(var.record_bucket_names) > 0 && alltrue([for name in var.record_bucket_names : can(regex("^[a-z0-9][a-z0-9.*-]{2,62}$", name))])
    error_message = "record_bucket_names is [${join(", ", var.record_bucket_names)}]; accepted is at least one name of a bucket, in which * stands for anything."
  }
}

variable "account_role_names" {
  description = "Roles by which the organization's administrators bring up and change the accounts' foundations."
  type        = list(string)
  default     = ["OrganizationAccountAccessRole"]

  validation {
    condition     = alltrue([for name in var.account_role_names : can(regex("^[A-Za-z0-9+=,.@_/-]{1,128}$", name))])
    error_message = "account_role_names is [${join(", ", var.account_role_names)}]; accepted are names of roles, with their paths and without patterns."
  }
}

variable "github_organization" {
  description = "The only owner of repositories whose workflows become a role. None: no web identity does."
  type        = string
  default     = null

  validation {
    condition     = var.github_organization == null || can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}$", var.github_organization))
    error_message = "github_organization is \"${coalesce(var.github_organization, "-")}\"; accepted is the name of an owner on GitHub."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
