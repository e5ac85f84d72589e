"""What the foundation needs to own duties' roles, keys, vault and images; as its `pulumi up` calls AWS."""

from __future__ import annotations

from typing import Final

from interlock.duties.repository_policy import PULLING, PUSHING
from interlock.duties.rights import Kind, Right

FOUNDATION_RIGHTS: Final = (
    Right(
        "KeepDuties",
        ("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
         "iam:GetRole", "iam:GetRolePolicy",
         "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
         "iam:ListRoleTags", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
         "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
        Kind.DUTY_ROLE, "*",
    ),
    Right(
        "KeepBoundaries",
        ("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
         "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions", "iam:TagPolicy",
         "iam:UntagPolicy"),
        Kind.BOUNDARY,
    ),
    Right("MakeKeys", ("kms:CreateKey", "kms:ListAliases"), Kind.ANY),
    Right(
        "KeepKeys",
        ("kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
         "kms:GetKeyRotationStatus", "kms:GetPublicKey", "kms:ListResourceTags", "kms:PutKeyPolicy",
         "kms:ReplicateKey", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription"),
        Kind.KEYS,
    ),
    Right("NameKeys", ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"), Kind.ALIASES),
    Right(
        "KeepBuckets",
        ("s3:CreateBucket", "s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS",
         "s3:GetBucketLocation", "s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration",
         "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
         "s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetBucketWebsite",
         "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration",
         "s3:ListBucket", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls",
         "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning",
         "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration"),
        Kind.GUARDED,
    ),
    Right("EnterRegistry", ("ecr:GetAuthorizationToken", "ecr:DescribeRegistry", "ecr:PutReplicationConfiguration"),
          Kind.ANY),
    Right(
        "KeepRepositories",
        ("ecr:CreateRepository", "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy",
         "ecr:ListTagsForResource", "ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy", "ecr:TagResource",
         *PULLING, *PUSHING),
        Kind.REPOSITORY,
    ),
    Right(
        "KeepAlarm",
        ("events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule",
         "events:PutTargets", "events:RemoveTargets", "events:TagResource"),
        Kind.RULE, "break-glass",
    ),
)  # fmt: skip
