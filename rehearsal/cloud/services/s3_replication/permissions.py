"""Whether S3 may replicate: the role it takes on, and what that role may do at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from moto.s3.models import FakeBucket

from interlock.duties.evaluator.request import service
from rehearsal.cloud.authorization.assuming import decide_service
from rehearsal.cloud.authorization.deciding import caller_values
from rehearsal.cloud.authorization.layers import role_of
from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.callers import session_of

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_SERVICE = "s3.amazonaws.com"
_SESSION = "s3-replication"


def refusal(cloud: CloudContext, role_arn: str, source: FakeBucket, needs: Sequence[Need]) -> str | None:
    """Return why S3 cannot take on the role for `source`, or what the role may not do; None if it may do all."""
    role = role_of(role_arn)
    if role is None:
        return "AssumeRoleNotPermitted: the role does not exist"
    # Neither aws:SourceArn nor aws:SourceAccount: AWS does not document that S3 sends them when it replicates.
    if not decide_service(cloud, service(_SERVICE), role, _SESSION, tells_source=False).allowed:
        return f"AssumeRoleNotPermitted: the role does not let {_SERVICE} assume it"
    session = session_of(role_arn, _SESSION)
    values = {**caller_values(session, "s3", source.region_name, cloud.now()), "s3:tlsversion": "1.3"}
    refused = (cloud.authorizer.refusal_of_need(need, session, values) for need in needs)
    return next((one for one in refused if one is not None), None)
