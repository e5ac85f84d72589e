variable "environment" {
  description = "The environment whose accounts are guarded."
  type        = string
}

variable "management_account_id" {
  description = "The organization's management account."
  type        = string
}

variable "management_role_arn" {
  description = "The role there that is assumed, unless the credentials are the account's own."
  type        = string
  default     = null
}

variable "target_ids" {
  description = "Organizational units or accounts of the environment."
  type        = list(string)
}

variable "regions" {
  description = "The only regions in which anything is made or used, the primary one first."
  type        = list(string)
}

variable "github_organization" {
  description = "The only owner of repositories whose workflows become a role."
  type        = string
  default     = null
}
