"""The world that a preview would bring about: every principal, policy and key of both layers, before anything exists.

Source of the format: pulumi/pkg, backend/display/json.go, PreviewDigest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from interlock.cost.plan import is_unknown, type_of
from interlock.duties.world import Document
from interlock.failures import BadInput

FOUNDATION_STACK: Final = "interlock:foundation_stack"
LAYERS: Final = "interlock:layers"
ADMINISTRATORS: Final = "interlock:administrators"
DUTIES: Final = "interlock:duties"
_FOUNDATIONS: Final = (ADMINISTRATORS, "interlock:endpoints", "interlock:live_state")
"""Keys and vault are the foundation's, and so is who administers them; its settings name what duties' roles act on."""
PROVIDER: Final = "pulumi:providers:aws"
_PARTS_OF_A_URN: Final = 4
_DIGITS: Final = "0000000"
"""What stands for the digits that Pulumi ends a name with."""
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
        return None if text is None else self.read(key, text)

    def read(self, key: str, text: Any) -> Document | None:
        """Return a policy document of a text inside of a property. Raises BadInput for one that is no JSON object."""
        if not isinstance(text, str) or is_unknown(text):
            return None
        found = _json(text, f"{self.name}: {key}")
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

    def is_a(self, urn: str, tokens: Sequence[str]) -> bool:
        """Return whether a URN is that of a resource of one of the types."""
        found = self._by_urn.get(urn)
        return found is not None and found.type in tokens

    def stands_for(self, name: str) -> bool:
        """Return whether the full name of a stack, such as organization/interlock/prod, is this one's."""
        return name.rpartition("/")[2] == self.stack

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


def name_of(one: Declared) -> str:
    """Return the name that a resource is given, or one like that which Pulumi will draw for it."""
    return one.text("name") or f"{one.name}-{_DIGITS}"


def read_plan(document: Any) -> Plan:
    """Read what `pulumi preview --json --show-sames` printed. Raises BadInput."""
    if not isinstance(document, Mapping) or not isinstance(document.get("steps"), Sequence):
        raise BadInput("received a document without steps; accepted is what `pulumi preview --json` prints")
    states = dict(_states(document["steps"]))
    if not states:
        raise BadInput("the preview holds no resource; accepted is that of a stack with something in it")
    config = document.get("config")
    config = config if isinstance(config, Mapping) else {}
    for key, value in config.items():
        if not isinstance(value, str):
            raise BadInput(f"config: {key}: received {value!r:.80}; accepted is a text")
    resources = [
        _declared(urn, state, states, config)
        for urn, state in states.items()
        if state.get("custom") is True and not str(state.get("type", "")).startswith("pulumi:")
    ]
    return Plan(resources, next(iter(states)).split("::")[0].rpartition(":")[2], config)


def read_plans(*documents: Any, sources: Sequence[str] = ()) -> Plan:
    """Read the preview of a stack, or those of a platform and of the foundation that it stands on, as one of both.

    Raises BadInput, which says which of `sources` cannot be read if they are given.
    """
    plans = [_read(one, source) for one, source in zip_longest(documents, sources, fillvalue="")]
    if len(plans) == 1:
        return plans[0]
    foundations = [one for one in plans if not stands_on(one.config)]
    platforms = [one for one in plans if stands_on(one.config)]
    if len(foundations) != 1 or len(platforms) != 1 or not foundations[0].stands_for(stands_on(platforms[0].config)):
        names = ", ".join(one.stack for one in plans)
        raise BadInput(
            f"received the previews of {names}; accepted is one of a stack, or that of a platform with that of the "
            "stack that its interlock:foundation_stack names"
        )
    return _of_both_layers(foundations[0], platforms[0])


def _read(document: Any, source: str) -> Plan:
    try:
        return read_plan(document)
    except BadInput as error:
        if not source:
            raise
        raise BadInput(f"{source}: {error}") from error


def stands_on(config: Mapping[str, str]) -> str:
    """Return the name of the stack whose foundation a stack's platform stands on, or nothing."""
    return str(config.get(FOUNDATION_STACK) or "")


def _of_both_layers(foundation: Plan, platform: Plan) -> Plan:
    config = {**foundation.config, **platform.config, LAYERS: json.dumps(["foundation", "platform"])}
    del config[FOUNDATION_STACK]
    for key in _FOUNDATIONS:
        config.pop(key, None)
    config |= {key: value for key, value in foundation.config.items() if key in _FOUNDATIONS}
    if DUTIES in foundation.config:
        duties = _json(foundation.config[DUTIES], DUTIES)
        config[DUTIES] = json.dumps({key: value for key, value in duties.items() if key != "platform_stack"})
    return Plan((*foundation.resources, *platform.resources), platform.stack, config)


def _states(steps: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for step in steps:
        if not isinstance(step, Mapping) or not isinstance(step.get("urn"), str):
            raise BadInput(f"received the step {step!r:.80}; accepted is one with op, urn and newState")
        state = step.get("newState")
        if step.get("op") not in _GONE and isinstance(state, Mapping):
            yield _checked(step["urn"], state), state


def _checked(urn: str, state: Mapping[str, Any]) -> str:
    """Return the URN of a state that has the form of one. Raises BadInput."""
    if not urn.startswith("urn:pulumi:") or urn.count("::") < _PARTS_OF_A_URN - 1:
        raise BadInput(f"received the step {urn!r:.80}; accepted is the URN of a resource, urn:pulumi:STACK::…")
    for key in ("inputs", "outputs", "propertyDependencies"):
        if not isinstance(state.get(key) or {}, Mapping):
            raise BadInput(f"{urn}: {key}: received {state[key]!r:.80}; accepted is an object")
    for key, needed in (state.get("propertyDependencies") or {}).items():
        if not isinstance(needed, list) or not all(isinstance(one, str) for one in needed):
            raise BadInput(f"{urn}: propertyDependencies: {key}: received {needed!r:.80}; accepted is a list of URNs")
    return urn


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"{source}: received {text!r:.80}, which is no JSON: {error}") from error


def _declared(
    urn: str, state: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]
) -> Declared:
    provider = states.get(str(state.get("provider", "")).rpartition("::")[0], {}).get("inputs") or {}
    inputs = state.get("inputs") or {}
    accounts = provider.get("allowedAccountIds") or "[]"
    allowed = _json(accounts, f"{urn}: allowedAccountIds") if isinstance(accounts, str) else accounts
    if not isinstance(allowed, list):
        raise BadInput(f"{urn}: allowedAccountIds: received {accounts!r:.80}; accepted is a list of accounts")
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
