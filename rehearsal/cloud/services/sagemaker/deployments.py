"""What changes endpoints: each operation answers at once and is carried out by a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from rehearsal.cloud.services.sagemaker import variants as decisions
from rehearsal.cloud.services.sagemaker.artifacts import channels_of, source_of
from rehearsal.cloud.services.sagemaker.endpoints import Endpoint, Pending, Variant
from rehearsal.cloud.services.sagemaker.fleet import Fleet
from rehearsal.cloud.services.sagemaker.images import resolved
from rehearsal.cloud.services.sagemaker.instance import DoesNotStart, Workload
from rehearsal.cloud.services.sagemaker.scope import Answer, Request, Scope, refusal, unsupported
from rehearsal.cloud.services.sagemaker.variants import Wanted

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_STARTUP_SECONDS = 240.0
_SETTLE_SECONDS = 0.5
"""How long new weights take to reach the routers; AWS needs seconds to minutes."""

_log = logging.getLogger(__name__)


class Deployments:
    """Creates, updates and deletes the endpoints of one cloud."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._stopping = threading.Event()
        self._endpoints: list[Endpoint] = []

    def fleets(self) -> Iterator[Fleet]:
        """Yield every fleet of every endpoint."""
        for endpoint in list(self._endpoints):
            yield from endpoint.fleets

    def stop(self) -> None:
        """Stop all instances, those that are starting too."""
        self._stopping.set()
        fleets = list(self.fleets())
        if fleets:
            with ThreadPoolExecutor(len(fleets)) as stoppers:
                list(stoppers.map(Fleet.stop, fleets))

    def create_endpoint(self, scope: Scope, request: Request) -> Answer:
        """Begin to create an endpoint: Creating, then InService or Failed."""
        name = request["EndpointName"]
        scope.refuse_existing("endpoint", name)
        configuration = scope.configuration(request["EndpointConfigName"])
        _check_deployment(request.get("DeploymentConfig"))
        now = scope.now()
        wanted = [(settings, decisions.wanted_by_configuration(settings)) for settings in configuration.variants]
        endpoint = Endpoint(
            scope=scope,
            arn=scope.arn("endpoint", name),
            name=name,
            configuration=configuration,
            created=now,
            modified=now,
            tags=list(request.get("Tags") or []),
            variants=self._variants(scope, name, wanted),
            data_capture=configuration.description.get("DataCaptureConfig"),
            last_deployment=request.get("DeploymentConfig"),
        )
        scope.endpoints[name] = endpoint
        self._endpoints.append(endpoint)
        self._carry_out(endpoint, self._create)
        return {"EndpointArn": endpoint.arn}

    def update_endpoint(self, scope: Scope, request: Request) -> Answer:
        """Begin to move an endpoint to another configuration: Updating, then InService on the new one or the old."""
        endpoint = scope.endpoint(request["EndpointName"])
        configuration = scope.configuration(request["EndpointConfigName"])
        # SageMaker reads the configuration in use to know what it replaces: it warns not to delete that one.
        scope.configuration(endpoint.configuration.name)
        _check_deployment(request.get("DeploymentConfig"))
        retain = bool(request.get("RetainAllVariantProperties"))
        exclude = [
            property["VariantPropertyType"] for property in request.get("ExcludeRetainedVariantProperties") or []
        ]
        with endpoint.lock:
            _refuse_unless_at_rest(endpoint)
            wanted = [
                (
                    settings,
                    decisions.wanted_by_update(settings, endpoint.variant(settings["VariantName"]), retain, exclude),
                )
                for settings in configuration.variants
            ]
            prepared = self._variants(scope, endpoint.name, wanted)
            endpoint.status, endpoint.modified = "Updating", scope.now()
            endpoint.pending = Pending(configuration, prepared, scope.now())
        deployment = request.get("DeploymentConfig")
        if deployment is None and request.get("RetainDeploymentConfig"):
            deployment = endpoint.last_deployment
        keep_capture = retain and "DataCaptureConfig" not in exclude
        self._carry_out(endpoint, lambda changed: self._update(changed, deployment, keep_capture))
        return {"EndpointArn": endpoint.arn}

    def update_endpoint_weights_and_capacities(self, scope: Scope, request: Request) -> Answer:
        """Begin to change weights and counts: Updating, then InService."""
        endpoint = scope.endpoint(request["EndpointName"])
        with endpoint.lock:
            _refuse_unless_at_rest(endpoint)
            endpoint.variants = decisions.desired(
                endpoint.variants, request["DesiredWeightsAndCapacities"], endpoint.configuration.name
            )
            endpoint.status, endpoint.modified = "Updating", scope.now()
        self._carry_out(endpoint, self._rescale)
        return {"EndpointArn": endpoint.arn}

    def delete_endpoint(self, scope: Scope, request: Request) -> Answer:
        """Begin to delete an endpoint: Deleting, then gone."""
        endpoint = scope.endpoint(request["EndpointName"])
        with endpoint.lock:
            if endpoint.status not in ("InService", "Failed"):
                raise refusal(f'Cannot update in-progress endpoint "{endpoint.arn}".')
            endpoint.status, endpoint.modified = "Deleting", scope.now()
        self._carry_out(endpoint, self._delete)
        return {}

    def _carry_out(self, endpoint: Endpoint, work: Callable[[Endpoint], None]) -> None:
        def run() -> None:
            try:
                work(endpoint)
            except Exception:
                _log.exception("endpoint %s", endpoint.name)
                self._fail(endpoint, "Internal error: the local cloud failed; its log says how.")

        threading.Thread(target=run, name=f"endpoint-{endpoint.name}", daemon=True).start()

    def _create(self, endpoint: Endpoint) -> None:
        try:
            self._start(endpoint.variants)
        except DoesNotStart as problem:
            self._fail(endpoint, str(problem))
            return
        self._come_into_service(endpoint, decisions.settled(endpoint.variants))

    def _update(self, endpoint: Endpoint, deployment: dict[str, Any] | None, keep_capture: bool) -> None:
        pending = endpoint.pending
        assert pending is not None
        try:
            self._start(pending.variants)
        except DoesNotStart as problem:
            # AWS rolls a failed update back: the endpoint ends InService on the configuration that it had.
            for variant in pending.variants:
                variant.fleet.stop()
            with endpoint.lock:
                endpoint.pending, endpoint.failure_reason = None, str(problem)
            self._come_into_service(endpoint, endpoint.variants)
            return
        with endpoint.lock:
            replaced, endpoint.variants = endpoint.variants, decisions.settled(pending.variants)
            endpoint.configuration, endpoint.pending = pending.configuration, None
            endpoint.last_deployment, endpoint.failure_reason = deployment, None
            if not keep_capture:
                endpoint.data_capture = pending.configuration.description.get("DataCaptureConfig")
        for variant in replaced:
            variant.fleet.stop(drain=True)
        self._come_into_service(endpoint, endpoint.variants)

    def _rescale(self, endpoint: Endpoint) -> None:
        self._stopping.wait(_SETTLE_SECONDS)
        try:
            for variant in endpoint.variants:
                variant.fleet.scale(variant.desired_count)
        except DoesNotStart as problem:
            with endpoint.lock:
                endpoint.status, endpoint.failure_reason = "RollingBack", str(problem)
            for variant in endpoint.variants:
                variant.fleet.scale(min(variant.current_count, variant.desired_count))
            self._come_into_service(endpoint, decisions.rolled_back(endpoint.variants))
            return
        with endpoint.lock:
            endpoint.failure_reason = None
        self._come_into_service(endpoint, decisions.settled(endpoint.variants))

    def _delete(self, endpoint: Endpoint) -> None:
        for variant in endpoint.variants:
            variant.fleet.stop(drain=True)
        self._endpoints.remove(endpoint)
        endpoint.scope.endpoints.pop(endpoint.name, None)

    def _come_into_service(self, endpoint: Endpoint, variants: tuple[Variant, ...]) -> None:
        with endpoint.lock:
            endpoint.variants = variants
            endpoint.status, endpoint.modified = "InService", endpoint.scope.now()

    def _fail(self, endpoint: Endpoint, reason: str) -> None:
        for fleet in endpoint.fleets:
            fleet.stop()
        with endpoint.lock:
            endpoint.pending = None
            endpoint.variants = decisions.rolled_back(endpoint.variants)
            endpoint.status, endpoint.failure_reason = "Failed", reason
            endpoint.modified = endpoint.scope.now()

    def _start(self, variants: Sequence[Variant]) -> None:
        """Start the instances of all variants at the same time. Raises the first variant's DoesNotStart."""
        with ThreadPoolExecutor(len(variants)) as starters:
            list(starters.map(lambda variant: variant.fleet.scale(variant.desired_count), variants))

    def _variants(
        self, scope: Scope, endpoint_name: str, wanted: Sequence[tuple[dict[str, Any], Wanted]]
    ) -> tuple[Variant, ...]:
        return tuple(self._variant(scope, endpoint_name, settings, asked) for settings, asked in wanted)

    def _variant(self, scope: Scope, endpoint_name: str, settings: dict[str, Any], wanted: Wanted) -> Variant:
        model = scope.model(settings["ModelName"])
        container = model.container
        workload = Workload(
            account_id=scope.account_id,
            region=scope.region,
            endpoint_name=endpoint_name,
            variant_name=settings["VariantName"],
            image=container["Image"],
            environment=dict(container.get("Environment") or {}),
            source=source_of(container, model.role_arn),
            channels=channels_of(container, model.role_arn),
            attachment=model.attachment(scope.account_id, scope.region),
            startup_timeout=float(settings.get("ContainerStartupHealthCheckTimeoutInSeconds") or _STARTUP_SECONDS),
        )
        directory = self._cloud.directory / "sagemaker" / scope.account_id / scope.region / endpoint_name
        return Variant(
            name=settings["VariantName"],
            settings=settings,
            image=container["Image"],
            resolved_image=resolved(container["Image"]),
            resolved_at=scope.now(),
            fleet=Fleet(self._cloud, workload, directory / settings["VariantName"]),
            current_weight=0.0,
            desired_weight=wanted.weight,
            current_count=0,
            desired_count=wanted.count,
            status="Creating",
        )


def _refuse_unless_at_rest(endpoint: Endpoint) -> None:
    if endpoint.status == "Failed":
        # DescribeEndpoint documents that a failed endpoint can only be deleted.
        raise refusal(f'Cannot update failed endpoint "{endpoint.arn}".')
    if endpoint.status != "InService":
        raise refusal(f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _check_deployment(deployment: dict[str, Any] | None) -> None:
    if not deployment:
        return
    if deployment.get("RollingUpdatePolicy"):
        raise unsupported("rolling updates", "leave RollingUpdatePolicy out")
    traffic = (deployment.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration") or {}
    if traffic.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        raise unsupported(f"TrafficRoutingConfiguration type {traffic['Type']}", "give ALL_AT_ONCE")
