# What the organization refuses to every principal of the environment's accounts, their root users included.

data "aws_organizations_organization" "this" {}

data "aws_partition" "current" {}

locals {
  name      = "interlock-${var.environment}"
  partition = data.aws_partition.current.partition
  tags      = merge({ "interlock:infra" = "guardrails", environment = var.environment }, var.tags)

  kinds = { service = "SERVICE_CONTROL_POLICY", resource = "RESOURCE_CONTROL_POLICY" }
  # Source: AWS Organizations User Guide, "Quotas and service limits".
  limit = 5120

  policies = merge(
    { for name, statements in local.service_control : name => { kind = local.kinds.service, statements = statements } },
    { for name, statements in local.resource_control : name => { kind = local.kinds.resource, statements = statements } },
  )
  documents = { for name, one in local.policies : name => jsonencode({ Version = "2012-10-17", Statement = one.statements }) }
  enabled   = flatten([for root in data.aws_organizations_organization.this.roots : [for kind in root.policy_types : kind.type if kind.status == "ENABLED"]])

  attachments = { for pair in setproduct(keys(local.policies), var.target_ids) : "${pair[0]}/${pair[1]}" => { policy = pair[0], target = pair[1] } }
}

resource "aws_organizations_policy" "this" {
  for_each = local.policies

  name        = "${local.name}-${each.key}"
  description = local.descriptions[each.key]
  type        = each.value.kind
  content     = local.documents[each.key]
  tags        = local.tags

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(local.documents[each.key]) <= local.limit
      error_message = "The policy ${each.key} has ${length(local.documents[each.key])} characters; AWS takes ${local.limit}. Name fewer or shorter vault_bucket_names, record_bucket_names and account_role_names."
    }

    precondition {
      condition     = contains(local.enabled, each.value.kind)
      error_message = "The organization has policies of type ${each.value.kind} switched off; its management account switches them on with: aws organizations enable-policy-type --policy-type ${each.value.kind} --root-id ${try(data.aws_organizations_organization.this.roots[0].id, "ROOT")}"
    }
  }
}

resource "aws_organizations_policy_attachment" "this" {
  for_each = local.attachments

  policy_id = aws_organizations_policy.this[each.value.policy].id
  target_id = each.value.target
}
