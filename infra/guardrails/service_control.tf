# Service control policies: what nobody in the accounts does, whatever their own policies say. Where the foundations are
# made and changed there is an exception for those who make them, by role; the root user is never one of them.

locals {
  descriptions = {
    vault      = "Nobody weakens the vault, removes from it or takes keys away"
    trail      = "Nobody stops or weakens what watches the accounts, or removes what it wrote"
    boundaries = "Nobody but the foundation touches duties, deploy roles and boundaries"
    regions    = "Nothing outside of the environment's regions, and nobody leaves the organization"
    perimeter  = "Vault, keys, secrets and roles are used from inside the organization alone"
  }

  makers      = [for name in var.account_role_names : "arn:${local.partition}:iam::*:role/${name}"]
  foundations = concat(local.makers, ["arn:${local.partition}:iam::*:role/interlock/duties/${local.name}*-foundation"])
  deployers   = concat(local.foundations, ["arn:${local.partition}:iam::*:role/interlock/duties/${local.name}*-platform"])
  # Of the keys that sign or that evidence and states lie under.
  key_aliases = [for key in ["approver-*", "audit", "builder", "deployer", "evidence", "log", "observer", "responder", "secrets", "witness"] : "alias/interlock-*-${key}"]
  named_keys  = [for alias in local.key_aliases : "arn:${local.partition}:kms:*:*:${alias}"]
  vaults      = flatten([for name in var.vault_bucket_names : ["arn:${local.partition}:s3:::${name}", "arn:${local.partition}:s3:::${name}/*"]])
  records     = flatten([for name in var.record_bucket_names : ["arn:${local.partition}:s3:::${name}", "arn:${local.partition}:s3:::${name}/*"]])
  removing    = ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectLegalHold"]
  weakening = [
    "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
  ]

  service_control = {
    vault = [
      {
        Sid      = "DenyRemoval"
        Effect   = "Deny"
        Action   = local.removing
        Resource = local.vaults
      },
      {
        Sid       = "DenyWeakening"
        Effect    = "Deny"
        Action    = local.weakening
        Resource  = local.vaults
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.foundations } }
      },
      {
        Sid       = "DenyEndingSigningKeys"
        Effect    = "Deny"
        Action    = ["kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:ScheduleKeyDeletion"]
        Resource  = "*"
        Condition = { "ForAnyValue:StringLike" = { "kms:ResourceAliases" = local.key_aliases } }
      },
      {
        # A key that goes by another name is one that the statement above does not know.
        Sid       = "DenyRenamingKeys"
        Effect    = "Deny"
        Action    = ["kms:DeleteAlias", "kms:UpdateAlias"]
        Resource  = local.named_keys
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.makers } }
      },
      {
        Sid       = "DenyNamingKeys"
        Effect    = "Deny"
        Action    = "kms:CreateAlias"
        Resource  = local.named_keys
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.foundations } }
      },
    ]

    trail = [
      {
        Sid    = "DenyStopping"
        Effect = "Deny"
        Action = [
          "access-analyzer:DeleteAnalyzer", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors",
          "cloudtrail:StopLogging", "cloudtrail:UpdateTrail", "config:DeleteConfigurationRecorder",
          "config:DeleteDeliveryChannel", "config:PutConfigurationRecorder", "config:PutDeliveryChannel",
          "config:StopConfigurationRecorder",
        ]
        Resource  = "*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.makers } }
      },
      {
        Sid      = "DenyRemovingRecords"
        Effect   = "Deny"
        Action   = local.removing
        Resource = local.records
      },
      {
        Sid       = "DenyWeakeningRecords"
        Effect    = "Deny"
        Action    = local.weakening
        Resource  = local.records
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.makers } }
      },
    ]

    boundaries = [
      {
        Sid    = "DenyDeployRolesAndBoundaries"
        Effect = "Deny"
        Action = [
          "iam:AttachRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateRole", "iam:DeletePolicy",
          "iam:DeletePolicyVersion", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy",
          "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:SetDefaultPolicyVersion",
          "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        ]
        # Whoever may change the administrators' roles could become whom the other statements leave out.
        Resource = concat(local.makers, [
          for what in [
            "policy/interlock/boundaries/*-foundation", "policy/interlock/boundaries/*-platform", "policy/interlock/duties/*",
            "role/interlock/duties/*-foundation", "role/interlock/duties/*-platform",
          ] : "arn:${local.partition}:iam::*:${what}"
        ])
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.makers } }
      },
      {
        Sid    = "DenyDuties"
        Effect = "Deny"
        Action = [
          "iam:AttachRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateRole", "iam:DeletePolicy",
          "iam:DeletePolicyVersion", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy",
          "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:SetDefaultPolicyVersion",
          "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        ]
        Resource = [
          for what in ["policy/interlock/boundaries", "role/interlock/duties", "role/interlock/replication"] : "arn:${local.partition}:iam::*:${what}/*"
        ]
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.foundations } }
      },
      {
        Sid       = "DenyServices"
        Effect    = "Deny"
        Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"]
        Resource  = "arn:${local.partition}:iam::*:role/interlock/services/*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.deployers } }
      },
      {
        Sid      = "DenyUnbinding"
        Effect   = "Deny"
        Action   = "iam:DeleteRolePermissionsBoundary"
        Resource = "arn:${local.partition}:iam::*:role/interlock/services/*"
      },
      {
        Sid       = "DenyIdentityProviders"
        Effect    = "Deny"
        Action    = ["iam:AddClientIDToOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider", "iam:CreateSAMLProvider", "iam:DeleteOpenIDConnectProvider", "iam:DeleteSAMLProvider", "iam:UpdateOpenIDConnectProviderThumbprint", "iam:UpdateSAMLProvider"]
        Resource  = "*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.makers } }
      },
      {
        Sid      = "DenyLongLivedKeys"
        Effect   = "Deny"
        Action   = ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateUser"]
        Resource = "*"
      },
    ]

    # Services that answer in one region alone are left out. Source: AWS Organizations User Guide, "Deny access to AWS
    # based on the requested AWS Region".
    regions = [
      {
        Sid    = "DenyOtherRegions"
        Effect = "Deny"
        NotAction = [
          "access-analyzer:*", "budgets:*", "cloudfront:*", "cloudtrail:LookupEvents", "cloudwatch:Describe*",
          "cloudwatch:Get*", "cloudwatch:List*", "ec2:DescribeRegions", "ecr-public:*", "globalaccelerator:*", "health:*",
          "iam:*", "kms:*", "organizations:*", "route53:*", "s3:GetAccountPublic*", "s3:ListAllMyBuckets",
          "s3:PutAccountPublic*", "shield:*", "sts:*", "support:*", "trustedadvisor:*", "waf:*",
        ]
        Resource  = "*"
        Condition = { StringNotEquals = { "aws:RequestedRegion" = var.regions } }
      },
      {
        Sid       = "DenyKeysInOtherRegions"
        Effect    = "Deny"
        Action    = ["kms:CreateKey", "kms:ReplicateKey"]
        Resource  = "*"
        Condition = { StringNotEquals = { "aws:RequestedRegion" = var.regions } }
      },
      {
        Sid      = "DenyLeaving"
        Effect   = "Deny"
        Action   = ["account:CloseAccount", "account:DisableRegion", "account:EnableRegion", "organizations:LeaveOrganization"]
        Resource = "*"
      },
    ]
  }
}
