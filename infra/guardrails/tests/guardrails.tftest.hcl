mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }

  mock_data "aws_organizations_organization" {
    defaults = {
      id = "o-0123456789"
      roots = [{
        id   = "r-0123"
        arn  = "arn:aws:organizations::432109876543:root/o-0123456789/r-0123"
        name = "Root"
        policy_types = [
          { type = "SERVICE_CONTROL_POLICY", status = "ENABLED" },
          { type = "RESOURCE_CONTROL_POLICY", status = "ENABLED" },
        ]
      }]
    }
  }
}

variables {
  environment         = "prod"
  target_ids          = ["ou-0123-01234567", "123456789012"]
  regions             = ["eu-west-1", "eu-central-1"]
  github_organization = "example"
}

run "every_policy_is_short_and_attached_to_every_target" {
  command = plan

  assert {
    condition     = alltrue([for policy in aws_organizations_policy.this : length(policy.content) <= 5120])
    error_message = "A policy is longer than AWS takes."
  }

  assert {
    condition     = length(aws_organizations_policy_attachment.this) == 2 * length(aws_organizations_policy.this)
    error_message = "A target goes without a policy."
  }

  assert {
    condition     = alltrue([for statement in flatten([for policy in aws_organizations_policy.this : jsondecode(policy.content).Statement]) : statement.Effect == "Deny"])
    error_message = "A guardrail that allows is none."
  }

  assert {
    condition     = length([for policy in aws_organizations_policy.this : policy if strcontains(policy.content, ":root")]) == 0
    error_message = "The root user is exempt from something."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_organizations_policy.this["vault"].content).Statement :
      !can(statement.Condition) if statement.Sid == "DenyRemoval"
    ])
    error_message = "Somebody may remove evidence."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_organizations_policy.this["trail"].content).Statement :
      !can(statement.Condition) && contains(flatten([statement.Action]), "s3:DeleteObjectVersion") && contains(flatten([statement.Resource]), "arn:aws:s3:::interlock-*-trail-*/*")
    ])
    error_message = "Somebody may remove what trails wrote."
  }

  assert {
    condition = alltrue([
      for action in ["kms:DeleteAlias", "kms:UpdateAlias"] : anytrue([
        for statement in jsondecode(aws_organizations_policy.this["vault"].content).Statement :
        contains(flatten([statement.Action]), action) && contains(flatten([statement.Resource]), "arn:aws:kms:*:*:alias/interlock-*-approver-*")
        && try(statement.Condition.ArnNotLike["aws:PrincipalArn"], null) == ["arn:aws:iam::*:role/OrganizationAccountAccessRole"]
      ])
    ])
    error_message = "A duty, or anybody else who does not make the foundations, may take a signing key's name away."
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_organizations_policy.this["perimeter"].content).Statement :
      contains(flatten([statement.Action]), "sts:AssumeRole") && statement.Resource == "arn:aws:iam::*:role/interlock/services/*" && try(statement.Condition.BoolIfExists["aws:PrincipalIsAWSService"], null) == "false"
    ])
    error_message = "Somebody who is no service of AWS comes into a service's role."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_organizations_policy.this["vault"].content).Statement :
      [for alias in statement.Condition["ForAnyValue:StringLike"]["kms:ResourceAliases"] : "arn:aws:kms:*:*:${alias}"] if statement.Sid == "DenyEndingSigningKeys"
      ])) == toset(flatten([
      for statement in jsondecode(aws_organizations_policy.this["vault"].content).Statement : statement.Resource if statement.Sid == "DenyRenamingKeys"
    ]))
    error_message = "A key is held by its name, and its name is not."
  }
}

run "the_root_as_a_target_and_patterns_are_refused" {
  command = plan

  variables {
    environment         = "Prod"
    target_ids          = ["r-0123"]
    regions             = ["europe"]
    account_role_names  = ["*"]
    vault_bucket_names  = ["*"]
    github_organization = "example/interlock"
  }

  expect_failures = [var.environment, var.target_ids, var.regions, var.account_role_names, var.vault_bucket_names, var.github_organization]
}

run "an_organization_without_resource_control_policies_is_told_how_to_get_them" {
  command = plan

  override_data {
    target = data.aws_organizations_organization.this
    values = {
      id    = "o-0123456789"
      roots = [{ id = "r-0123", arn = "", name = "Root", policy_types = [{ type = "SERVICE_CONTROL_POLICY", status = "ENABLED" }] }]
    }
  }

  expect_failures = [aws_organizations_policy.this]
}
