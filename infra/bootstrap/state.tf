# What everything else is found again by: the state of Terraform and that of Pulumi, each in a bucket of its own. Every
# version stays: they are small, and tell what stood when.

locals {
  buckets = var.holds_state ? {
    terraform = "${local.name}-terraform-${local.account_id}-${local.region}"
    pulumi    = "${local.name}-pulumi-${local.account_id}-${local.region}"
  } : {}
}

resource "aws_s3_bucket" "state" {
  for_each = local.buckets

  bucket = each.value
  tags   = merge(local.tags, { Name = each.value })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  for_each = aws_s3_bucket.state

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  for_each = aws_s3_bucket.state

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.secrets[0].arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  for_each = aws_s3_bucket.state

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "state" {
  for_each = aws_s3_bucket.state

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "state" {
  for_each = aws_s3_bucket.state

  bucket = each.value.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.transport[each.key], local.keepers[each.key])
  })

  depends_on = [aws_s3_bucket_public_access_block.state]
}

locals {
  bucket_arns = { for use, bucket in local.buckets : use => "arn:${local.partition}:s3:::${bucket}" }

  transport = { for use, arn in local.bucket_arns : use => [
    {
      Sid       = "DenyPlainTransport"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid       = "DenyOldTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    },
  ] }

  # A version that is gone cannot be brought back, so that only administrators end one.
  keepers = { for use, arn in local.bucket_arns : use => concat(
    [{
      Sid       = "DenyForgetting"
      Effect    = "Deny"
      Principal = "*"
      Action = [
        "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObjectVersion", "s3:PutBucketPolicy",
        "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
      ]
      Resource  = [arn, "${arn}/*"]
      Condition = { ArnNotLike = { "aws:PrincipalArn" = local.administrators } }
      },
      {
        Sid       = "DenyOthers"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
        Resource  = "${arn}/*"
        Condition = {
          ArnNotLike = {
            "aws:PrincipalArn" = concat(
              local.administrators,
              use == "terraform" ? [local.role_arns.foundation] : values(local.role_arns),
            )
          }
        }
      },
    ],
    # The platform reads what the foundation has made, and says nothing of it.
    use == "pulumi" ? [{
      Sid       = "DenyStateOfFoundation"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:DeleteObject", "s3:PutObject"]
      Resource  = ["${arn}/.pulumi/*/${local.foundation_stack}.json*", "${arn}/.pulumi/*/${local.foundation_stack}/*"]
      Condition = { ArnNotLike = { "aws:PrincipalArn" = concat(local.administrators, [local.role_arns.foundation]) } }
    }] : [],
  ) }
}
