"""Whether a function's own policy lets a service invoke it (pure).

Source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import NotModelled, PolicyError, PolicyKind
from interlock.duties.evaluator.request import Layers, Request
from interlock.duties.evaluator.request import service as acting_service
from rehearsal.cloud.authorization.documents import read


def lets_service_invoke(
    statements: Iterable[Mapping[str, Any]], service: str, source_arn: str, source_account: str, function_arn: str
) -> bool:
    """Return whether `service` may invoke the function on behalf of the resource `source_arn` of `source_account`.

    A policy that cannot be evaluated lets nobody in.
    """
    written = list(statements)
    if not written:
        return False
    document = json.dumps({"Version": "2012-10-17", "Statement": written})
    values = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_account}
    request = Request(acting_service(service), "lambda:InvokeFunction", function_arn, values)
    try:
        return decide(request, Layers(resource=read(document, PolicyKind.RESOURCE, function_arn))).allowed
    except (NotModelled, PolicyError):
        return False
