locals {
  held = { for use, arn in local.bucket_arns : use => [
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
    {
      Sid       = "DenyRemoval"
      Effect    = "Deny"
      Principal = "*"
      Action = [
        "s3:BypassGovernanceRetention", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectTagging",
        "s3:DeleteObjectVersion", "s3:DeleteObjectVersionTagging", "s3:PutLifecycleConfiguration",
        "s3:PutObjectLegalHold", "s3:PutObjectRetention", "s3:ReplicateDelete",
      ]
      Resource = [arn, "${arn}/*"]
    },
    {
      Sid       = "DenyChangingGuards"
      Effect    = "Deny"
      Principal = "*"
      Action = [
        "s3:DeleteBucket", "s3:PutBucketAcl", "s3:PutBucketLogging", "s3:PutBucketNotification",
        "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
        "s3:PutReplicationConfiguration",
      ]
      Resource  = arn
      Condition = { ArnNotLike = { "aws:PrincipalArn" = var.administrators } }
    },
  ] }

  # Source: CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"; AWS Config Developer Guide, "Permissions for
  # the Amazon S3 Bucket for the AWS Config Delivery Channel".
  written = {
    trail = [
      {
        Sid       = "TrailLooks"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:GetBucketAcl"
        Resource  = local.bucket_arns.trail
        Condition = { StringEquals = { "aws:SourceArn" = local.trail_arns } }
      },
      {
        Sid       = "TrailWrites"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = [for id in var.watched_account_ids : "${local.bucket_arns.trail}/AWSLogs/${id}/*"]
        Condition = { StringEquals = { "aws:SourceArn" = local.trail_arns } }
      },
    ]
    config = [
      {
        Sid       = "ConfigLooks"
        Effect    = "Allow"
        Principal = { Service = "config.amazonaws.com" }
        Action    = ["s3:GetBucketAcl", "s3:ListBucket"]
        Resource  = local.bucket_arns.config
        Condition = { StringEquals = { "aws:SourceAccount" = var.watched_account_ids } }
      },
      {
        Sid       = "ConfigWrites"
        Effect    = "Allow"
        Principal = { Service = "config.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = [for id in var.watched_account_ids : "${local.bucket_arns.config}/AWSLogs/${id}/Config/*"]
        Condition = { StringEquals = { "aws:SourceAccount" = var.watched_account_ids } }
      },
    ]
  }

  key_statements = [
    {
      Sid       = "Administer"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
      Action = [
        "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:Decrypt", "kms:DeleteAlias", "kms:DescribeKey", "kms:EnableKey",
        "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
        "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
        "kms:UpdateKeyDescription",
      ]
      Resource = "*"
    },
    {
      Sid       = "EncryptTrail"
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceArn" = local.trail_arns } }
    },
    {
      Sid       = "EncryptConfiguration"
      Effect    = "Allow"
      Principal = { Service = "config.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.watched_account_ids } }
    },
    # Without the key nothing could be read any more: nobody ends it, administrators included.
    {
      Sid       = "DenyEnding"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["kms:DisableKey", "kms:DisableKeyRotation", "kms:ScheduleKeyDeletion"]
      Resource  = "*"
    },
    {
      Sid       = "DenyTakingAway"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["kms:CreateGrant", "kms:PutKeyPolicy"]
      Resource  = "*"
      Condition = { ArnNotLike = { "aws:PrincipalArn" = var.administrators } }
    },
  ]
}
