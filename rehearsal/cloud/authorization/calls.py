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
from xml.etree.ElementTree import ParseError

from botocore.exceptions import UnknownServiceError
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model, service_name_from_moto_package_name
from werkzeug.exceptions import HTTPException

from rehearsal.cloud.authorization.readings import Unreadable, demand_one_reading, uncompress
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
    **dict.fromkeys(
        (
            "budgets:CreateBudget", "budgets:UpdateBudget", "budgets:DeleteBudget", "budgets:CreateNotification",
            "budgets:UpdateNotification", "budgets:DeleteNotification", "budgets:CreateSubscriber",
            "budgets:UpdateSubscriber", "budgets:DeleteSubscriber",
        ),
        "budgets:ModifyBudget",
    ),
    **dict.fromkeys(
        (
            "budgets:DescribeBudget", "budgets:DescribeBudgets", "budgets:DescribeNotificationsForBudget",
            "budgets:DescribeSubscribersForNotification",
        ),
        "budgets:ViewBudget",
    ),
}  # fmt: skip
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
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the path of the request says."""

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


def call_of(environ: Environ, backend: str, home_region: str) -> Call:
    """Return what a request to a moto backend asks for. Raises Unreadable if it is not exactly one operation.

    A compressed body is put uncompressed into `environ`, so that the backend reads what was read here.
    """
    try:
        model_name = _model_name(backend)
        model = get_service_model(model_name)
    except UnknownServiceError as problem:
        raise Unreadable("rest-xml", "UnknownOperationException", f"No service here is called {backend}.") from problem
    protocol = str(model.protocol)
    body = environ["wsgi.input"]
    try:
        # What a REST service gets may be an object: its type and its compression tell nothing of the protocol.
        is_rest = protocol.startswith("rest")
        if not is_rest:
            protocol = determine_request_protocol(model, environ.get("CONTENT_TYPE"))
            uncompress(environ)
            body = environ["wsgi.input"]
        request = Request({**environ, "CONTENT_TYPE": ""} if is_rest else _in_full(environ, model.metadata))
        # Kept whole: moto reads the body again.
        request.get_data(cache=True, parse_form_data=False)
        body.seek(0)
        operation, labels = get_service_router(model_name).match(request)
        demand_one_reading(request, operation, protocol)
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
    except (HTTPException, NotImplementedError) as problem:
        code = "InvalidAction" if protocol in ("query", "ec2") else "UnknownOperationException"
        code = "MethodNotAllowed" if model_name == "s3" else code
        raise Unreadable(protocol, code, f"The request names no operation of {model_name}.") from problem
    except (LookupError, ValueError, TypeError, AttributeError, RequestParserError, ParseError) as problem:
        code = "MalformedQueryString" if protocol in ("query", "ec2") else "SerializationException"
        raise Unreadable(protocol, code, f"The request cannot be read: {problem}") from problem
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
        labels,
    )


def _in_full(environ: Environ, metadata: Mapping[str, Any]) -> Environ:
    """Return a copy of a request whose target is written as the model has it; SDKs leave out where a service's name is.

    CloudTrail's is `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.<operation>` to botocore, and from its
    last but one part on to the SDK for Go; the service takes both.
    """
    prefix, _, name = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")
    whole = str(metadata.get("targetPrefix", ""))
    return {**environ, "HTTP_X_AMZ_TARGET": f"{whole}.{name}"} if prefix == whole.rpartition(".")[2] else environ.copy()


@cache
def _model_name(backend: str) -> str:
    return _MODELS.get(backend) or str(service_name_from_moto_package_name(backend))
