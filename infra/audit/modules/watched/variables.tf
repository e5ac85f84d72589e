variable "environment" {
  description = "The environment that is watched."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.environment))
    error_message = "environment is \"${var.environment}\"; accepted are 2 to 12 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "trail_bucket" {
  description = "An output of the module above."
  type        = string
}

variable "config_bucket" {
  description = "An output of the module above."
  type        = string
}

variable "key_arn" {
  description = "An output of the module above."
  type        = string
}

variable "vault_bucket_arns" {
  description = "ARNs of the vault's buckets: each read and write of an object in them is recorded."
  type        = list(string)

  validation {
    condition     = length(var.vault_bucket_arns) > 0 && alltrue([for arn in var.vault_bucket_arns : can(regex("^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,62}$", arn))])
    error_message = "vault_bucket_arns is [${join(", ", var.vault_bucket_arns)}]; accepted is at least one ARN of a bucket, without patterns."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
