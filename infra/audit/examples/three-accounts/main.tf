# Workload and evidence are watched; what was seen lies in the audit account.

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
    session_name = "interlock-audit"
  }
}

provider "aws" {
  alias               = "audit"
  region              = var.region
  allowed_account_ids = [var.audit_account_id]

  assume_role {
    role_arn     = "arn:aws:iam::${var.audit_account_id}:role/${var.account_role_name}"
    session_name = "interlock-audit"
  }
}

module "audit" {
  source = "../.."

  providers = {
    aws = aws.audit
  }

  environment         = var.environment
  watched_account_ids = [var.workload_account_id, var.evidence_account_id]
  retention_days      = var.retention_days
  administrators      = ["arn:aws:iam::${var.audit_account_id}:role/${var.account_role_name}"]
}

module "workload" {
  source = "../../modules/watched"

  environment       = var.environment
  trail_bucket      = module.audit.trail_bucket
  config_bucket     = module.audit.config_bucket
  key_arn           = module.audit.key_arn
  vault_bucket_arns = var.vault_bucket_arns
}

module "evidence" {
  source = "../../modules/watched"

  providers = {
    aws = aws.evidence
  }

  environment       = var.environment
  trail_bucket      = module.audit.trail_bucket
  config_bucket     = module.audit.config_bucket
  key_arn           = module.audit.key_arn
  vault_bucket_arns = var.vault_bucket_arns
}
