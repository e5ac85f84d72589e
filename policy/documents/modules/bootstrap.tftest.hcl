mock_provider "aws" {
  source = "./scanned"
}

variables {
  environment         = "prod"
  evidence_account_id = "210987654321"
}

run "the_account_that_holds_the_state" {
  command = plan

  variables {
    github = {
      repository             = "example/interlock"
      foundation_environment = "prod-foundation"
      platform_environment   = "prod-platform"
    }
    people = {
      foundation = { foundation-1 = "arn:aws:iam::123456789012:role/foundation" }
      platform   = { platform-1 = "arn:aws:iam::123456789012:role/platform" }
    }
  }
}

run "an_account_that_is_deployed_into" {
  command = plan

  variables {
    workload_account_id = "111122223333"
    evidence_account_id = "123456789012"
    holds_state         = false
    administrators      = ["arn:aws:iam::123456789012:role/administrator"]
    deployed_from       = "arn:aws:iam::111122223333:role/interlock/duties/interlock-prod-foundation"
  }
}
