"""InvokeEndpoint in place of moto's, which asks no endpoint and answers from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from moto.core.common_types import TYPE_RESPONSE
from moto.core.request import Request
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.cloudwatch import CloudWatch
from rehearsal.cloud.services.sagemaker import SageMaker
from rehearsal.cloud.services.sagemaker_runtime import answers, metrics
from rehearsal.cloud.services.sagemaker_runtime.answers import Answer
from rehearsal.cloud.services.sagemaker_runtime.invocation import Invocation, Invoker, Measurement

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext


class SageMakerRuntime(Service):
    """Invocations overlap, however long a model thinks."""

    name: ClassVar[str] = "sagemaker-runtime"
    concurrent: ClassVar[frozenset[str]] = frozenset({"sagemakerruntime"})

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._invoker = Invoker(self._record)

    @correction(
        "sagemaker-runtime.invoke-endpoint",
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html",
    )
    def _invoke(self, patches: Patches) -> None:
        """An invocation goes to a model server by the live weights or the target it names, and is counted."""
        dispatch: Any = None

        def answer(
            response: SageMakerRuntimeResponse, request: Request, full_url: str | None = None, headers: Any = None
        ) -> TYPE_RESPONSE:
            if request.path.endswith("/invocations"):
                return _sent(self._answer(response, request))
            other: TYPE_RESPONSE = dispatch(response, request, full_url, headers)
            return other

        # In front of moto's parsing: a body is the model's business, and may look like a form or be no text at all.
        dispatch = patches.replace(SageMakerRuntimeResponse, "_dispatch", answer)

    @correction(
        "sagemaker-runtime.invoke-endpoint-async",
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html",
    )
    def _invoke_async(self, patches: Patches) -> None:
        """An endpoint without asynchronous inference takes no asynchronous invocation."""

        def invoke_endpoint_async(response: SageMakerRuntimeResponse) -> TYPE_RESPONSE:
            # No endpoint here has an AsyncInferenceConfig: the control plane refuses one.
            name = response.path.split("/")[2]
            refusal = answers.validation_error(f"Endpoint {name} is not an asynchronous inference endpoint.")
            status, headers, body = _sent(refusal)
            # Moto reads the status of an operation's answer from here.
            return status, {**headers, "status": str(status)}, body

        patches.replace(SageMakerRuntimeResponse, "invoke_endpoint_async", invoke_endpoint_async)

    def _answer(self, response: SageMakerRuntimeResponse, request: Request) -> Answer:
        # What moto's own look-ups of the caller's account and region read.
        response.headers, response.querystring = request.headers, {}
        invocation = Invocation(
            account_id=response.get_current_account(),
            region=response.get_region_from_url(request, request.raw_url),
            endpoint_name=request.path.split("/")[2],
            body=request.get_data(),
            headers=request.headers,
        )
        endpoint = self.cloud.service(SageMaker).endpoint(
            invocation.account_id, invocation.region, invocation.endpoint_name
        )
        return self._invoker.invoke(invocation, endpoint)

    def _record(self, invocation: Invocation, measurement: Measurement) -> None:
        self.cloud.service(CloudWatch).record(
            invocation.account_id,
            invocation.region,
            metrics.NAMESPACE,
            (("EndpointName", invocation.endpoint_name), ("VariantName", measurement.variant.name)),
            metrics.values(measurement),
            measurement.resolution,
        )


def _sent(answer: Answer) -> TYPE_RESPONSE:
    return answer.status, {"x-amzn-RequestId": str(uuid4()), **answer.headers}, answer.body
