"""What the foundation needs to own duties' roles, keys, vault and images; as its `pulumi up` calls AWS."""

from __future__ import annotations

from typing import Final

from interlock.duties.duty import Role
from interlock.duties.landscape import LEDGER_ROLES
from interlock.duties.repository_policy import PULLING, PUSHING
from interlock.duties.rights import Kind, Right

REPLICATING: Final = "replication.ecr.amazonaws.com"
"""The service principal whose service-linked role copies images into the other region."""
FUNCTIONS: Final = "lambda.amazonaws.com"
RULES: Final = (
    "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule",
    "events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource",
)  # fmt: skip
TOPICS: Final = (
    "sns:CreateTopic", "sns:GetTopicAttributes", "sns:ListTagsForResource", "sns:SetTopicAttributes",
    "sns:Subscribe", "sns:TagResource", "sns:UntagResource",
)  # fmt: skip

_LEDGERS_FUNCTIONS: Final = (
    *(
        Right(f"HandOver{role.value.capitalize()}", ("iam:PassRole",), Kind.LEDGER_ROLE, role.value,
              conditions={"StringEquals": {"iam:PassedToService": FUNCTIONS}})
        for role in LEDGER_ROLES
    ),
    Right(
        "KeepLedgersFunctions",
        ("lambda:AddPermission", "lambda:CreateFunction", "lambda:GetFunction", "lambda:GetPolicy",
         "lambda:ListVersionsByFunction", "lambda:PutFunctionConcurrency", "lambda:RemovePermission",
         "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode",
         "lambda:UpdateFunctionConfiguration"),
        Kind.LEDGER_FUNCTION,
    ),
    Right(
        "KeepLedgersLogs",
        ("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:ListTagsForResource", "logs:PutRetentionPolicy",
         "logs:TagResource", "logs:UntagResource"),
        Kind.LEDGER_LOG_GROUP,
    ),
    Right("SeeLogs", ("logs:DescribeLogGroups",), Kind.ANY),
    Right("KeepLedgersRules", RULES, Kind.LEDGER_RULE),
    Right(
        "KeepLedgersAlarms",
        ("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm",
         "cloudwatch:TagResource", "cloudwatch:UntagResource"),
        Kind.LEDGER_ALARM,
    ),
    Right("KeepLedgersTopics", TOPICS, Kind.LEDGER_TOPIC),
    Right("UseLedgersKey", ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"), Kind.LEDGER_KEY),
    # Lambda decrypts a function's settings by a grant that it makes in the name of who says them.
    Right("LendLedgersKey", ("kms:CreateGrant",), Kind.LEDGER_KEY,
          conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
)  # fmt: skip

FOUNDATION_RIGHTS: Final = (
    Right(
        "KeepDuties",
        ("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
         "iam:GetRole", "iam:GetRolePolicy",
         "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
         "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
         "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"),
        Kind.DUTY_ROLE, "*",
    ),
    Right(
        "KeepReplicationRoles",
        ("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
         "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
         "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
         "iam:UpdateAssumeRolePolicy"),
        Kind.REPLICATION_ROLE,
    ),
    Right("HandOverReplicationRoles", ("iam:PassRole",), Kind.REPLICATION_ROLE,
          conditions={"StringEquals": {"iam:PassedToService": "s3.amazonaws.com"}}),
    Right("LinkReplication", ("iam:CreateServiceLinkedRole",), Kind.SERVICE_LINKED_ROLE, REPLICATING,
          conditions={"StringEquals": {"iam:AWSServiceName": REPLICATING}}),
    # Into the stack's other account, where the same duty has the same role.
    Right("GoOn", ("sts:AssumeRole", "sts:SetSourceIdentity"), Kind.DUTY_ROLE, Role.FOUNDATION.value),
    Right(
        "KeepBoundaries",
        ("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
         "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions", "iam:TagPolicy",
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
         "s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration",
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
         "ecr:ListTagsForResource", "ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability",
         "ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy", "ecr:TagResource", "ecr:UntagResource",
         *PULLING, *PUSHING),
        Kind.REPOSITORY,
    ),
    Right(
        "ClaimReplication",
        ("ssm:AddTagsToResource", "ssm:GetParameter", "ssm:ListTagsForResource", "ssm:PutParameter",
         "ssm:RemoveTagsFromResource"),
        Kind.REPLICATION_CLAIM,
    ),
    Right("SeeParameters", ("ssm:DescribeParameters",), Kind.ANY),
    Right(
        "KeepAlarm",
        RULES,
        Kind.RULE, "break-glass",
    ),
    Right(
        "KeepAlarmsTopic",
        TOPICS,
        Kind.EMERGENCY_TOPIC,
    ),
    Right("KeepSubscriptions", ("sns:GetSubscriptionAttributes", "sns:Unsubscribe"), Kind.ANY),
    *_LEDGERS_FUNCTIONS,
)  # fmt: skip
