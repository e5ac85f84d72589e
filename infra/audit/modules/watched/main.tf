# One account's trail, recorder and analyzer.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name = "interlock-${var.environment}"
}

resource "aws_cloudtrail" "this" {
  name                          = local.name
  s3_bucket_name                = var.trail_bucket
  kms_key_id                    = var.key_arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  tags                          = merge(var.tags, { Name = local.name })

  # With no source left out: each use of a key is a management event.
  advanced_event_selector {
    name = "Management, with every use of a key"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  advanced_event_selector {
    name = "Objects of the vault"

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }

    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }

    field_selector {
      field       = "resources.ARN"
      starts_with = [for arn in var.vault_bucket_arns : "${arn}/"]
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role" "config" {
  name                 = "${local.name}-config"
  path                 = "/interlock/audit/"
  description          = "Lets AWS Config see how this account is configured"
  max_session_duration = 3600
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AssumedByService"
      Effect    = "Allow"
      Principal = { Service = "config.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "config" {
  role       = aws_iam_role.config.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWS_ConfigRole"
}

resource "aws_config_configuration_recorder" "this" {
  name     = local.name
  role_arn = aws_iam_role.config.arn

  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "this" {
  name           = local.name
  s3_bucket_name = var.config_bucket
  s3_kms_key_arn = var.key_arn

  depends_on = [aws_config_configuration_recorder.this]
}

resource "aws_config_configuration_recorder_status" "this" {
  name       = aws_config_configuration_recorder.this.name
  is_enabled = true

  depends_on = [aws_config_delivery_channel.this, aws_iam_role_policy_attachment.config]
}

resource "aws_accessanalyzer_analyzer" "this" {
  analyzer_name = local.name
  type          = "ACCOUNT"
  tags          = merge(var.tags, { Name = local.name })
}
