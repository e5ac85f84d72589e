"""The evaluator is held against a second implementation, written from AWS's documentation alone."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import (
    Grant,
    Layers,
    Principal,
    Request,
    anonymous,
    federated_user,
    identity_provider,
    role_session,
    root,
    service,
    user,
)
from interlock.failures import BadInput
from tests.interlock.duties.evaluator import second, second_cases


def documented() -> Iterator[Any]:
    """The table's decisions, their documents in place of the names."""
    for path in sorted((Path(__file__).parent / "documented").glob("*.yaml")):
        table = yaml.load(path.read_text(), yaml.CSafeLoader)
        policies = table["policies"]
        for example in table["examples"]:
            if "expected" in example:
                yield pytest.param(
                    with_documents(example, policies, table["principals"]), id=f"{path.stem}: {example['says']}"
                )


def with_documents(example: dict[str, Any], policies: dict[str, Any], principals: dict[str, Any]) -> dict[str, Any]:
    """An example with its principal and its policies written out."""
    case = {**example, "by": principals[example["by"]]}
    for layer in ("identity", "session"):
        case[layer] = [policies[name] for name in example.get(layer, [])]
    for layer in ("scps", "rcps"):
        case[layer] = [[policies[name] for name in level] for level in example.get(layer, [])]
    case |= {layer: policies[example[layer]] for layer in ("resource", "trust", "boundary") if layer in example}
    return case


@pytest.mark.parametrize("case", list(documented()))
def test_the_second_implementation_gives_the_documented_answers(case: dict[str, Any]) -> None:
    assert second.allowed(case) is (case["expected"] == "allow")


CASES = 5100
EXAMINED = 1000
LAYERS = {
    "identity": PolicyKind.IDENTITY,
    "resource": PolicyKind.RESOURCE,
    "trust": PolicyKind.TRUST,
    "boundary": PolicyKind.BOUNDARY,
    "session": PolicyKind.SESSION,
    "scps": PolicyKind.SCP,
    "rcps": PolicyKind.RCP,
}


def first(case: Mapping[str, Any]) -> bool:
    """The evaluator's answer."""
    layers: dict[str, Any] = {"management_account": case.get("management", "")}
    for name, kind in LAYERS.items():
        written = case.get(name)
        if not written:
            continue
        if name in ("scps", "rcps"):
            layers[name] = tuple(tuple(parse(each, kind, name) for each in level) for level in written)
        elif name in ("identity", "session"):
            layers[name] = tuple(parse(each, kind, name) for each in written)
        else:
            layers["resource" if name == "trust" else name] = parse(written, kind, name)
    layers["grants"] = tuple(grant_of(written) for written in case.get("grants", []))
    owner = case.get("owner", "")
    request = Request(principal_of(case["by"]), case["action"], case["on"], case["context"], resource_account=owner)
    return decide(request, Layers(**layers)).allowed


def grant_of(written: Mapping[str, Any]) -> Grant:
    """The evaluator's grant."""
    subset = tuple(written.get("subset", {}).items())
    return Grant(written["key"], written["grantee"], frozenset(written["operations"]), encryption_context_subset=subset)


def principal_of(by: Mapping[str, str]) -> Principal:
    """The evaluator's principal for a caller of the table's shape."""
    if "user" in by:
        return user(by["user"], by.get("id", ""))
    if "role" in by:
        return role_session(by["role"], by["session"])
    if "federated" in by:
        return federated_user(by["federated"], by["issuer"])
    if "root" in by:
        return root(by["root"])
    if "service" in by:
        return service(by["service"])
    return identity_provider(by["provider"]) if "provider" in by else anonymous()


def differ(case: Mapping[str, Any]) -> bool:
    """Whether the two disagree; what is not documented has to be denied."""
    try:
        return first(case) != (second.allowed(case) is True)
    except (BadInput, KeyError, IndexError):
        return False


def smaller(value: Any) -> Iterator[Any]:
    """The JSON value with one member left out, at any depth."""
    if isinstance(value, dict):
        for key in value:
            yield {name: each for name, each in value.items() if name != key}
            yield from ({**value, key: less} for less in smaller(value[key]))
    elif isinstance(value, list):
        for at in range(len(value)):
            yield value[:at] + value[at + 1 :]
            yield from ([*value[:at], less, *value[at + 1 :]] for less in smaller(value[at]))


def shrunk(case: dict[str, Any]) -> dict[str, Any]:
    """The case without all that the disagreement does not need."""
    needed = ("by", "action", "on", "owner", "context")
    for less in smaller(case):
        if all(key in less for key in needed) and less["by"] == case["by"] and differ(less):
            return shrunk(less)
    return case


def test_both_implementations_agree_on_random_cases(record_property: Callable[[str, object], None]) -> None:
    random = Random(20240601)
    answers: Counter[bool | None] = Counter()
    with_layer: dict[str, Counter[bool]] = {name: Counter() for name in LAYERS}
    decided: Counter[str] = Counter()
    for number in range(CASES):
        case = second_cases.case(random)
        answer = second.allowed(case)
        assert first(case) == (answer is True), json.dumps(shrunk(case), indent=1)
        answers[answer] += 1
        for name in (name for name in LAYERS if case.get(name)):
            with_layer[name][answer is True] += 1
            decided[name] += number < EXAMINED and second.allowed({**case, name: []}) is not answer
    record_property("answers", {str(answer): count for answer, count in answers.items()})
    record_property("decided", dict(decided))
    assert answers[True] + answers[False] >= 5000
    assert 0.05 < answers[True] / CASES < 0.95
    for name, counts in with_layer.items():
        assert decided[name] >= 5, f"{name} decided {decided[name]} cases"
        assert 0.05 < counts[True] / counts.total() < 0.95, f"{name}: {counts}"
