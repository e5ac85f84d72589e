data "aws_caller_identity" "current" {}

data "aws_iam_session_context" "current" {
  arn = data.aws_caller_identity.current.arn
}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  name       = "interlock-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.name
  iam        = "arn:${local.partition}:iam::${local.account_id}"

  # A session of a role counts as the role, whose ARN is what a policy's condition sees.
  administrators = coalesce(var.administrators, [data.aws_iam_session_context.current.issuer_arn])
  workload_id    = coalesce(var.workload_account_id, local.account_id)
  evidence_id    = coalesce(var.evidence_account_id, local.account_id)

  # Roles and boundaries are named after the stack whose duties they are.
  stack      = coalesce(var.stack, var.environment)
  stack_name = "interlock-${local.stack}"

  platform_stack   = coalesce(var.platform_stack, local.stack)
  foundation_stack = coalesce(var.foundation_stack, "${local.stack}-foundation")

  # The platform needs no way into the account of keys, vault and images.
  layers    = local.account_id == local.workload_id ? ["foundation", "platform"] : ["foundation"]
  role_arns = { for layer in local.layers : layer => "${local.iam}:role/interlock/duties/${local.stack_name}-${layer}" }

  tags = merge({ "interlock:infra" = "bootstrap", environment = var.environment }, var.tags)
}
