"""Who pulls images from a repository of another account, and that none of them is ever another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import account_roots, document, statement

PULLING: Final = (
    "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:DescribeImages",
)  # fmt: skip
UNFASTENING: Final = ("ecr:PutImageTagMutability", "ecr:DeleteRepository", "ecr:BatchDeleteImage")
"""What makes a tag mean another image, or takes away one that serves."""


def repository_policy(administrators: Sequence[str], pullers: Sequence[str]) -> str:
    """Return the policy of a repository whose images the accounts `pullers` pull, as their IAM policies say.

    `administrators` are ARNs (patterns with *) of the only principals who may delete images or let tags move. The
    lifecycle of untagged images is ECR's own and needs no permission.
    Source: Amazon ECR User Guide, "Private repository policies".
    """
    pull = [statement("ShareImages", "Allow", PULLING, principal=account_roots(pullers))] if pullers else []
    return document(
        *pull,
        statement(
            "DenyUnfastening", "Deny", UNFASTENING,
            principal="*", conditions={"ArnNotLike": {"aws:PrincipalArn": list(administrators)}},
        ),
    )  # fmt: skip
