"""InvokeEndpoint in place of moto's, which asks no endpoint and answers from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from moto.core.common_types import TYPE_RESPONSE
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
        # Bodies are the model's business: images, Parquet, anything.
        patches.replace(SageMakerRuntimeResponse, "use_raw_body", True)

        def invoke_endpoint(response: SageMakerRuntimeResponse) -> TYPE_RESPONSE:
            invocation = Invocation(
                account_id=response.current_account,
                region=response.region,
                endpoint_name=response.path.split("/")[2],
                body=response.raw_body,
                headers=response.headers,
            )
            endpoint = self.cloud.service(SageMaker).endpoint(
                invocation.account_id, invocation.region, invocation.endpoint_name
            )
            return _sent(self._invoker.invoke(invocation, endpoint))

        patches.replace(SageMakerRuntimeResponse, "invoke_endpoint", invoke_endpoint)

    @correction(
        "sagemaker-runtime.invoke-endpoint-async",
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html",
    )
    def _invoke_async(self, patches: Patches) -> None:
        def invoke_endpoint_async(response: SageMakerRuntimeResponse) -> TYPE_RESPONSE:
            # No endpoint here has an AsyncInferenceConfig: the control plane refuses one.
            name = response.path.split("/")[2]
            return _sent(answers.validation_error(f"Endpoint {name} is not an asynchronous inference endpoint."))

        patches.replace(SageMakerRuntimeResponse, "invoke_endpoint_async", invoke_endpoint_async)

    def _record(self, invocation: Invocation, measurement: Measurement) -> None:
        self.cloud.service(CloudWatch).record(
            invocation.account_id,
            invocation.region,
            metrics.NAMESPACE,
            (("EndpointName", invocation.endpoint_name), ("VariantName", measurement.variant.name)),
            metrics.values(measurement),
        )


def _sent(answer: Answer) -> TYPE_RESPONSE:
    return answer.status, {**answer.headers, "status": answer.status}, answer.body
