# The ceilings. A boundary grants nothing: it takes away what no policy of a role may give.

locals {
  boundary_path = "/interlock/deploy/boundary/"
  # The one made here, and the one that the foundation's stack makes for the platform's services.
  workload_boundary_arns = [
    "${local.iam}:policy${local.boundary_path}${local.name}-workload", "${local.iam}:policy/interlock/boundaries/*-service",
  ]

  any_role        = "arn:${local.partition}:iam::*:role/interlock"
  deploy_identity = ["${local.iam}:policy/interlock/*", "${local.any_role}/deploy/*", "${local.any_role}/duties/*"]
  writing_identity = [
    "iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Remove*", "iam:Set*",
    "iam:Tag*", "iam:Untag*", "iam:Update*",
  ]
  people = [
    for kind in ["user/*", "group/*", "oidc-provider/*", "saml-provider/*", "mfa/*", "instance-profile/*"] :
    "${local.iam}:${kind}"
  ]
  watching = [
    "access-analyzer:Create*", "access-analyzer:Delete*", "access-analyzer:Update*", "account:*", "cloudtrail:Add*",
    "cloudtrail:Create*", "cloudtrail:Delete*", "cloudtrail:Put*", "cloudtrail:Remove*", "cloudtrail:Stop*",
    "cloudtrail:Update*", "config:Delete*", "config:Put*", "config:Stop*", "organizations:*",
  ]

  foundation_aliases = concat(
    [for duty in ["approver-*", "builder", "deployer", "evidence", "log", "observer", "responder", "witness"] : "alias/interlock-*-${duty}"],
    ["alias/interlock-*-secrets"],
  )
  taking_keys = [
    "kms:CreateGrant", "kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:DisableKeyRotation", "kms:ImportKeyMaterial",
    "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
    "kms:UpdatePrimaryRegion",
  ]

  vault_arns = [for name in var.vault_bucket_names : "arn:${local.partition}:s3:::${name}"]
  weakening = [
    "s3:BypassGovernanceRetention", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject*",
    "s3:PutBucketAcl", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration", "s3:PutObjectAcl", "s3:PutObjectLegalHold", "s3:PutObjectRetention",
    "s3:PutReplicationConfiguration", "s3:Replicate*",
  ]
  evidence_prefixes = ["approvals", "evidence", "ledger", "releases", "root", "statements"]
  pushing = [
    "ecr:BatchDelete*", "ecr:CompleteLayerUpload", "ecr:Create*", "ecr:Delete*", "ecr:InitiateLayerUpload", "ecr:Put*",
    "ecr:ReplicateImage", "ecr:Set*", "ecr:Start*", "ecr:UploadLayerPart",
  ]

  boundary_statements = {
    platform = concat(
      [
        {
          Sid      = "AtMost"
          Effect   = "Allow"
          Action   = [for service in local.actions.services.platform : "${service}:*"]
          Resource = "*"
        },
        {
          Sid      = "DenyDutiesAndBoundaries"
          Effect   = "Deny"
          Action   = concat(local.writing_identity, ["iam:PassRole"])
          Resource = local.deploy_identity
        },
        {
          Sid      = "DenyBecomingOthers"
          Effect   = "Deny"
          Action   = "sts:AssumeRole"
          Resource = ["${local.any_role}/duties/*", "${local.any_role}/deploy/*-foundation"]
        },
        {
          Sid      = "DenyPassableRoles"
          Effect   = "Deny"
          Action   = local.writing_identity
          Resource = "${local.any_role}/services/*"
        },
        {
          Sid      = "DenyPeople"
          Effect   = "Deny"
          Action   = local.writing_identity
          Resource = local.people
        },
        {
          Sid       = "DenyRolesWithoutBoundary"
          Effect    = "Deny"
          Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
          Resource  = "*"
          Condition = { ArnNotLike = { "iam:PermissionsBoundary" = local.workload_boundary_arns } }
        },
        {
          Sid      = "DenyTakingBoundaries"
          Effect   = "Deny"
          Action   = ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "kms:Sign", "kms:GenerateMac"]
          Resource = "*"
        },
        {
          Sid       = "DenyKeys"
          Effect    = "Deny"
          Action    = local.taking_keys
          Resource  = "*"
          Condition = { "ForAnyValue:StringLike" = { "kms:ResourceAliases" = local.foundation_aliases } }
        },
        {
          Sid      = "DenyAliases"
          Effect   = "Deny"
          Action   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
          Resource = [for alias in local.foundation_aliases : "arn:${local.partition}:kms:*:*:${alias}"]
        },
        {
          Sid      = "DenyVault"
          Effect   = "Deny"
          Action   = local.weakening
          Resource = flatten([for arn in local.vault_arns : [arn, "${arn}/*"]])
        },
        {
          Sid      = "DenyEvidence"
          Effect   = "Deny"
          Action   = "s3:PutObject"
          Resource = flatten([for arn in local.vault_arns : [for prefix in local.evidence_prefixes : "${arn}/${prefix}/*"]])
        },
        {
          Sid      = "DenyImagePush"
          Effect   = "Deny"
          Action   = local.pushing
          Resource = "*"
        },
        {
          Sid      = "DenyWatching"
          Effect   = "Deny"
          Action   = local.watching
          Resource = "*"
        },
      ],
      [for arn in compact([lookup(local.bucket_arns, "pulumi", "")]) : {
        Sid      = "DenyStateOfFoundation"
        Effect   = "Deny"
        Action   = ["s3:DeleteObject", "s3:PutObject"]
        Resource = [for name in var.foundation_stacks : "${arn}/.pulumi/*/${name}*"]
      }],
      local.evidence_id == local.account_id ? [] : [{
        Sid      = "DenyKeysOfEvidence"
        Effect   = "Deny"
        Action   = local.taking_keys
        Resource = "arn:${local.partition}:kms:*:${local.evidence_id}:key/*"
      }],
    )
    foundation = [
      {
        Sid      = "AtMost"
        Effect   = "Allow"
        Action   = [for service in local.actions.services.foundation : "${service}:*"]
        Resource = "*"
      },
      {
        Sid      = "DenyOwnRoleAndBoundary"
        Effect   = "Deny"
        Action   = concat(local.writing_identity, ["iam:PassRole"])
        Resource = ["${local.iam}:policy/interlock/deploy/*", "${local.any_role}/deploy/*"]
      },
      {
        # Its own role in the environment's other account is the only one that it goes on to.
        Sid         = "DenyBecomingOthers"
        Effect      = "Deny"
        Action      = "sts:AssumeRole"
        NotResource = "${local.any_role}/deploy/${local.name}-foundation"
      },
      {
        Sid      = "DenyPeople"
        Effect   = "Deny"
        Action   = local.writing_identity
        Resource = local.people
      },
      {
        Sid      = "DenySigning"
        Effect   = "Deny"
        Action   = ["iam:DeleteRolePermissionsBoundary", "kms:CreateGrant", "kms:GenerateMac", "kms:Sign"]
        Resource = "*"
      },
      {
        Sid       = "DenyRolesWithoutBoundary"
        Effect    = "Deny"
        Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        Resource  = "${local.iam}:role/interlock/duties/*"
        Condition = { ArnNotLike = { "iam:PermissionsBoundary" = "${local.iam}:policy/interlock/boundaries/*" } }
      },
      {
        Sid      = "DenyRemovingEvidence"
        Effect   = "Deny"
        Action   = ["s3:BypassGovernanceRetention", "s3:DeleteObject*", "s3:PutObject", "s3:PutObjectLegalHold"]
        Resource = [for arn in local.vault_arns : "${arn}/*"]
      },
      {
        Sid      = "DenyWatching"
        Effect   = "Deny"
        Action   = local.watching
        Resource = "*"
      },
    ]
  }

  workload_statements = [
    {
      Sid      = "AtMost"
      Effect   = "Allow"
      Action   = [for service in local.actions.services.workload : "${service}:*"]
      Resource = "*"
    },
    {
      Sid    = "DenyIdentityAndSigning"
      Effect = "Deny"
      Action = [
        "kms:GenerateMac", "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:ScheduleKeyDeletion", "kms:Sign",
        "kms:DisableKey",
      ]
      Resource = "*"
    },
    {
      Sid      = "DenyVault"
      Effect   = "Deny"
      Action   = local.weakening
      Resource = flatten([for arn in local.vault_arns : [arn, "${arn}/*"]])
    },
    {
      Sid      = "DenyImagePush"
      Effect   = "Deny"
      Action   = local.pushing
      Resource = "*"
    },
  ]
}

resource "aws_iam_policy" "boundary" {
  for_each = local.boundary_statements

  name        = "${local.name}-${each.key}"
  path        = local.boundary_path
  description = "What the deploy role of the ${each.key} layer may have at most"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })
  tags        = local.tags

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(jsonencode({ Version = "2012-10-17", Statement = each.value })) <= 6144
      error_message = "The boundary of the ${each.key} layer has ${length(jsonencode({ Version = "2012-10-17", Statement = each.value }))} characters; a managed policy has 6144 at most. Name fewer or shorter vault_bucket_names and foundation_stacks."
    }
  }
}

resource "aws_iam_policy" "workload" {
  name        = "${local.name}-workload"
  path        = local.boundary_path
  description = "What a role that the platform makes may have at most"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.workload_statements })
  tags        = local.tags

  lifecycle {
    prevent_destroy = true
  }
}
