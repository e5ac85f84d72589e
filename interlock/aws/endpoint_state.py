"""An endpoint as it runs: what each variant serves, with which share of the traffic. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from interlock.aws.serving import same_number


@dataclass(frozen=True)
class VariantState:
    """A variant as it runs: its model, and the weight and instance count it has and is to have."""

    model_name: str
    release: str | None
    current_weight: float
    desired_weight: float
    current_count: int
    desired_count: int
    is_holding: bool = False
    """Whether it has no release, and says so to whoever asks."""
    faults: tuple[str, ...] = ()
    """Where its model is not what the stack's serving template makes of its release."""
    earlier_image: str = ""
    """The image of its model where it is not the template's own; whether it may be so `faults` says."""


@dataclass(frozen=True)
class EndpointState:
    """An endpoint as SageMaker describes it."""

    name: str
    status: str
    configuration: str
    failure_reason: str
    variants: Mapping[str, VariantState]

    def shares(self) -> dict[str, float]:
        """Return each variant's share of the traffic, between 0 and 1."""
        total = sum(variant.current_weight for variant in self.variants.values())
        return {name: variant.current_weight / total if total else 0.0 for name, variant in self.variants.items()}


def shortfalls(state: EndpointState, configuration: str, weights: Mapping[str, float]) -> list[str]:
    """Return what keeps an endpoint from being what was intended: in service, on `configuration`, with `weights`.

    The status alone says too little: an update that SageMaker rolled back ends in service as well.
    """
    found = []
    if state.status != "InService":
        found.append(f"its status is {state.status}{f' ({state.failure_reason})' if state.failure_reason else ''}")
    if state.configuration != configuration:
        found.append(f"it serves the configuration {state.configuration}, not {configuration}")
    if set(state.variants) != set(weights):
        found.append(f"it has the variants {', '.join(sorted(state.variants))}, not {', '.join(sorted(weights))}")
    for name, variant in state.variants.items():
        intended = weights.get(name)
        if intended is None:
            continue
        if not (same_number(variant.current_weight, intended) and same_number(variant.desired_weight, intended)):
            has = f"{variant.current_weight:g} (desired {variant.desired_weight:g})"
            found.append(f"{name} has the weight {has}, not {intended:g}")
        if variant.current_count < variant.desired_count:
            found.append(f"{name} runs on {variant.current_count} of {variant.desired_count} instances")
    return found


def growing(state: EndpointState, weights: Mapping[str, float]) -> list[str]:
    """Return the variants that get a larger share of the traffic than they have; what is no number grows."""
    total = sum(weights.values())
    shares = state.shares()
    return [name for name, weight in weights.items() if total != 0 and not weight / total <= shares.get(name, 0.0)]


def unfit_to_grow(
    state: EndpointState, weights: Mapping[str, float], admitted: Collection[str], apart_from: str | None = None
) -> Iterator[str]:
    """Yield why `weights` are not to be given: a variant would grow that holds nothing of ours, or is not admitted.

    `admitted` are digests of releases; the variant `apart_from` gets another model at the same time. A variant that
    only holds may grow: it answers that nothing is deployed.
    """
    for name in growing(state, weights):
        variant = state.variants.get(name)
        if name == apart_from or (variant is not None and variant.is_holding):
            continue
        if variant is None or variant.release is None:
            what = variant.model_name if variant else "nothing"
            yield f"{name} would get more traffic, and runs {what}, which is no release of this stack's"
        elif variant.faults:
            text = f"{name} would get more traffic, and its model is not what this stack makes of {variant.release}"
            yield f"{text}: {'; '.join(variant.faults)}"
        elif variant.release not in admitted:
            yield f"{name} would get more traffic, and its release {variant.release} was not admitted"
