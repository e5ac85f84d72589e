data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  name       = "interlock-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.name
  tags       = merge({ "interlock:infra" = "audit", environment = var.environment }, var.tags)

  # AWS Config writes into no bucket that locks by default (AWS Config Developer Guide, "Permissions for the Amazon S3
  # Bucket"), so that it has one of its own, whose versions nobody ends.
  buckets     = { for use in ["trail", "config"] : use => "${local.name}-${use}-${local.account_id}-${local.region}" }
  bucket_arns = { for use, bucket in local.buckets : use => "arn:${local.partition}:s3:::${bucket}" }
  trail_arns  = [for id in var.watched_account_ids : "arn:${local.partition}:cloudtrail:${local.region}:${id}:trail/${local.name}"]
}
