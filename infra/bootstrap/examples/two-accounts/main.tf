# An environment whose keys, vault and images lie in an account of their own. The workload account holds the state; its
# foundation's role goes on into the evidence account's.

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
  region              = var.region
  allowed_account_ids = [var.workload_account_id]
}

provider "aws" {
  alias               = "evidence"
  region              = var.region
  allowed_account_ids = [var.evidence_account_id]

  assume_role {
    role_arn     = "arn:aws:iam::${var.evidence_account_id}:role/${var.account_role_name}"
    session_name = "interlock-bootstrap"
  }
}

module "workload" {
  source = "../.."

  environment         = var.environment
  evidence_account_id = var.evidence_account_id
  stack               = var.stack
  platform_stack      = var.platform_stack
  regions             = var.regions
  administrators      = var.administrators
  github              = var.github
  people              = var.people
}

module "evidence" {
  source = "../.."

  providers = {
    aws = aws.evidence
  }

  environment         = var.environment
  workload_account_id = var.workload_account_id
  stack               = var.stack
  platform_stack      = var.platform_stack
  regions             = var.regions
  holds_state         = false
  administrators      = ["arn:aws:iam::${var.evidence_account_id}:role/${var.account_role_name}"]
  deployed_from       = module.workload.deploy_role_arns.foundation
}
