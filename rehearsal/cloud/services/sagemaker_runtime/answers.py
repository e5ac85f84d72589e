"""What SageMaker's runtime answers: the model's response, or an error in its own words.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST_BODY = 6_291_456
"""Bytes of a request; the maximum length of `Body` in the API's description."""

TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def too_large() -> Answer:
    """Refuse a body over the limit, as the HTTP front of the service does: with a status and no error type."""
    return _json(413, {"message": f"HTTP content length exceeded {LARGEST_BODY} bytes."})


def validation_error(message: str) -> Answer:
    """Refuse a request that no model sees."""
    return _error(400, "ValidationError", {"Message": message})


def unavailable(endpoint: str, variant: str) -> Answer:
    """Answer for a variant none of whose instances is healthy."""
    message = f"No instance of variant {variant} of endpoint {endpoint} is able to handle the request."
    return _error(503, "ServiceUnavailable", {"Message": message})


def model_error(status: int, message: str, endpoint: str, account_id: str, region: str) -> Answer:
    """Answer for a model that did not answer with 2xx; status 0 stands for one that did not answer at all."""
    kind = "client" if 400 <= status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    log = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    return _error(
        424,
        "ModelError",
        {
            "Message": (
                f'Received {kind} error ({status}) from primary with message "{message}". See {log} in account '
                f"{account_id} for more information."
            ),
            "OriginalStatusCode": status,
            "OriginalMessage": message,
            "LogStreamArn": f"arn:aws:logs:{region}:{account_id}:log-group:{group}",
        },
    )


def _error(status: int, kind: str, members: Mapping[str, Any]) -> Answer:
    answer = _json(status, members)
    return Answer(answer.status, answer.body, {**answer.headers, "x-amzn-ErrorType": kind})


def _json(status: int, members: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(members).encode(), {"Content-Type": "application/json"})
