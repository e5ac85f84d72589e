"""Who pulls and pushes images of a repository of another account, and that no tag ever means another image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import Statement, account_roots, document, statement

PULLING: Final = (
    "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:DescribeImages",
)  # fmt: skip
STORING: Final = ("ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
"""What adds to a repository."""
PUSHING: Final = (
    *STORING,
    "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:DescribeImages",
)  # fmt: skip
"""A push asks which layers and manifests are there already, and a publisher which digest its tag names.

Source: Amazon ECR User Guide, "IAM permissions for pushing an image to an Amazon ECR private repository".
"""
PULLING_FUNCTIONS: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
UNFASTENING: Final = ("ecr:PutImageTagMutability", "ecr:DeleteRepository", "ecr:BatchDeleteImage")
"""What makes a tag mean another image, or takes away one that serves."""

REGISTRY: Final = (
    "ecr:DeleteRegistryPolicy", "ecr:PutRegistryPolicy", "ecr:PutReplicationConfiguration",
    "ecr:CreatePullThroughCacheRule", "ecr:UpdatePullThroughCacheRule", "ecr:BatchImportUpstreamImage",
    "ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate",
)  # fmt: skip
"""What lets images of others into all repositories of an account and region, or takes them elsewhere."""


def repository_policy(
    administrators: Sequence[str],
    shared_with: Sequence[str],
    publishers: Sequence[str],
    functions_of: Sequence[str] = (),
) -> str:
    """Return the policy of a repository whose images the accounts `shared_with` pull, as their IAM policies say.

    `publishers` are ARNs of the principals of other accounts who alone push; without them, the IAM policies of those
    accounts decide. `administrators` are ARNs of the only principals who may delete images or let
    tags move. The lifecycle of untagged images is ECR's own and needs no permission. For functions of the accounts
    `functions_of` AWS Lambda pulls: it does so in its own name.
    Sources: Amazon ECR User Guide, "Private repository policies"; AWS Lambda Developer Guide, "Amazon ECR cross-account
    permissions".
    """
    pushers = {"AWS": list(publishers)} if publishers else account_roots(shared_with) if shared_with else None
    return document(
        *([statement("ShareImages", "Allow", PULLING, principal=account_roots(shared_with))] if shared_with else []),
        *([statement("Publish", "Allow", PUSHING, principal=pushers)] if pushers else []),
        *([_pulled_by_functions(functions_of)] if functions_of else []),
        statement(
            "DenyUnfastening", "Deny", UNFASTENING,
            principal="*", conditions={"ArnNotLike": {"aws:PrincipalArn": list(administrators)}},
        ),
    )  # fmt: skip


def _pulled_by_functions(account_ids: Sequence[str]) -> Statement:
    functions = [f"arn:aws:lambda:*:{account_id}:function:*" for account_id in account_ids]
    return statement(
        "PullForFunctions", "Allow", PULLING_FUNCTIONS,
        principal={"Service": "lambda.amazonaws.com"}, conditions={"ArnLike": {"aws:SourceArn": functions}},
    )  # fmt: skip
