# Applied in the organization's management account.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region              = var.regions[0]
  allowed_account_ids = [var.management_account_id]

  dynamic "assume_role" {
    for_each = var.management_role_arn[*]

    content {
      role_arn     = assume_role.value
      session_name = "interlock-guardrails"
    }
  }
}

module "guardrails" {
  source = "../.."

  environment         = var.environment
  target_ids          = var.target_ids
  regions             = var.regions
  github_organization = var.github_organization
}
