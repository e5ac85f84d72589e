"""Moves what an endpoint serves: creates from the template, updates, waits, and believes only what it read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.endpoint_state import EndpointState, VariantState, shortfalls, unfit_to_grow
from interlock.aws.errors import error_code, outside
from interlock.aws.serving import (
    EarlierImages,
    NoEarlierImage,
    Variant,
    configuration_request,
    differences,
    earlier_image_of,
    model_request,
    release_of,
    strangeness,
)
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.manifest_parts import EndpointPart
from interlock.release.verification.admitted import Admitted

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

IN_MOTION = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html (EndpointStatus)"""

FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 5.0
SHIFT_DEADLINE_SECONDS = 900.0


class EndpointClient:
    """One endpoint of a stack, driven from its serving template."""

    def __init__(
        self,
        sagemaker: SageMakerClient,
        stack: str,
        endpoint: EndpointPart,
        *,
        earlier_images: EarlierImages | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._sagemaker = sagemaker
        self._stack = stack
        self._endpoint = endpoint
        self._earlier_images = earlier_images or NoEarlierImage()
        self._clock = clock
        self._sleep = sleep
        self._progress = progress

    @property
    def name(self) -> str:
        return self._endpoint.endpoint_name

    def state(self) -> EndpointState:
        """Return what SageMaker says of the endpoint now. Raises OutsideFailure."""
        described = self._call("describe_endpoint", EndpointName=self.name)
        configuration = self._call("describe_endpoint_config", EndpointConfigName=described["EndpointConfigName"])
        models = {one["VariantName"]: one["ModelName"] for one in configuration["ProductionVariants"]}
        return EndpointState(
            name=self.name,
            status=described["EndpointStatus"],
            configuration=described["EndpointConfigName"],
            failure_reason=described.get("FailureReason", ""),
            variants={
                one["VariantName"]: self._variant(one, models.get(one["VariantName"], ""))
                for one in described.get("ProductionVariants", ())
            },
        )

    def _variant(self, described: Mapping[str, Any], model_name: str) -> VariantState:
        state = VariantState(
            model_name=model_name,
            release=None,
            current_weight=float(described.get("CurrentWeight", 0.0)),
            desired_weight=float(described.get("DesiredWeight", 0.0)),
            current_count=int(described.get("CurrentInstanceCount", 0)),
            desired_count=int(described.get("DesiredInstanceCount", 0)),
            is_holding=model_name == self._endpoint.holding_model_name,
        )
        return state if state.is_holding or not model_name else self._with_release(state)

    def _with_release(self, state: VariantState) -> VariantState:
        """Return a variant with the release that its model's data is, and how the model differs from what is made here
        of that release."""
        described = self._call("describe_model", ModelName=state.model_name)
        digest = release_of(self._endpoint, described)
        if digest is None:
            return state
        faults = strangeness(self._stack, self._endpoint, digest, described, self._earlier_images)
        image = earlier_image_of(self._endpoint, described)
        return replace(state, release=digest, faults=tuple(faults), earlier_image=image)

    def check(self, weights: Mapping[str, float], slot: str | None = None) -> None:
        """Raise BadInput for weights or a variant that the endpoint cannot be given."""
        if slot is not None and slot not in self._endpoint.variants:
            raise BadInput(f"variant: received {slot!r}; accepted is one of {', '.join(self._endpoint.variants)}")
        if set(weights) != set(self._endpoint.variants):
            received = ", ".join(sorted(weights)) or "none"
            raise BadInput(
                f"weights: received {received}; one is needed for each of {', '.join(self._endpoint.variants)}"
            )
        for name, weight in weights.items():
            if not 0.0 <= weight < float("inf"):
                raise BadInput(f"weights.{name}: received {weight}; accepted is 0 or a positive number")
        if sum(weights.values()) <= 0:
            raise BadInput("weights: all are 0; at least one variant must get traffic")

    def deploy(
        self,
        slot: str,
        admitted: Admitted,
        weights: Mapping[str, float] | None = None,
        *,
        others: Collection[Admitted] = (),
    ) -> EndpointState:
        """Serve a release from the variant `slot`; the other variant keeps its model, and grows only if among `others`.

        Its approvals, the deployer's decisions and the trust root travel with what a tiers policy governs.

        Without `weights` every variant keeps the one it has. Deploying what is deployed already changes nothing.
        Raises BadInput for an unknown variant or weight, Refusal while another update runs or where a variant would
        grow that may not, OutsideFailure if the endpoint does not get there.
        """
        before = self._at_rest()
        wanted = dict(weights) if weights is not None else {n: v.desired_weight for n, v in before.variants.items()}
        self.check(wanted, slot)
        if weights is not None:
            _demand_fit(before, wanted, others, slot)
        model = self._create_model(admitted)
        variants = tuple(
            Variant(
                name=name,
                model_name=model if name == slot else before.variants[name].model_name,
                weight=wanted[name],
                instance_count=max(
                    before.variants[name].desired_count, self._endpoint.serving_template.min_instance_count
                ),
            )
            for name in self._endpoint.variants
        )
        models = {name: state.model_name for name, state in before.variants.items()}
        if models == {variant.name: variant.model_name for variant in variants}:
            if not shortfalls(before, before.configuration, wanted):
                return before
            return self.shift(wanted, [admitted, *others])
        configuration = self._create_configuration(variants)
        self._call("update_endpoint", EndpointName=self.name, EndpointConfigName=configuration)
        deadline = self._endpoint.serving_template.startup_timeout_seconds * 2.0
        return self._settle(configuration, wanted, deadline)

    def shift(self, weights: Mapping[str, float], admitted: Collection[Admitted]) -> EndpointState:
        """Give every variant its weight, and return the endpoint once it serves so. Raises as `deploy` does."""
        self.check(weights)
        before = self._at_rest()
        _demand_fit(before, weights, admitted)
        if not shortfalls(before, before.configuration, weights):
            return before
        self._call(
            "update_endpoint_weights_and_capacities",
            EndpointName=self.name,
            DesiredWeightsAndCapacities=[
                {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
            ],
        )
        return self._settle(before.configuration, weights, SHIFT_DEADLINE_SECONDS)

    def _at_rest(self) -> EndpointState:
        state = self.state()
        if state.status in IN_MOTION:
            raise Refusal(
                f"{self.name} is {state.status}: another update is under way",
                next_step="run the command again when it is over",
            )
        if state.status != "InService":
            raise OutsideFailure(
                f"{self.name} is {state.status}: {state.failure_reason or 'SageMaker gives no reason'}"
            )
        return state

    def _create_model(self, admitted: Admitted) -> str:
        request = model_request(self._stack, self._endpoint, admitted.digest, with_record=admitted.is_governed)
        self._create("model", request["ModelName"], request)
        return request["ModelName"]

    def _create_configuration(self, variants: tuple[Variant, ...]) -> str:
        request = configuration_request(self._stack, self._endpoint, variants)
        self._create("endpoint_config", request["EndpointConfigName"], request)
        return request["EndpointConfigName"]

    def _create(self, kind: str, name: str, request: Mapping[str, Any]) -> None:
        """Create what `name` stands for; what exists under it counts only if it is the same."""
        parameter = {"model": "ModelName", "endpoint_config": "EndpointConfigName"}[kind]
        try:
            getattr(self._sagemaker, f"create_{kind}")(**request)
        except ClientError as error:
            if error_code(error) not in ("ValidationException", "ResourceInUse"):
                raise outside(f"create {name}", error) from error
            found = self._describe_existing(kind, {parameter: name}, error)
        except BotoCoreError as error:
            raise outside(f"create {name}", error) from error
        else:
            found = self._call(f"describe_{kind}", **{parameter: name})
        wrong = differences({key: value for key, value in request.items() if key != "Tags"}, found)
        if wrong:
            raise OutsideFailure(f"{name} is not what was asked for", reasons=wrong)

    def _describe_existing(self, kind: str, name: Mapping[str, str], creation: ClientError) -> dict[str, Any]:
        try:
            found: dict[str, Any] = getattr(self._sagemaker, f"describe_{kind}")(**name)
        except (ClientError, BotoCoreError):
            raise outside(f"create {next(iter(name.values()))}", creation) from creation
        return found

    def _settle(self, configuration: str, weights: Mapping[str, float], deadline_seconds: float) -> EndpointState:
        start, pause = self._clock(), FIRST_POLL_SECONDS
        while (state := self.state()).status in IN_MOTION:
            waited = self._clock() - start
            if waited > deadline_seconds:
                raise OutsideFailure(f"{self.name} is still {state.status} after {waited:.0f} s")
            self._progress(f"{self.name} is {state.status} ({waited:.0f} s)")
            self._sleep(pause)
            pause = min(pause * 1.25, LONGEST_POLL_SECONDS)
        wrong = shortfalls(state, configuration, weights)
        if wrong:
            raise OutsideFailure(f"{self.name} did not become what was asked for", reasons=wrong)
        return state

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._sagemaker, operation)(**arguments)
        except (ClientError, BotoCoreError) as error:
            raise outside(f"{operation.replace('_', ' ')} {self.name}", error) from error
        return answer


def _demand_fit(
    state: EndpointState, weights: Mapping[str, float], admitted: Collection[Admitted], apart_from: str | None = None
) -> None:
    """Look at what runs in the same breath as it is changed: what was admitted may have been replaced since."""
    reasons = list(unfit_to_grow(state, weights, {one.digest for one in admitted}, apart_from))
    if reasons:
        raise Refusal(
            f"{state.name} keeps the traffic as it is",
            reasons=reasons,
            next_step="deploy an admitted release to the variant first: interlock endpoint deploy",
        )
