"""The form of a policy document, and the statements that several documents share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]
Principal = Literal["*"] | Mapping[str, str | Sequence[str]]
Statement = dict[str, Any]


def statement(
    sid: str,
    effect: Literal["Allow", "Deny"],
    actions: Sequence[str],
    resources: Sequence[str] = (),
    *,
    principal: Principal | None = None,
    conditions: Conditions | None = None,
) -> Statement:
    """Return one statement; `principal` is given in policies of a resource, `resources` left out in trust policies."""
    return {
        "Sid": sid,
        "Effect": effect,
        **({"Principal": principal} if principal is not None else {}),
        "Action": _plain(actions),
        **({"Resource": _plain(resources)} if resources else {}),
        **({"Condition": {key: dict(value) for key, value in conditions.items()}} if conditions else {}),
    }


def document(*statements: Statement) -> str:
    """Return the policy document of `statements` as JSON.

    Source: IAM User Guide, "Grammar of the IAM JSON policy language".
    """
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def account_root(account_id: str, partition: str = "aws") -> Principal:
    """Return the principal that stands for an account's own IAM policies."""
    return {"AWS": f"arn:{partition}:iam::{account_id}:root"}


def account_roots(account_ids: Sequence[str]) -> Principal:
    """Return the principal that stands for the IAM policies of several accounts, each of which decides for its own."""
    return {"AWS": _plain([f"arn:aws:iam::{account_id}:root" for account_id in account_ids])}


def deny_plain_transport(bucket_arn: str) -> Sequence[Statement]:
    """Return the statements that refuse a bucket's use without TLS, or with a TLS older than 1.2."""
    resources = [bucket_arn, f"{bucket_arn}/*"]
    return [
        statement(
            "DenyPlainTransport", "Deny", ["s3:*"], resources,
            principal="*", conditions={"Bool": {"aws:SecureTransport": "false"}},
        ),
        statement(
            "DenyOldTls", "Deny", ["s3:*"], resources,
            principal="*", conditions={"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        ),
    ]  # fmt: skip


def _plain(values: Sequence[str]) -> str | list[str]:
    # AWS gives a list of one back as a string, and a comparison of texts would then see a change.
    return values[0] if len(values) == 1 else list(values)
