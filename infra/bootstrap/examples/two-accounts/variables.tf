variable "environment" {
  description = "The environment that is brought up."
  type        = string
}

variable "region" {
  description = "The primary region."
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

variable "stack" {
  description = "See the module's variable of the same name."
  type        = string
  default     = null
}

variable "platform_stack" {
  description = "See the module's variable of the same name."
  type        = string
  default     = null
}

variable "regions" {
  description = "See the module's variable of the same name."
  type        = list(string)
  default     = null
}

variable "account_role_name" {
  description = "The role in the evidence account that the organization's administrators assume."
  type        = string
  default     = "OrganizationAccountAccessRole"
}

variable "administrators" {
  description = "ARNs of those who alone may take the secrets key away; whoever applies first, unless given."
  type        = list(string)
  default     = null
}

variable "github" {
  description = "See the module's variable of the same name."
  type = object({
    repository             = string
    foundation_environment = string
    platform_environment   = string
    provider_arn           = optional(string)
  })
  default = null
}

variable "people" {
  description = "See the module's variable of the same name."
  type = object({
    foundation = optional(map(string), {})
    platform   = optional(map(string), {})
  })
  default = {}
}
