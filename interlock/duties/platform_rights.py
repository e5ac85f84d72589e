"""What `pulumi up` and `destroy` of the layer platform call, service by service, as they were recorded."""

from __future__ import annotations

from typing import Final

from interlock.duties.landscape import MANIFEST_PREFIX
from interlock.duties.rights import Kind, Right

PASSED_TO: Final = (
    "ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "s3.amazonaws.com", "sagemaker.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)  # fmt: skip
"""The services that the platform makes roles for."""

PLATFORM_RIGHTS: Final = (
    Right(
        "KeepServiceRoles",
        ("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
         "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PutRolePolicy",
         "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy"),
        Kind.SERVICE_ROLE,
    ),
    Right(
        "HandOverServiceRoles", ("iam:PassRole",), Kind.SERVICE_ROLE,
        conditions={"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
    ),
    Right("PublishManifest", ("s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging"),
          Kind.STAGED, MANIFEST_PREFIX),
    Right("EncryptManifest", ("kms:GenerateDataKey", "kms:Decrypt"), Kind.EVIDENCE_KEY),
    Right("PointToManifest", ("ssm:PutParameter", "ssm:GetParameter", "ssm:DeleteParameter", "ssm:AddTagsToResource",
                              "ssm:ListTagsForResource"), Kind.PARAMETER),
    Right("MakeNetworks", ("ec2:CreateVpc",), Kind.NETWORK),
    Right("MakeDatabases", ("rds:CreateDBInstance",), Kind.DATABASES),
    Right("MakeEndpoints", ("sagemaker:CreateEndpoint",), Kind.SERVING),
)  # fmt: skip
