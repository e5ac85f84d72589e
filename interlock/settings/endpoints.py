"""Settings of the endpoints that models serve at."""

from __future__ import annotations

from typing import Annotated

from pydantic import ValidationInfo, field_validator

from interlock import rules
from interlock.settings.refusals import Must
from interlock.settings.section import Image, Means, Section, at_least_minimum


class InstanceSettings(Section):
    """Instances of one variant."""

    min: Annotated[int, Must(rules.integer(1, 1000)), Means("instances that a variant never falls below")] = 1
    max: Annotated[int, Must(rules.integer(1, 1000)), Means("instances that a variant grows to")] = 8

    @field_validator("max")
    @classmethod
    def _ordered(cls, maximum: int, info: ValidationInfo) -> int:
        return at_least_minimum(maximum, info)


class EndpointSettings(Section):
    name: Annotated[str, Must(rules.name), Means("the endpoint's name")]
    image: Annotated[Image, Means("the image that serves")]
    instance_type: Annotated[str, Must(rules.instance_type), Means("what the endpoint runs on")] = "ml.m5.large"
    instances: InstanceSettings = InstanceSettings()
    p99_latency_limit_ms: Annotated[
        int, Must(rules.integer(1, 60000, "ms")), Means("ms that the slowest hundredth may take before an alarm")
    ] = 500
    data_capture_percent: Annotated[
        Annotated[int, Must(rules.integer(1, 100, "percent"))] | None,
        Means("percent of the requests that are kept with their answers"),
    ] = None
    """Nothing is kept unless given."""
