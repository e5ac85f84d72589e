"""The Pulumi program: settings in, layers provisioned, outputs out."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.validation import ArgumentError
from stacks.contradictions import contradictions
from stacks.layers.foundation import provision_foundation, referenced_foundation
from stacks.layers.platform import Platform
from stacks.refusals import problems_of
from stacks.settings import PREFIX, Layer, Settings, parse


def read_settings(config: Mapping[str, str]) -> Settings:
    """Return the settings that a stack's configuration holds. Raises ArgumentError with all that is wrong."""
    written = parse(config)
    problems = {*problems_of(Settings, written, PREFIX), *contradictions(written)}
    if problems:
        raise ArgumentError("settings", sorted(problems, key=lambda problem: problem.path))
    return Settings.model_validate(written)


def provision(config: Mapping[str, str]) -> None:
    """Provision the layers that the configuration of the current stack asks for."""
    settings = read_settings(config)
    stack = pulumi.get_stack()
    # The account is pinned: credentials of another one fail before anything is read or made.
    provider = aws.Provider(
        "aws",
        region=settings.region,
        allowed_account_ids=[settings.account_id],
        default_tags={"tags": settings.resource_tags(stack)},
    )
    if Layer.FOUNDATION in settings.layers:
        foundation = provision_foundation(settings, stack, provider)
    else:
        assert settings.foundation_stack is not None
        foundation = referenced_foundation(settings.foundation_stack)
    pulumi.export("foundation", foundation.outputs())
    if Layer.PLATFORM in settings.layers:
        manifest = Platform(settings, stack, provider, foundation).manifest
        pulumi.export("manifest", manifest.document)
        pulumi.export("manifest_parameter", manifest.parameter_name)
