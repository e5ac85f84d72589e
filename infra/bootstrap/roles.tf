# The roles of the duties foundation and platform. The stacks take them as they are: the first `pulumi up` needs them.

resource "aws_iam_role" "deploy" {
  for_each = toset(local.layers)

  name                 = "${local.stack_name}-${each.key}"
  path                 = "/interlock/duties/"
  description          = "Deploys the ${each.key} layer of ${var.environment}"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = local.trust[each.key] })
  permissions_boundary = aws_iam_policy.boundary[each.key].arn
  max_session_duration = var.session_hours * 3600
  tags                 = merge(local.tags, { "interlock:duty" = each.key, "interlock:role" = each.key })

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(local.trust[each.key]) > 0
      error_message = "Nobody could become the deploy role of the ${each.key} layer: give github, people.${each.key} or, for the foundation, deployed_from."
    }
  }
}
