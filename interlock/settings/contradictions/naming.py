"""What a stack's name says of its environment, and how long AWS lets names be that are made of it and an endpoint's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interlock import rules
from interlock.rules import Problem, shown
from interlock.settings.contradictions.written import Written, has_layer, sections_at, text_at
from interlock.settings.section import LASTING, PREFIX, Layer

_RANDOM: Final = "-1234567"
"""What Pulumi puts behind a name that the program leaves to it."""
_SAGEMAKER_LONGEST: Final = 63
"""Of an endpoint, a model and a configuration. Source: SageMaker API Reference, CreateEndpoint, CreateModel."""
_BUCKET_LONGEST: Final = 63
_ROLE_LONGEST: Final = 64
"""Source: IAM API Reference, CreateRole, RoleName."""


def problems_of_names(stack: str, written: Written) -> Iterator[Problem]:
    """Tell of names that AWS would not let stack `stack` give, and of an environment that its own name denies."""
    if stack in LASTING and written.get("environment") != stack:
        accepted = f"{stack}, as the stack is named; an environment of another kind is another stack"
        yield Problem(f"{PREFIX}environment", shown(written.get("environment", "nothing")), accepted)
    if written.get("duties") is not None and has_layer(written, Layer.FOUNDATION):
        longest = _ROLE_LONGEST - len("interlock--recovery-runner")
        apart = text_at(written, "duties.platform_stack")
        named = apart or stack
        if rules.name.holds(named) and len(named) > longest:
            accepted = f"up to {longest} characters, as role interlock-<stack>-recovery-runner has up to"
            where = f"{PREFIX}duties.platform_stack" if apart else "the stack's name"
            yield Problem(where, repr(named), f"{accepted} {_ROLE_LONGEST}")
    if has_layer(written, Layer.PLATFORM):
        yield from _endpoints(stack, written)


def _endpoints(stack: str, written: Written) -> Iterator[Problem]:
    for position, endpoint in enumerate(sections_at(written, "endpoints")):
        name = endpoint.get("name")
        if not isinstance(name, str) or not rules.name.holds(name):
            continue
        captured = endpoint.get("data_capture_percent") is not None
        longest, pattern, limit = min(_patterns(stack, "recovery" in written, captured))
        if len(name) > longest:
            accepted = f"up to {longest} characters, as {pattern} has up to {limit}"
            yield Problem(f"{PREFIX}endpoints[{position}].name", repr(name), accepted)


def _patterns(stack: str, in_two_regions: bool, captured: bool) -> Iterator[tuple[int, str, int]]:
    """Yield, of each name that an endpoint's is part of: what it leaves for that, itself in words, and its limit."""
    region = "-recovery" if in_two_regions else ""
    made = [("endpoint", f"interlock-{stack}-", "", _SAGEMAKER_LONGEST)]
    made.append(("model", "", f"{region}-holding{_RANDOM}", _SAGEMAKER_LONGEST))
    if captured:
        made.append(("bucket", "", f"{region}-captured-bucket{_RANDOM}", _BUCKET_LONGEST))
    for what, head, tail, limit in made:
        yield limit - len(head) - len(tail), f"{what} {head}<name>{tail}", limit
