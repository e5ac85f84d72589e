"""Which variants a configuration asks for, and what an update keeps of those that serve (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.cloud.services.sagemaker.endpoints import Variant
from rehearsal.cloud.services.sagemaker.scope import refusal


@dataclass(frozen=True)
class Wanted:
    """Weight and number of instances that a variant is to have."""

    weight: float
    count: int


def wanted_by_configuration(settings: Mapping[str, Any]) -> Wanted:
    """Return what a ProductionVariant of a configuration asks for."""
    return Wanted(float(settings["InitialVariantWeight"]), int(settings["InitialInstanceCount"]))


def wanted_by_update(
    settings: Mapping[str, Any], serving: Variant | None, retain: bool, exclude: Sequence[str]
) -> Wanted:
    """Return what a variant is to have after UpdateEndpoint.

    Without `retain` (RetainAllVariantProperties) the new configuration decides; with it, the desired weight and
    count of the serving variant of the same name do, but for the properties named in `exclude`.
    """
    wanted = wanted_by_configuration(settings)
    if not retain or serving is None:
        return wanted
    return Wanted(
        wanted.weight if "DesiredWeight" in exclude else serving.desired_weight,
        wanted.count if "DesiredInstanceCount" in exclude else serving.desired_count,
    )


def desired(
    variants: Sequence[Variant], changes: Sequence[Mapping[str, Any]], configuration_name: str
) -> tuple[Variant, ...]:
    """Return the variants with the desired weights and counts of UpdateEndpointWeightsAndCapacities.

    What a change leaves out stays as it is, as do variants that no change names. Raises AWS's ValidationException.
    """
    names = [change["VariantName"] for change in changes]
    for name in names:
        if names.count(name) > 1:
            raise refusal(f'The variant name "{name}" was non-unique within the request.')
    unknown = [name for name in names if name not in {variant.name for variant in variants}]
    if unknown:
        raise refusal(
            f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint configuration '
            f'"{configuration_name}".'
        )
    by_name = {change["VariantName"]: change for change in changes}
    return tuple(
        _changed(variant, by_name[variant.name]) if variant.name in by_name else variant for variant in variants
    )


def _changed(variant: Variant, change: Mapping[str, Any]) -> Variant:
    weight, count = change.get("DesiredWeight"), change.get("DesiredInstanceCount")
    if change.get("ServerlessUpdateConfig"):
        raise refusal(f'The variant "{variant.name}" is not serverless.')
    if count == 0:
        raise refusal(f'The desired instance count of variant "{variant.name}" must be at least 1.')
    return replace(
        variant,
        desired_weight=variant.desired_weight if weight is None else float(weight),
        desired_count=variant.desired_count if count is None else int(count),
        status="Updating",
    )


def settled(variants: Sequence[Variant]) -> tuple[Variant, ...]:
    """Return the variants with what was desired in force."""
    return tuple(
        replace(variant, current_weight=variant.desired_weight, current_count=variant.desired_count, status=None)
        for variant in variants
    )


def rolled_back(variants: Sequence[Variant]) -> tuple[Variant, ...]:
    """Return the variants with what is in force desired again."""
    return tuple(
        replace(variant, desired_weight=variant.current_weight, desired_count=variant.current_count, status=None)
        for variant in variants
    )
