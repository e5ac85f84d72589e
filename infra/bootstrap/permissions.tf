# What each layer's deploy role is granted: what its layer takes, and the state that it keeps.

locals {
  rights = { for name, text in local.texts : name => text if !endswith(name, "-boundary") }

  state_statements = { for layer in local.layers : "${layer}-state" => concat([
    {
      Sid      = "FindState"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
      Resource = [for use, arn in local.bucket_arns : arn if use == "pulumi" || layer == "foundation"]
    },
    {
      Sid      = "KeepState"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for use, arn in local.bucket_arns : "${arn}/*" if use == "pulumi" || layer == "foundation"]
    },
    {
      Sid       = "KeepStateEncrypted"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/*"
      Condition = merge(local.through_s3, { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.name}-secrets" } })
    },
    {
      Sid      = "KeepSecrets"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:Encrypt"]
      Resource = "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/*"
      Condition = {
        StringEquals               = { "kms:EncryptionContext:layer" = layer }
        "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.name}-secrets" }
      }
    },
    ], layer != "platform" ? [] : [{
      Sid      = "ReadOutputsOfFoundation"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = "arn:${local.partition}:kms:${local.region}:${local.account_id}:key/*"
      Condition = {
        StringEquals               = { "kms:EncryptionContext:layer" = "foundation" }
        "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.name}-secrets" }
      }
  }]) if var.holds_state }

  permissions = merge(
    local.rights,
    { for name, statements in local.state_statements : name => jsonencode({ Version = "2012-10-17", Statement = statements }) },
  )
}

resource "aws_iam_policy" "permissions" {
  for_each = local.permissions

  name        = "${local.stack_name}-${each.key}"
  path        = "/interlock/duties/"
  description = "What deploying needs in ${var.environment}: ${each.key}"
  policy      = each.value
  tags        = local.tags
}

resource "aws_iam_role_policy_attachment" "permissions" {
  for_each = local.permissions

  role       = aws_iam_role.deploy[split("-", each.key)[0]].name
  policy_arn = aws_iam_policy.permissions[each.key].arn
}
