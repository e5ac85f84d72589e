variable "environment" {
  description = "The environment that is watched."
  type        = string
}

variable "region" {
  description = "The primary region; the trails cover all."
  type        = string
}

variable "workload_account_id" {
  description = "The account of the platform."
  type        = string
}

variable "evidence_account_id" {
  description = "The account of keys, vault and images."
  type        = string
}

variable "audit_account_id" {
  description = "The account that keeps what was seen."
  type        = string
}

variable "account_role_name" {
  description = "The role in the other accounts that the organization's administrators assume."
  type        = string
  default     = "OrganizationAccountAccessRole"
}

variable "retention_days" {
  description = "Days for which nobody can remove what the trails have written."
  type        = number
  default     = 365
}

variable "vault_bucket_arns" {
  description = "ARNs of the vault's buckets."
  type        = list(string)
}
