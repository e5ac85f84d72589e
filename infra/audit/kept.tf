# What was seen, where none of those who are watched can reach it.

resource "aws_s3_bucket" "kept" {
  for_each = local.buckets

  bucket              = each.value
  object_lock_enabled = each.key == "trail"
  tags                = merge(local.tags, { Name = each.value })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "kept" {
  for_each = aws_s3_bucket.kept

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

# COMPLIANCE, because whoever holds s3:BypassGovernanceRetention passes GOVERNANCE, root included.
resource "aws_s3_bucket_object_lock_configuration" "trail" {
  bucket = aws_s3_bucket_versioning.kept["trail"].bucket

  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = var.retention_days
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "kept" {
  for_each = aws_s3_bucket.kept

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.audit.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "kept" {
  for_each = aws_s3_bucket.kept

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "kept" {
  for_each = aws_s3_bucket.kept

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "kept" {
  for_each = aws_s3_bucket.kept

  bucket = each.value.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.held[each.key], local.written[each.key]) })

  depends_on = [aws_s3_bucket_public_access_block.kept]
}

resource "aws_kms_key" "audit" {
  description             = "Encrypts what the trail of ${local.name} has seen"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = local.key_statements })
  tags                    = merge(local.tags, { Name = "${local.name}-audit" })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "audit" {
  name          = "alias/${local.name}-audit"
  target_key_id = aws_kms_key.audit.key_id
}
