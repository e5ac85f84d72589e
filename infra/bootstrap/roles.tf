resource "aws_iam_role" "deploy" {
  for_each = toset(local.layers)

  name                 = "${local.name}-${each.key}"
  path                 = "/interlock/deploy/"
  description          = "Deploys the ${each.key} layer of ${var.environment}"
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = local.trust[each.key] })
  permissions_boundary = aws_iam_policy.boundary[each.key].arn
  max_session_duration = var.session_hours * 3600
  tags                 = merge(local.tags, { Name = "${local.name}-${each.key}", layer = each.key })

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(local.trust[each.key]) > 0
      error_message = "Nobody could become the deploy role of the ${each.key} layer: give github, people.${each.key} or deployed_from.${each.key}."
    }
  }
}

resource "aws_iam_policy" "permissions" {
  for_each = local.permissions

  name        = "${local.name}-${each.key}"
  path        = "/interlock/deploy/"
  description = "What deploying needs in ${var.environment}: ${each.key}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })
  tags        = local.tags
}

resource "aws_iam_role_policy_attachment" "permissions" {
  for_each = local.permissions

  role       = aws_iam_role.deploy[split("-", each.key)[0]].name
  policy_arn = aws_iam_policy.permissions[each.key].arn
}
