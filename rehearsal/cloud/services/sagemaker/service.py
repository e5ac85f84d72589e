"""The control plane of SageMaker's inference, in place of moto's, whose endpoints serve nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services import _constraints
from rehearsal.cloud.services._requests import plain
from rehearsal.cloud.services.cloudwatch import CloudWatch
from rehearsal.cloud.services.sagemaker import configurations, endpoints, listing, models, tags, usage
from rehearsal.cloud.services.sagemaker.deployments import Deployments
from rehearsal.cloud.services.sagemaker.endpoints import Endpoint
from rehearsal.cloud.services.sagemaker.fleet import Fleet
from rehearsal.cloud.services.sagemaker.scope import Answer, Request, Scope, refusal
from rehearsal.cloud.services.sagemaker.supervisor import Measured, Supervisor

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_REFERENCE = "https://docs.aws.amazon.com/sagemaker/latest/APIReference"
Operation = Callable[[Scope, Request], Answer]


class SageMaker(Service):
    """Endpoints are created, updated and deleted by `deployments` and kept alive by a supervisor."""

    name: ClassVar[str] = "sagemaker"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._deployments = Deployments(cloud)
        self._supervisor = Supervisor(self._deployments.fleets, self._record)

    def start(self) -> None:
        """Begin to watch the instances."""
        self._supervisor.start()

    def stop(self) -> None:
        """Stop every instance."""
        self._supervisor.stop()
        self._deployments.stop()

    def scope(self, account_id: str, region: str) -> Scope:
        """Return one account's SageMaker in one region."""
        return Scope(account_id, region, self.cloud.now)

    def endpoint(self, account_id: str, region: str, name: str) -> Endpoint | None:
        """Return an endpoint for an invocation, None if there is none."""
        return self.scope(account_id, region).endpoints.get(name)

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of models, configurations and endpoints; an endpoint on its way out was deleted already."""
        found: list[str] = []
        for account_id, backend in sagemaker_backends.items():
            for region in list(backend):
                scope = self.scope(account_id, region)
                found += [model.arn for model in list(scope.models.values())]
                found += [configuration.arn for configuration in list(scope.configurations.values())]
                found += [one.arn for one in list(scope.endpoints.values()) if one.status != "Deleting"]
        return found

    def _record(self, fleet: Fleet, measured: Measured) -> None:
        workload = fleet.workload
        dimensions = (("EndpointName", workload.endpoint_name), ("VariantName", workload.variant_name))
        self.cloud.service(CloudWatch).record(
            workload.account_id, workload.region, usage.NAMESPACE, dimensions, measured
        )

    @correction("sagemaker.models", f"{_REFERENCE}/API_CreateModel.html")
    def _models(self, patches: Patches) -> None:
        """A model is read back as it was made, is not made twice, and is refused by name if nothing can run it."""
        self._provide(patches, "CreateModel", models.create_model)
        self._provide(patches, "DescribeModel", models.describe_model)
        self._provide(patches, "DeleteModel", models.delete_model)
        self._provide(patches, "ListModels", listing.list_models)

    @correction("sagemaker.endpoint-configurations", f"{_REFERENCE}/API_CreateEndpointConfig.html")
    def _configurations(self, patches: Patches) -> None:
        """A configuration keeps weights (0.0 too), shadows and metrics, takes every instance type, is made once."""
        self._provide(patches, "CreateEndpointConfig", configurations.create_endpoint_config)
        self._provide(patches, "DescribeEndpointConfig", configurations.describe_endpoint_config)
        self._provide(patches, "DeleteEndpointConfig", configurations.delete_endpoint_config)
        self._provide(patches, "ListEndpointConfigs", listing.list_endpoint_configs)

    @correction("sagemaker.endpoints", f"{_REFERENCE}/API_CreateEndpoint.html")
    def _endpoints(self, patches: Patches) -> None:
        """An endpoint is `Creating` until its model servers answer pings, or `Failed` with the reason."""
        self._provide(patches, "CreateEndpoint", self._deployments.create_endpoint)
        self._provide(patches, "DescribeEndpoint", endpoints.describe_endpoint)
        self._provide(patches, "DeleteEndpoint", self._deployments.delete_endpoint)
        self._provide(patches, "ListEndpoints", listing.list_endpoints)

    @correction("sagemaker.update-endpoint", f"{_REFERENCE}/API_UpdateEndpoint.html")
    def _update_endpoint(self, patches: Patches) -> None:
        """An update prepares new variants beside the old and moves traffic, or stays on the old configuration."""
        self._provide(patches, "UpdateEndpoint", self._deployments.update_endpoint)

    @correction("sagemaker.weights-and-capacities", f"{_REFERENCE}/API_UpdateEndpointWeightsAndCapacities.html")
    def _weights(self, patches: Patches) -> None:
        """Weights and counts change for the named variants and given fields only, after some `Updating`."""
        self._provide(
            patches, "UpdateEndpointWeightsAndCapacities", self._deployments.update_endpoint_weights_and_capacities
        )

    @correction("sagemaker.tags", f"{_REFERENCE}/API_AddTags.html")
    def _tags(self, patches: Patches) -> None:
        """A tag that is set again has the new value only."""
        original = patches.replace(SageMakerModelBackend, "add_tags", tags.add_tags)
        assert original is not None

    def _provide(self, patches: Patches, operation: str, answer: Operation) -> None:
        """Let `answer` answer an operation, after the request was held against the constraints of AWS's model."""
        shape = get_service_model("sagemaker").operation_model(operation).input_shape

        def respond(response: SageMakerResponse) -> ActionResult:
            request: dict[str, Any] = plain(response.params)
            found = list(_constraints.violations(shape, request))
            if found:
                raise refusal(_constraints.summary(found))
            return ActionResult(answer(self.scope(response.current_account, response.region), request))

        patches.replace(SageMakerResponse, _snake_case(operation), respond)


def _snake_case(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
