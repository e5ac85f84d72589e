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
  environment = "prod"
  github = {
    repository             = "example/interlock"
    foundation_environment = "prod-foundation"
    platform_environment   = "prod-platform"
  }
  people = {
    foundation = { foundation-1 = "arn:aws:iam::123456789012:role/foundation" }
  }
}

run "each_layer_has_its_trust_and_its_boundary" {
  command = plan

  assert {
    condition = alltrue([for layer in ["foundation", "platform"] :
      jsondecode(aws_iam_role.deploy[layer].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:example/interlock:environment:prod-${layer}"
    ])
    error_message = "A layer's role trusts another subject than its own environment's."
  }

  assert {
    condition     = length(jsondecode(aws_iam_role.deploy["platform"].assume_role_policy).Statement) == 1
    error_message = "Somebody of the foundation becomes the platform."
  }

  assert {
    condition = alltrue([for condition in [jsondecode(aws_iam_role.deploy["foundation"].assume_role_policy).Statement[1].Condition] :
      condition.StringEquals["sts:SourceIdentity"] == "foundation-1" &&
      condition.StringEquals["sts:RoleSessionName"] == "foundation-1" &&
      condition.Bool["aws:MultiFactorAuthPresent"] == "true"
    ])
    error_message = "A person's session does not have to say whose it is."
  }

  assert {
    condition     = alltrue([for policy in concat(values(aws_iam_policy.boundary), values(aws_iam_policy.permissions)) : length(policy.policy) <= 6144])
    error_message = "A managed policy is longer than AWS takes."
  }

  assert {
    condition = length(setsubtract(
      ["DenyForeignRoles", "DenyUnbound", "DenyUnbinding", "DenyPolicies", "DenyDuties", "DenyKeys", "DenyAliases", "DenyVault", "DenyImages", "DenyTraffic", "DenyRecord"],
      [for statement in jsondecode(aws_iam_policy.boundary["platform"].policy).Statement : statement.Sid if statement.Effect == "Deny"],
    )) == 0
    error_message = "The platform's boundary lacks a refusal."
  }

  assert {
    condition     = length(regexall("\\{[a-z_]+\\}", join("", [for policy in concat(values(aws_iam_policy.boundary), values(aws_iam_policy.permissions)) : policy.policy]))) == 0
    error_message = "A document still has a place to fill in."
  }
}

run "the_state_of_a_foundation_of_its_own_is_not_the_platforms" {
  command = plan

  variables {
    stack = "prod-eu"
  }

  assert {
    condition = length([for statement in jsondecode(aws_s3_bucket_policy.state["pulumi"].policy).Statement :
      statement if statement.Sid == "DenyStateOfFoundation" && strcontains(jsonencode(statement.Resource), "/prod-eu-foundation.json*")
    ]) == 1
    error_message = "The platform may write the foundation's state."
  }

  assert {
    condition     = aws_iam_role.deploy["platform"].name == "interlock-prod-eu-platform"
    error_message = "Roles are not named after the stack whose duties they are."
  }
}

run "an_account_without_state_has_no_bucket_and_no_key" {
  command = plan

  variables {
    workload_account_id = "210987654321"
    holds_state         = false
    github              = null
    people              = {}
    deployed_from       = "arn:aws:iam::210987654321:role/interlock/duties/interlock-prod-foundation"
  }

  assert {
    condition     = length(aws_s3_bucket.state) == 0 && length(aws_kms_key.secrets) == 0 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "It holds state nevertheless."
  }

  assert {
    condition     = keys(aws_iam_role.deploy) == ["foundation"]
    error_message = "The platform has a way into the account of keys and vault."
  }
}

run "patterns_and_people_in_both_layers_are_refused" {
  command = plan

  variables {
    environment = "Prod"
    github = {
      repository             = "example/*"
      foundation_environment = "prod"
      platform_environment   = "Prod"
    }
    people = {
      foundation = { somebody = "arn:aws:iam::123456789012:role/foundation" }
      platform   = { somebody = "arn:aws:iam::123456789012:role/platform" }
    }
    vault_bucket_names = []
    session_hours      = 12
  }

  expect_failures = [var.environment, var.github, var.people, var.vault_bucket_names, var.session_hours]
}

run "whoever_comes_by_identity_center_cannot_show_an_mfa_and_is_refused" {
  command = plan

  variables {
    people = {
      foundation = { foundation-1 = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Foundation_0123456789abcdef" }
    }
  }

  expect_failures = [var.people]
}

run "whoever_comes_to_the_platform_by_identity_center_is_refused_too" {
  command = plan

  variables {
    people = {
      foundation = { foundation-1 = "arn:aws:iam::123456789012:user/foundation-1" }
      platform   = { platform-1 = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Platform_0123456789abcdef" }
    }
  }

  expect_failures = [var.people]
}

run "a_role_that_nobody_could_become_is_refused" {
  command = plan

  variables {
    github = null
    people = {}
  }

  expect_failures = [aws_iam_role.deploy]
}

run "a_boundary_that_is_too_long_is_refused" {
  command = plan

  variables {
    vault_bucket_names = [for number in range(30) : "vault-of-the-environment-with-a-long-name-${number}"]
  }

  expect_failures = [aws_iam_policy.boundary]
}
