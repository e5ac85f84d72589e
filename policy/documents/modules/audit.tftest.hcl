mock_provider "aws" {
  source = "./scanned"
}

variables {
  environment         = "prod"
  watched_account_ids = ["123456789012", "210987654321"]
  administrators      = ["arn:aws:iam::321098765432:role/audit"]
}

run "what_was_seen" {
  command = plan
}

run "an_account_that_is_watched" {
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
}
