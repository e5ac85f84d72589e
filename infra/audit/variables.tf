variable "environment" {
  description = "The environment that is watched."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.environment))
    error_message = "environment is \"${var.environment}\"; accepted are 2 to 12 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "watched_account_ids" {
  description = "The accounts whose trails and configurations are kept; modules/watched is applied in each."
  type        = list(string)

  validation {
    condition     = length(var.watched_account_ids) > 0 && alltrue([for id in var.watched_account_ids : can(regex("^\\d{12}$", id))]) && length(distinct(var.watched_account_ids)) == length(var.watched_account_ids)
    error_message = "watched_account_ids is [${join(", ", var.watched_account_ids)}]; accepted are account ids of 12 digits, each once and at least one."
  }
}

variable "retention_days" {
  description = "Days for which nobody, the account's root user included, can remove what the trail has written."
  type        = number
  default     = 365

  validation {
    condition     = var.retention_days >= 30 && var.retention_days <= 36500 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is ${var.retention_days}; accepted are whole days from 30 to 36500. A lock in COMPLIANCE cannot be shortened afterwards."
  }
}

variable "administrators" {
  description = "ARNs (patterns with * allowed) of those in the audit account who alone may change how its buckets and key are held."
  type        = list(string)

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for arn in var.administrators : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/[A-Za-z0-9+=,.@_/*-]+$", arn))])
    error_message = "administrators is [${join(", ", var.administrators)}]; accepted is at least one ARN of an IAM role or user with its account's id."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
