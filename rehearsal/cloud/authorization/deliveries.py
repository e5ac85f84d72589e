"""Whether an AWS service that acts for itself may do something with a bucket: the bucket's policy alone says."""

from __future__ import annotations

from dataclasses import replace

from moto.s3.models import FakeBucket

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import Effect, NotModelled, Policy, PolicyError, PolicyKind
from interlock.duties.evaluator.request import Layers, Principal, Request
from rehearsal.cloud.authorization.documents import document_text, read


def admits(bucket: FakeBucket, principal: Principal, action: str, resource: str, source_arn: str | None) -> bool:
    """Return whether a bucket's policy lets a service do `action` on behalf of the resource `source_arn`.

    Where it is not known yet on whose behalf (None), what is allowed under conditions counts as allowed. A policy
    that cannot be evaluated admits nobody.
    """
    values = {
        "aws:securetransport": "true",
        "s3:tlsversion": "1.3",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    if source_arn is not None:
        values |= {"aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4]}
    request = Request(principal, action, resource, values, resource_account=bucket.account_id)
    try:
        policy = read(document_text(bucket.policy), PolicyKind.RESOURCE, f"policy of {bucket.arn}")
    except (NotModelled, PolicyError):
        return False
    return decide(request, Layers(resource=policy if source_arn is not None else _unconditionally(policy))).allowed


def _unconditionally(policy: Policy) -> Policy:
    return replace(
        policy,
        statements=tuple(
            replace(statement, condition=()) if statement.effect is Effect.ALLOW else statement
            for statement in policy.statements
        ),
    )
