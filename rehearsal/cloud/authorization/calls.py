"""What a request asks for: an operation of an AWS service and its parameters, as the service's own model reads them.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model, service_name_from_moto_package_name
from werkzeug.exceptions import HTTPException

from rehearsal.cloud.listener import Environ

_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]*)/([^/]+)/aws4_request")
_MODELS = {"awslambda": "lambda", "access-analyzer": "accessanalyzer", "elb": "elbv2"}
"""What botocore calls a service where moto's name for it does not tell."""
_PREFIXES = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "tagging": "tag",
    "execute-api": "apigateway",
}
"""The prefix of a service's actions where it is not the name that its requests are signed with."""
_RENAMED = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
}
"""Actions that are not called what their operation is."""


@dataclass(frozen=True)
class Call:
    """`action` is the IAM action that the operation is called after; `parameters` are by the model's names."""

    action: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    source_ip: str
    user_agent: str = ""
    protocol: str = field(default="json")

    @property
    def service(self) -> str:
        """The prefix of the service's actions."""
        return self.action.partition(":")[0]


@dataclass(frozen=True)
class Signed:
    """Whose access key signed a request and for which region; empty for a request that nobody signed."""

    access_key_id: str
    region: str


def signed(environ: Environ) -> Signed:
    """Return who says to have signed a request, in a header or in the query."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    scope = _SCOPE.search(header) or _SCOPE.search(f"Credential={query.get('X-Amz-Credential', [''])[0]}")
    if scope is not None:
        return Signed(scope[1], scope[2])
    return Signed(query.get("AWSAccessKeyId", [""])[0], "")


def call_of(environ: Environ, backend: str, home_region: str) -> Call | None:
    """Return what a request to a moto backend asks for, None if the service's model knows no such operation."""
    model_name = _model_name(backend)
    body = environ["wsgi.input"]
    try:
        request = Request(environ.copy())
        # Kept whole: moto reads the body again.
        request.get_data(cache=True, parse_form_data=False)
        body.seek(0)
        model = get_service_model(model_name)
        operation, labels = get_service_router(model_name).match(request)
        protocol = determine_request_protocol(model, request.content_type)
        parameters = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": labels,
            }
        )
    except (HTTPException, KeyError, ValueError, NotImplementedError):
        return None
    finally:
        body.seek(0)
    signing_name = str(model.signing_name)
    action = f"{_PREFIXES.get(signing_name, signing_name)}:{operation.name}"
    return Call(
        _RENAMED.get(action, action),
        str(operation.name),
        parameters,
        signed(environ).region or home_region,
        str(environ.get("REMOTE_ADDR", "127.0.0.1")),
        str(environ.get("HTTP_USER_AGENT", "")),
        protocol,
    )


@cache
def _model_name(backend: str) -> str:
    return _MODELS.get(backend) or str(service_name_from_moto_package_name(backend))
