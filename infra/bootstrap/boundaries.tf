# The ceilings of the deploy roles. A boundary grants nothing: it takes away what no policy of a role may give.

resource "aws_iam_policy" "boundary" {
  for_each = toset(local.layers)

  name        = "${local.stack_name}-${each.key}"
  path        = "/interlock/boundaries/"
  description = "What the deploy role of the ${each.key} layer may have at most"
  policy      = local.texts["${each.key}-boundary"]
  tags        = local.tags

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(local.texts["${each.key}-boundary"]) <= 6144
      error_message = "The boundary of the ${each.key} layer has ${length(local.texts["${each.key}-boundary"])} characters; a managed policy has 6144 at most. Name fewer or shorter vault_bucket_names."
    }
  }
}
