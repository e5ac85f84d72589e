"""One invocation: from the request to a model server and back, and what is measured on the way."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3

from rehearsal.cloud.services.sagemaker_runtime import answers
from rehearsal.cloud.services.sagemaker_runtime.answers import Answer
from rehearsal.cloud.services.sagemaker_runtime.routing import pick

if TYPE_CHECKING:
    from rehearsal.cloud.services.sagemaker.endpoints import Endpoint, Variant

MODEL_SECONDS = 60.0
"""How long a model may take to answer; SageMaker documents 60 seconds."""

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_LONGEST_ATTRIBUTES = 1024
# SageMaker strips all other headers of a request.
_FORWARDED = ("Content-Type", "Accept", ATTRIBUTES, "X-Amzn-SageMaker-Inference-Id")


@dataclass(frozen=True)
class Invocation:
    """What a caller sent."""

    account_id: str
    region: str
    endpoint_name: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Measurement:
    """What one invocation of a variant counts in CloudWatch; times in microseconds.

    `status` is what the model answered, 0 if nothing; `model_latency` is None if no model was asked; `resolution` is
    how often metrics are published, in seconds.
    """

    variant: Variant
    status: int
    model_latency: float | None
    overhead_latency: float
    resolution: int


class Invoker:
    """Answers invocations. `seed` makes the sequence of variants repeatable."""

    def __init__(self, record: Callable[[Invocation, Measurement], None], seed: int | None = None) -> None:
        self._record = record
        self._random = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()

    def invoke(self, invocation: Invocation, endpoint: Endpoint | None) -> Answer:
        """Return the answer to an invocation of `endpoint`, which is None if nobody knows that name."""
        began = time.perf_counter()
        if len(invocation.body) > answers.LARGEST_BODY:
            return answers.too_large()
        if endpoint is None or not endpoint.serves:
            return answers.validation_error(
                f"Endpoint {invocation.endpoint_name} of account {invocation.account_id} not found."
            )
        refused = _refused(invocation)
        if refused is not None:
            return refused
        while True:
            variant = self._variant(invocation, endpoint)
            if isinstance(variant, Answer):
                return variant
            instance = variant.fleet.choose()
            # An update may have stopped the variant between the two lines above; then another one serves already.
            if instance is not None or not variant.fleet.stopped:
                break
            if not endpoint.serves:
                return answers.unavailable(endpoint.name, variant.name)
        if instance is None:
            self._record(invocation, Measurement(variant, 503, None, _microseconds(began), endpoint.metric_seconds))
            return answers.unavailable(endpoint.name, variant.name)
        asked = time.perf_counter()
        try:
            status, answer = self._ask(invocation, variant, instance.invoke)
        finally:
            variant.fleet.done(instance)
        latency = _microseconds(asked)
        overhead = max(0.0, _microseconds(began) - latency)
        self._record(invocation, Measurement(variant, status, latency, overhead, endpoint.metric_seconds))
        return answer

    def _variant(self, invocation: Invocation, endpoint: Endpoint) -> Variant | Answer:
        target = invocation.headers.get("X-Amzn-SageMaker-Target-Variant")
        if target:
            named = endpoint.variant(target)
            return named if named is not None else answers.validation_error(f"Variant {target} not found for Request")
        variants = endpoint.variants
        with self._lock:
            draw = self._random.random()
        position = pick([variant.current_weight for variant in variants], draw)
        if position is None:
            return answers.validation_error(
                f"Endpoint {endpoint.name} of account {invocation.account_id} has no variant with a weight above zero."
            )
        return variants[position]

    def _ask(
        self,
        invocation: Invocation,
        variant: Variant,
        send: Callable[[bytes, Mapping[str, str], float], urllib3.BaseHTTPResponse],
    ) -> tuple[int, Answer]:
        headers = {name: invocation.headers[name] for name in _FORWARDED if name in invocation.headers}

        def failed(status: int, message: str) -> Answer:
            return answers.model_error(
                status, message, invocation.endpoint_name, invocation.account_id, invocation.region
            )

        try:
            response = send(invocation.body, headers, MODEL_SECONDS)
        except urllib3.exceptions.ReadTimeoutError:
            return 0, failed(0, answers.TIMED_OUT)
        except urllib3.exceptions.HTTPError as problem:
            return 0, failed(0, f"The container closed the connection: {type(problem).__name__}")
        if not 200 <= response.status < 300:
            return response.status, failed(response.status, response.data.decode(errors="replace"))
        said = {
            "Content-Type": response.headers.get("Content-Type", "application/octet-stream"),
            "x-Amzn-Invoked-Production-Variant": variant.name,
        }
        if attributes := response.headers.get(ATTRIBUTES):
            said[ATTRIBUTES] = attributes
        return response.status, Answer(200, response.data, said)


def _refused(invocation: Invocation) -> Answer | None:
    """Return the refusal of headers that this kind of endpoint does not take."""
    name, headers = invocation.endpoint_name, invocation.headers
    if headers.get("X-Amzn-SageMaker-Target-Model"):
        return answers.validation_error(
            f"Endpoint {name} is not a multi-model endpoint and does not support target model header."
        )
    if headers.get("X-Amzn-SageMaker-Inference-Component"):
        return answers.validation_error(f"Endpoint {name} has no inference components.")
    attributes = headers.get(ATTRIBUTES, "")
    if len(attributes) > _LONGEST_ATTRIBUTES:
        return answers.validation_error(
            "1 validation error detected: Value at 'customAttributes' failed to satisfy constraint: Member must have "
            f"length less than or equal to {_LONGEST_ATTRIBUTES}"
        )
    return None


def _microseconds(since: float) -> float:
    return (time.perf_counter() - since) * 1e6
