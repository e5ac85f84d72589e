"""Who pulls and pushes images of a repository of another account, and that no tag ever means another image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import account_roots, document, statement

PULLING: Final = (
    "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:DescribeImages",
)  # fmt: skip
PUSHING: Final = (
    "ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
)  # fmt: skip
UNFASTENING: Final = ("ecr:PutImageTagMutability", "ecr:DeleteRepository", "ecr:BatchDeleteImage")
"""What makes a tag mean another image, or takes away one that serves."""


def repository_policy(administrators: Sequence[str], shared_with: Sequence[str], publishers: Sequence[str]) -> str:
    """Return the policy of a repository whose images the accounts `shared_with` pull, as their IAM policies say.

    `publishers` are ARNs of the principals of other accounts who alone push; without them, the IAM policies of those
    accounts decide. `administrators` are ARNs (patterns with *) of the only principals who may delete images or let
    tags move. The lifecycle of untagged images is ECR's own and needs no permission.
    Source: Amazon ECR User Guide, "Private repository policies".
    """
    pushers = {"AWS": list(publishers)} if publishers else account_roots(shared_with) if shared_with else None
    return document(
        *([statement("ShareImages", "Allow", PULLING, principal=account_roots(shared_with))] if shared_with else []),
        *([statement("Publish", "Allow", PUSHING, principal=pushers)] if pushers else []),
        statement(
            "DenyUnfastening", "Deny", UNFASTENING,
            principal="*", conditions={"ArnNotLike": {"aws:PrincipalArn": list(administrators)}},
        ),
    )  # fmt: skip
