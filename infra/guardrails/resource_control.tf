# Resource control policies: what nobody does to the accounts' resources, from whichever account they come.

locals {
  organization_id = data.aws_organizations_organization.this.id
  github_host     = "token.actions.githubusercontent.com"

  resource_control = {
    perimeter = [
      {
        Sid       = "DenyOutsiders"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["kms:*", "s3:*", "secretsmanager:*", "sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
        Resource  = "*"
        # Both have to hold: a service of AWS has no organization.
        Condition = {
          StringNotEqualsIfExists = { "aws:PrincipalOrgID" = local.organization_id }
          BoolIfExists            = { "aws:PrincipalIsAWSService" = "false" }
        }
      },
      {
        Sid       = "DenyOthersServices"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["kms:*", "s3:*", "secretsmanager:*"]
        Resource  = "*"
        # A service that acts for somebody says for whom: only for the organization's own.
        Condition = {
          StringNotEqualsIfExists = { "aws:SourceOrgID" = local.organization_id }
          Null                    = { "aws:SourceAccount" = "false" }
          Bool                    = { "aws:PrincipalIsAWSService" = "true" }
        }
      },
      {
        Sid       = "DenyOtherWorkflows"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Resource  = "*"
        Condition = {
          StringNotLikeIfExists = {
            "${local.github_host}:sub" = var.github_organization == null ? "none" : "repo:${var.github_organization}/*"
          }
        }
      },
      {
        # Whoever makes a service's role may write its trust.
        Sid       = "DenyPeopleInServices"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sts:AssumeRole"
        Resource  = "arn:${local.partition}:iam::*:role/interlock/services/*"
        Condition = { BoolIfExists = { "aws:PrincipalIsAWSService" = "false" } }
      },
      {
        Sid       = "DenyPlainTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["kms:*", "s3:*", "secretsmanager:*", "sts:*"]
        Resource  = "*"
        Condition = { BoolIfExists = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DenyRemovalFromVault"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource  = local.vaults
      },
    ]
  }
}
