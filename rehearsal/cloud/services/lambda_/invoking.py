"""The Invoke operation, and how moto's record of a function is read for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto.awslambda.responses import LambdaResponse

from rehearsal.cloud.errors import json_error
from rehearsal.cloud.services.lambda_ import states
from rehearsal.cloud.services.lambda_.fleet import Fleet, Throttled
from rehearsal.cloud.services.lambda_.records import FunctionSpec
from rehearsal.cloud.services.lambda_.runtime_api import Invocation

_LARGEST_REQUEST = {"RequestResponse": 6 * 1024 * 1024, "DryRun": 6 * 1024 * 1024, "Event": 1024 * 1024}
Answer = tuple[int, dict[str, str], str | bytes]


class Invoker:
    """Answers Invoke. Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def answer(self, response: LambdaResponse) -> Answer:
        """Return status, headers and body."""
        name = response.path.split("/functions/", 1)[1].rsplit("/invocations", 1)[0]
        function = response.backend.get_function(unquote(name), response._get_param("Qualifier"))
        kind = response.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        body = _body(response)
        _check(kind, body)
        states.demand_active(function)
        if function.package_type != "Image":
            raise NotImplementedError(f"Invoke of {function.function_name}, which is no container image")
        spec, arn = spec_of(function), str(function.function_arn)
        headers = {"X-Amz-Executed-Version": spec.version, "content-type": "application/json"}
        if kind == "DryRun":
            return 204, {**headers, "status": "204"}, ""
        if kind == "Event":
            self._fleet.invoke_later(
                spec, lambda: Invocation(str(uuid4()), arn, body), reserved(function), retries(function)
            )
            return 202, {**headers, "status": "202"}, ""
        try:
            outcome = self._fleet.invoke(spec, Invocation(str(uuid4()), arn, body), reserved(function))
        except Throttled as throttled:
            self._fleet.throttle(spec)
            return _throttled(str(throttled))
        if outcome.error:
            headers["X-Amz-Function-Error"] = outcome.error
        if response.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = outcome.log_tail
        return 200, headers, outcome.payload


def spec_of(function: Any) -> FunctionSpec:
    """Return what an environment of moto's function runs."""
    network = function._vpc_config or {}
    return FunctionSpec(
        account_id=function.account_id,
        region=function.region,
        name=function.function_name,
        version=str(function.version),
        arn=plain_arn(function),
        image=str(function.code.get("ImageUri", "")),
        entry_point=tuple(function.image_config.entry_point or ()),
        command=tuple(function.image_config.cmd or ()),
        environment=dict(function.environment_vars or {}),
        role_arn=function.role,
        memory_mb=int(function.memory_size),
        timeout=float(function.timeout),
        log_group=log_group(function),
        subnet_ids=tuple(network.get("SubnetIds") or ()),
        security_group_ids=tuple(network.get("SecurityGroupIds") or ()),
    )


def plain_arn(function: Any) -> str:
    """Return the function's ARN without a qualifier."""
    return ":".join(str(function.function_arn).split(":")[:7])


def log_group(function: Any) -> str:
    """Return where the function's log goes."""
    return f"/aws/lambda/{function.function_name}"


def reserved(function: Any) -> int | None:
    """Return the function's reserved concurrency, None if it has none of its own."""
    return None if function.reserved_concurrency is None else int(function.reserved_concurrency)


def revision(function: Any, told: Mapping[str, Any]) -> str:
    """Return an id that changes with each change of the function."""
    words = json.dumps([plain_arn(function), dict(told)], sort_keys=True, default=str)
    digits = hashlib.sha256(words.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def apply(function: Any, changes: Mapping[str, Any]) -> None:
    """Take over what moto's own update of a configuration leaves out."""
    if "ImageConfig" in changes:
        given = changes["ImageConfig"] or {}
        function.image_config.cmd = given.get("Command", [])
        function.image_config.entry_point = given.get("EntryPoint", [])
        function.image_config.working_directory = given.get("WorkingDirectory")
    if "KMSKeyArn" in changes:
        function.kms_key_arn = changes["KMSKeyArn"] or None
    if "TracingConfig" in changes:
        function.tracing_config = changes["TracingConfig"]
    if "EphemeralStorage" in changes:
        function.ephemeral_storage = changes["EphemeralStorage"]["Size"]


def _body(response: LambdaResponse) -> bytes:
    body = response.body
    return body if isinstance(body, bytes) else str(body or "").encode()


def _check(kind: str, body: bytes) -> None:
    if kind not in _LARGEST_REQUEST:
        raise json_error("InvalidParameterValueException", f"Unsupported invocation type: {kind}")
    if len(body) > _LARGEST_REQUEST[kind]:
        raise json_error(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {_LARGEST_REQUEST[kind]} bytes for the InvokeFunction operation",
            413,
        )
    try:
        json.loads(body or b"{}")
    except ValueError as problem:
        raise json_error(
            "InvalidRequestContentException", f"Could not parse request body into json: {problem}"
        ) from problem


def retries(function: Any) -> int:
    for configured in function.event_invoke_config:
        if "MaximumRetryAttempts" in configured.config:
            return int(configured.config["MaximumRetryAttempts"])
    return 2


def _throttled(reason: str) -> Answer:
    body = {"Type": "User", "Reason": reason, "message": "Rate Exceeded."}
    headers = {"x-amzn-errortype": "TooManyRequestsException", "status": "429", "content-type": "application/json"}
    return 429, headers, json.dumps(body)
