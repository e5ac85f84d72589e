"""The world that a preview would bring about: every principal, policy and key of both layers, before anything exists.

Source of the format: pulumi/pkg, backend/display/json.go, PreviewDigest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlock.cost.plan import is_unknown, type_of
from interlock.duties.world import Document
from interlock.failures import BadInput

PROVIDER: Final = "pulumi:providers:aws"
_GONE: Final = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})


@dataclass(frozen=True)
class Declared:
    """A resource of a preview, in its account and region."""

    urn: str
    type: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    needs: Mapping[str, Sequence[str]]
    account_id: str
    region: str

    @property
    def name(self) -> str:
        """Return the name that the program gives it."""
        return self.urn.rpartition("::")[2]

    def text(self, key: str) -> str | None:
        """Return a text that is known, or None."""
        for values in (self.inputs, self.outputs):
            value = values.get(key)
            if isinstance(value, str) and value and not is_unknown(value):
                return value
        return None

    def document(self, key: str) -> Document | None:
        """Return a policy document that is known, or None. Raises BadInput for a text that is no JSON object."""
        text = self.text(key)
        if text is None:
            return None
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInput(f"{self.name}: {key}: received {text!r:.80}, which is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise BadInput(f"{self.name}: {key}: received {text!r:.80}; accepted is a policy document")
        return found


class Plan:
    """The resources of one preview, found by type, by URN and by what they take from each other."""

    def __init__(self, resources: Sequence[Declared], stack: str, config: Mapping[str, str]) -> None:
        self.resources = tuple(resources)
        self.stack = stack
        self.config = config
        self._by_urn = {one.urn: one for one in resources}

    def of_type(self, token: str) -> Iterator[Declared]:
        return (one for one in self.resources if one.type == token)

    def source(self, one: Declared, key: str, *tokens: str) -> Declared | None:
        """Return the resource of one of the types that a property is taken from."""
        found = (self._by_urn.get(urn) for urn in one.needs.get(key, ()))
        return next((source for source in found if source is not None and source.type in tokens), None)

    def is_of(self, one: Declared, key: str, other: Declared, identifier: str) -> bool:
        """Return whether a property names another resource: by taking it from there, or by its name."""
        if self.source(one, key, other.type) is other:
            return True
        named = one.text(key)
        return named is not None and named == other.text(identifier) and one.account_id == other.account_id


def read_plan(document: Any) -> Plan:
    """Read what `pulumi preview --json --show-sames` printed. Raises BadInput."""
    if not isinstance(document, Mapping) or not isinstance(document.get("steps"), Sequence):
        raise BadInput("received a document without steps; accepted is what `pulumi preview --json` prints")
    states = dict(_states(document["steps"]))
    if not states:
        raise BadInput("the preview holds no resource; accepted is that of a stack with something in it")
    config = document.get("config")
    config = config if isinstance(config, Mapping) else {}
    resources = [
        _declared(urn, state, states, config)
        for urn, state in states.items()
        if state.get("custom") is True and not str(state.get("type", "")).startswith("pulumi:")
    ]
    return Plan(resources, next(iter(states)).split("::")[0].rpartition(":")[2], config)


def _states(steps: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for step in steps:
        if not isinstance(step, Mapping) or not isinstance(step.get("urn"), str):
            raise BadInput(f"received the step {step!r:.80}; accepted is one with op, urn and newState")
        state = step.get("newState")
        if step.get("op") not in _GONE and isinstance(state, Mapping):
            yield step["urn"], state


def _declared(
    urn: str, state: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]
) -> Declared:
    provider = states.get(str(state.get("provider", "")).rpartition("::")[0], {}).get("inputs") or {}
    inputs = state.get("inputs") or {}
    accounts = provider.get("allowedAccountIds") or "[]"
    allowed = json.loads(accounts) if isinstance(accounts, str) else accounts
    region = inputs.get("region") or provider.get("region") or config.get("aws:region", "")
    return Declared(
        urn=urn,
        type=type_of(urn),
        inputs=inputs,
        outputs=state.get("outputs") or {},
        needs=state.get("propertyDependencies") or {},
        account_id=str(allowed[0]) if allowed else str(config.get("interlock:account_id", "")),
        region=str(region),
    )
