"""The Pulumi program: settings in, layers provisioned, outputs out."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import ArgumentError, Problem
from stacks.contradictions import contradictions
from stacks.layers.foundation import provision_foundation, referenced_foundation
from stacks.layers.platform import Platform
from stacks.refusals import problems_of
from stacks.settings import PREFIX, Layer, Settings, parse


def read_settings(stack: str, config: Mapping[str, str]) -> Settings:
    """Return the settings that stack `stack` is configured with. Raises ArgumentError with all that is wrong."""
    written = parse(config)
    problems = {*problems_of(Settings, written, PREFIX), *contradictions(written), *_problems_of_name(stack)}
    if problems:
        raise ArgumentError("settings", sorted(problems, key=lambda problem: problem.path))
    return Settings.model_validate(written)


def _problems_of_name(stack: str) -> list[Problem]:
    # Endpoints, aliases and the database are named after the stack, and take no other characters.
    rule = validation.name
    return [] if rule.holds(stack) else [Problem("the stack's name", repr(stack), rule.accepted)]


def provision(config: Mapping[str, str]) -> None:
    """Provision the layers that the configuration of the current stack asks for."""
    stack = pulumi.get_stack()
    settings = read_settings(stack, config)
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
