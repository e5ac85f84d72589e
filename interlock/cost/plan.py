"""What would exist after `pulumi up`: the resources of a preview, each in its component and region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

STACK_TYPE: Final = "pulumi:pulumi:Stack"
PROVIDER_TYPE: Final = "pulumi:providers:aws"
UNKNOWN: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What stands in a preview for a value that only a deployment gives. Source: pulumi/sdk, resource/plugin/rpc.go."""
_GONE: Final = ("delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace")
_NOT_OURS: Final = ("read", "read-replacement", "read-discard")


class PreviewError(ValueError):
    """A document that is no preview, or one that leaves something out; the text says what."""


class NotKnownError(LookupError):
    """A quantity that the preview does not tell; the text says which."""


@dataclass(frozen=True)
class Component:
    """The part of the stack that a resource belongs to: the outermost component around it."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} ({self.type.rpartition(':')[2]})" if self.type else self.name


NO_COMPONENT: Final = Component("outside of components", "")


@dataclass(frozen=True)
class Planned:
    """A resource that would exist. `needs` holds, by property, the URNs of the resources it takes that from."""

    urn: str
    type: str
    component: Component
    region: str | None
    inputs: Mapping[str, Any]
    needs: Mapping[str, Sequence[str]]

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text among the inputs. Raises NotKnownError if it is neither given nor known."""
        value = self._known(key, default)
        return str(value)

    def number(self, key: str, default: int | None = None) -> Decimal:
        """Return a number among the inputs. Raises NotKnownError if it is neither given nor known."""
        value = self._known(key, default)
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise NotKnownError(f"{key} is {value!r}, which is no number") from None

    def count(self, key: str, of_type: str) -> int:
        """Return how many there are in a list; of a list not known yet, how many resources of a type it comes from."""
        value = self.inputs.get(key)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return len(value)
        made = sum(1 for urn in self.needs.get(key, ()) if type_of(urn) == of_type)
        if made == 0:
            raise NotKnownError(f"how many {key} there are is not known before it is made")
        return made

    def _known(self, key: str, default: object) -> object:
        value = self.inputs.get(key)
        if value is None:
            value = default
        if value is None:
            raise NotKnownError(f"{key} is not given")
        if is_unknown(value):
            raise NotKnownError(f"{key} is not known before it is made")
        return value


@dataclass(frozen=True)
class Plan:
    """All that would exist in one stack."""

    stack: str
    environment: str
    resources: tuple[Planned, ...]

    def source(self, resource: Planned, key: str, of_type: str) -> Planned | None:
        """Return the resource of a type that a property is taken from, if it is in the stack too."""
        urns = set(resource.needs.get(key, ()))
        return next((one for one in self.of_type(of_type) if one.urn in urns), None)

    def users(self, resource: Planned, of_type: str) -> list[Planned]:
        """Return the resources of a type that take something from `resource`."""
        return [one for one in self.of_type(of_type) if any(resource.urn in urns for urns in one.needs.values())]

    def of_type(self, kind: str) -> Iterator[Planned]:
        """Return the resources of a type."""
        return (one for one in self.resources if one.type == kind)


def is_unknown(value: object) -> bool:
    """Return whether a preview's value stands for one that only a deployment gives."""
    return isinstance(value, str) and value in UNKNOWN


def type_of(urn: str) -> str:
    """Return a resource's type as its URN names it."""
    return urn.split("::")[2].rpartition("$")[2]


def read_preview(document: Any) -> Plan:
    """Read what `pulumi preview --json --show-sames` printed. Raises PreviewError.

    Source of the format: pulumi/pkg, backend/display/json.go, PreviewDigest.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("steps"), Sequence):
        raise PreviewError("received a document without steps; accepted is what `pulumi preview --json` prints")
    states = dict(_states(document["steps"]))
    left_out = _unchanged(document) - sum(1 for step in document["steps"] if step.get("op") == "same")
    if left_out > 0:
        raise PreviewError(
            f"the preview leaves out {left_out} resources that stay as they are; "
            "accepted is one made with `pulumi preview --json --show-sames`"
        )
    stacks = [urn for urn, state in states.items() if state.get("type") == STACK_TYPE]
    urns = stacks or list(states)
    if not urns:
        raise PreviewError("the preview holds no resource; accepted is that of a stack with something in it")
    config = document.get("config") or {}
    if not isinstance(config, Mapping):
        raise PreviewError(f"received the config {config!r:.80}; accepted is a mapping")
    return Plan(
        stack=urns[0].split("::")[0].rpartition(":")[2],
        environment=str(config.get("interlock:environment", "")),
        resources=tuple(
            _planned(urn, state, states, config) for urn, state in states.items() if state.get("custom") is True
        ),
    )


def _states(steps: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for step in steps:
        if not isinstance(step, Mapping) or not isinstance(step.get("urn"), str):
            raise PreviewError(f"received the step {step!r:.80}; accepted is one with op, urn and newState")
        state = step.get("newState")
        if step.get("op") in _GONE or step.get("op") in _NOT_OURS or not isinstance(state, Mapping):
            continue
        yield step["urn"], state


def _unchanged(document: Mapping[str, Any]) -> int:
    summary = document.get("changeSummary")
    unchanged = summary.get("same", 0) if isinstance(summary, Mapping) else 0
    return unchanged if isinstance(unchanged, int) else 0


def _planned(
    urn: str, state: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]
) -> Planned:
    inputs = state.get("inputs") or {}
    if not isinstance(inputs, Mapping):
        raise PreviewError(f"received the inputs {inputs!r:.80} of {urn}; accepted is a mapping")
    return Planned(
        urn=urn,
        type=str(state.get("type")),
        component=_component(state, states),
        region=_region(inputs, state, states, config),
        inputs=inputs,
        needs=state.get("propertyDependencies") or {},
    )


def _component(state: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]]) -> Component:
    found = NO_COMPONENT
    parent = state.get("parent")
    while isinstance(parent, str) and (above := states.get(parent)) is not None and above.get("type") != STACK_TYPE:
        found = Component(parent.rpartition("::")[2], str(above.get("type")))
        parent = above.get("parent")
    return found


def _region(
    inputs: Mapping[str, Any],
    state: Mapping[str, Any],
    states: Mapping[str, Mapping[str, Any]],
    config: Mapping[str, Any],
) -> str | None:
    # The reference ends in the provider's id, which is not known before it is made.
    provider = states.get(str(state.get("provider", "")).rpartition("::")[0], {})
    candidates = (inputs.get("region"), (provider.get("inputs") or {}).get("region"), config.get("aws:region"))
    return next((one for one in candidates if isinstance(one, str) and one and not is_unknown(one)), None)
