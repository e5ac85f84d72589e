# Encrypts the secrets in both states, each layer's under its own context: the foundation never reads the platform's,
# which reads the foundation's outputs and writes nothing under that context.

resource "aws_kms_key" "secrets" {
  count = var.holds_state ? 1 : 0

  description             = "Encrypts the state of ${local.name} and the secrets in it"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = local.key_statements })
  tags                    = merge(local.tags, { Name = "${local.name}-secrets" })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "secrets" {
  count = var.holds_state ? 1 : 0

  name          = "alias/${local.name}-secrets"
  target_key_id = aws_kms_key.secrets[0].key_id
}

locals {
  through_s3 = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }

  key_statements = concat(
    [
      {
        Sid       = "Administer"
        Effect    = "Allow"
        Principal = { AWS = "${local.iam}:root" }
        Action = [
          "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:Decrypt", "kms:DeleteAlias", "kms:DescribeKey",
          "kms:EnableKey", "kms:EnableKeyRotation", "kms:Encrypt", "kms:GenerateDataKey", "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
          "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
          "kms:UpdateAlias", "kms:UpdateKeyDescription",
        ]
        Resource  = "*"
        Condition = { ArnLike = { "aws:PrincipalArn" = local.administrators } }
      },
      {
        Sid       = "Look"
        Effect    = "Allow"
        Principal = { AWS = "${local.iam}:root" }
        Action    = ["kms:DescribeKey"]
        Resource  = "*"
      },
    ],
    [for layer in local.layers : {
      Sid       = "KeepStateOf${title(layer)}"
      Effect    = "Allow"
      Principal = { AWS = "${local.iam}:root" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = merge(local.through_s3, { ArnEquals = { "aws:PrincipalArn" = local.role_arns[layer] } })
    }],
    [for layer in local.layers : {
      Sid       = "KeepSecretsOf${title(layer)}"
      Effect    = "Allow"
      Principal = { AWS = "${local.iam}:root" }
      Action    = ["kms:Decrypt", "kms:Encrypt"]
      Resource  = "*"
      Condition = {
        StringEquals = { "kms:EncryptionContext:layer" = layer }
        ArnEquals    = { "aws:PrincipalArn" = local.role_arns[layer] }
      }
    }],
    # Pulumi opens a state's data key whenever it reads the outputs, secrets among them or not.
    [for layer in local.layers : {
      Sid       = "ReadOutputsOfFoundation"
      Effect    = "Allow"
      Principal = { AWS = "${local.iam}:root" }
      Action    = ["kms:Decrypt"]
      Resource  = "*"
      Condition = {
        StringEquals = { "kms:EncryptionContext:layer" = "foundation" }
        ArnEquals    = { "aws:PrincipalArn" = local.role_arns[layer] }
      }
    } if layer == "platform"],
    [
      {
        Sid       = "DenyTakingAway"
        Effect    = "Deny"
        Principal = "*"
        Action = [
          "kms:CreateGrant", "kms:DisableKey", "kms:DisableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion",
        ]
        Resource  = "*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.administrators } }
      },
    ],
  )
}
