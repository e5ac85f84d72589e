"""The Pulumi program: settings in, layers provisioned, outputs out."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.validation import ArgumentError
from interlock.settings import reading
from interlock.settings.model import Settings
from interlock.settings.section import Layer
from stacks.layers.foundation import provision_foundation, referenced_foundation
from stacks.layers.platform import Platform
from stacks.places import Places


def read_settings(stack: str, config: Mapping[str, str]) -> Settings:
    """Return the settings that stack `stack` is configured with. Raises ArgumentError with all that is wrong."""
    try:
        return reading.read_settings(stack, config)
    except reading.SettingsError as error:
        raise ArgumentError("settings", error.problems) from None


def provision(config: Mapping[str, str]) -> None:
    """Provision the layers that the configuration of the current stack asks for."""
    stack = pulumi.get_stack()
    settings = read_settings(stack, config)
    places = Places.of(settings, stack)
    if Layer.FOUNDATION in settings.layers:
        foundation = provision_foundation(settings, settings.named_after(stack), places)
    else:
        assert settings.foundation_stack is not None
        foundation = referenced_foundation(settings.foundation_stack, in_two_regions=settings.recovery is not None)
    pulumi.export("foundation", foundation.outputs())
    if Layer.PLATFORM in settings.layers:
        manifest = Platform(settings, stack, places, foundation).manifest
        pulumi.export("manifest", manifest.document)
        pulumi.export("manifest_parameter", manifest.parameter_name)
