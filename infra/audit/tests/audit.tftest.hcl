mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
      arn        = "arn:aws:sts::123456789012:assumed-role/administrator/somebody"
    }
  }

  mock_data "aws_iam_session_context" {
    defaults = {
      issuer_arn = "arn:aws:iam::123456789012:role/administrator"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }

  mock_data "aws_region" {
    defaults = {
      name = "eu-west-1"
    }
  }
}

variables {
  environment         = "prod"
  watched_account_ids = ["123456789012", "210987654321"]
  administrators      = ["arn:aws:iam::321098765432:role/audit"]
}

run "what_was_seen_is_locked" {
  command = plan

  assert {
    condition = alltrue([for retention in [aws_s3_bucket_object_lock_configuration.trail.rule[0].default_retention[0]] :
      retention.mode == "COMPLIANCE" && retention.days == 365
    ])
    error_message = "What the trail wrote can be removed."
  }

  assert {
    condition     = contains([for statement in jsondecode(aws_s3_bucket_policy.kept["trail"].policy).Statement : statement.Sid if statement.Effect == "Deny" && !can(statement.Condition)], "DenyRemoval")
    error_message = "Somebody may hide what the trail wrote."
  }

  assert {
    condition     = contains([for statement in jsondecode(aws_s3_bucket_policy.kept["trail"].policy).Statement : statement.Sid], "DenyOldTls")
    error_message = "What the trail wrote is read by an old TLS."
  }

  assert {
    condition     = !aws_s3_bucket.kept["config"].object_lock_enabled && aws_s3_bucket.kept["trail"].object_lock_enabled
    error_message = "AWS Config does not write into a bucket that locks by default, and the trail has to."
  }
}

run "a_short_lock_and_nobody_who_administers_are_refused" {
  command = plan

  variables {
    environment         = "Prod"
    retention_days      = 7
    watched_account_ids = ["123456789012", "123456789012"]
    administrators      = []
  }

  expect_failures = [var.environment, var.retention_days, var.watched_account_ids, var.administrators]
}

run "every_use_of_a_key_and_every_object_of_the_vault_is_seen" {
  command = plan

  module {
    source = "./modules/watched"
  }

  variables {
    trail_bucket      = "trail-of-prod"
    config_bucket     = "config-of-prod"
    key_arn           = "arn:aws:kms:eu-west-1:321098765432:key/00000000-0000-4000-8000-000000000000"
    vault_bucket_arns = ["arn:aws:s3:::vault-of-prod"]
  }

  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.enable_log_file_validation
    error_message = "The trail leaves a region out, or its files prove nothing."
  }

  assert {
    condition     = alltrue([for selector in aws_cloudtrail.this.advanced_event_selector : alltrue([for field in selector.field_selector : try(length(field.not_equals), 0) == 0 && try(length(field.not_starts_with), 0) == 0])])
    error_message = "The trail leaves something out."
  }

  assert {
    condition     = contains(flatten([for selector in aws_cloudtrail.this.advanced_event_selector : [for field in selector.field_selector : field.starts_with]]), "arn:aws:s3:::vault-of-prod/")
    error_message = "Objects of the vault are read and written unseen."
  }
}

run "a_pattern_of_buckets_is_refused" {
  command = plan

  module {
    source = "./modules/watched"
  }

  variables {
    trail_bucket      = "trail-of-prod"
    config_bucket     = "config-of-prod"
    key_arn           = "arn:aws:kms:eu-west-1:321098765432:key/00000000-0000-4000-8000-000000000000"
    vault_bucket_arns = ["arn:aws:s3:::vault-*"]
  }

  expect_failures = [var.vault_bucket_arns]
}
