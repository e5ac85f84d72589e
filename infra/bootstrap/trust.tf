# Who becomes a deploy role: a workflow of one repository in one environment, people by name, or the same layer's role
# of the environment's other account. Each session says whose it is.

locals {
  github_host = "token.actions.githubusercontent.com"
  github_provider_arn = var.github == null ? null : coalesce(
    var.github.provider_arn, "${local.iam}:oidc-provider/${local.github_host}"
  )
  github_subjects = var.github == null ? {} : {
    foundation = "repo:${var.github.repository}:environment:${var.github.foundation_environment}"
    platform   = "repo:${var.github.repository}:environment:${var.github.platform_environment}"
  }

  trust = { for layer in local.layers : layer => concat(
    [for subject in compact([lookup(local.github_subjects, layer, "")]) : {
      Sid       = "Workflow"
      Effect    = "Allow"
      Principal = { Federated = local.github_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github_host}:aud" = "sts.amazonaws.com"
          "${local.github_host}:sub" = subject
        }
        StringLike = { "sts:RoleSessionName" = "github-*" }
      }
    }],
    # `Bool` is false where the key is missing: a long-lived key has no MFA to show.
    [for name in sort(keys(var.people[layer])) : {
      Sid       = "Person${replace(title(replace(name, "/[^A-Za-z0-9]/", " ")), " ", "")}"
      Effect    = "Allow"
      Principal = { AWS = var.people[layer][name] }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "sts:RoleSessionName" = name, "sts:SourceIdentity" = name }
        Bool         = { "aws:MultiFactorAuthPresent" = "true" }
      }
    }],
    [for arn in compact([layer == "foundation" ? var.deployed_from : null]) : {
      Sid       = "OtherAccount"
      Effect    = "Allow"
      Principal = { AWS = arn }
      Action    = "sts:AssumeRole"
      Condition = { StringLike = { "sts:RoleSessionName" = "interlock-*" } }
    }],
    # STS documents no session name for sts:SetSourceIdentity: under a condition on it, the identity would be refused.
    [for names in [sort(keys(var.people[layer]))] : {
      Sid       = "NamesOfPeople"
      Effect    = "Allow"
      Principal = { AWS = distinct(values(var.people[layer])) }
      Action    = "sts:SetSourceIdentity"
      Condition = { StringEquals = { "sts:SourceIdentity" = names } }
    } if length(names) > 0],
    # A source identity goes along the chain only where each role lets it. A workflow's session bears none, and takes
    # nobody's here.
    [for arn in compact([layer == "foundation" ? var.deployed_from : null]) : {
      Sid       = "NamesFromOtherAccount"
      Effect    = "Allow"
      Principal = { AWS = arn }
      Action    = "sts:SetSourceIdentity"
      Condition = { Null = { "aws:SourceIdentity" = "false" } }
    }],
  ) }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.github != null && try(var.github.provider_arn, null) == null ? 1 : 0

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = merge(local.tags, { Name = "${local.name}-github" })
}
