"""A state goes to Pulumi's outputs and comes back as it was, whatever the type and whatever it holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.engine.aws.catalogue import ResourceType, Types
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.aws.outputs import keep_secrets, to_properties
from rehearsal.engine.aws.properties import Properties, Secret, decode, encode, reveal
from rehearsal.engine.aws.state import outputs_of, prior_state
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.engine.terraform.client import ProviderClient, State
from rehearsal.engine.terraform.schema import Block, Nesting
from rehearsal.engine.terraform.values import equal
from rehearsal.setup.tools import Tools

TOKENS = [
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ecs/service:Service",
    "aws:lb/targetGroup:TargetGroup",
    "aws:rds/instance:Instance",
    "aws:sagemaker/endpoint:Endpoint",
    "aws:sagemaker/model:Model",
    "aws:iam/role:Role",
    "aws:dynamodb/table:Table",
]


@pytest.fixture(scope="module")
def types(tools: Tools) -> Types:
    cache = tools.cache / "schemas"
    return Types(Catalogue(tools.provider, cache), Descriptions(cache))


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return known values of a type."""
    if kind == "string":
        return st.none() | st.text('ab1{"é', max_size=3) | st.sampled_from(["true", "30"])
    if kind == "number":
        return st.none() | st.integers(-(2**40), 2**40)
    if kind == "bool":
        return st.none() | st.booleans()
    if kind[0] in ("list", "set"):
        # A null element of a list cannot be told from an empty one once a list of one is flattened.
        return st.none() | st.lists(values_of(kind[1]).filter(lambda item: item is not None), max_size=2)
    if kind[0] == "map":
        return st.none() | st.dictionaries(st.text("ab.", max_size=3), values_of(kind[1]), max_size=2)
    return st.fixed_dictionaries({name: values_of(inner) for name, inner in kind[1].items()})


def states_of(block: Block, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Return states that a provider could answer with: blocks are never null, and at most as many as allowed."""
    fields: dict[str, st.SearchStrategy[Any]] = {name: values_of(item.type) for name, item in block.attributes.items()}
    for name, nested in block.blocks.items():
        inner = states_of(nested.block, depth + 1)
        if nested.nesting in (Nesting.LIST, Nesting.SET):
            most = 0 if depth > 2 else min(nested.max_items or 2, 2)
            fields[name] = st.lists(inner, max_size=most)
        else:
            fields[name] = st.none() | inner
    return st.fixed_dictionaries(fields)


@pytest.mark.parametrize("token", TOKENS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_outputs_give_back_the_state_they_were_made_of(types: Types, token: str, data: st.DataObject) -> None:
    kind: ResourceType = types.resource(token)
    state = data.draw(states_of(kind.block))
    outputs = decode(encode(outputs_of(kind, State(state, b"private"), {}, "eu-west-1")))
    back = prior_state(kind, outputs, _no_client())
    assert back.private == b"private"
    assert equal(back.value, state, kind.block.type)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_pulumi_shows_has_only_names_that_the_sdk_knows(types: Types, data: st.DataObject) -> None:
    kind = types.resource("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    shown = to_properties(kind.members, data.draw(states_of(kind.block)))
    assert shown.keys() <= kind.members.properties.keys()
    for rule in shown.get("rules", []):
        assert all("_" not in name for name in rule)


def _no_client() -> ProviderClient:
    """A state of the present version needs no provider to be read."""
    return None  # type: ignore[return-value]


secret_or_not = st.recursive(
    st.text("xyz", max_size=12).map(Secret) | st.text("abc", max_size=12) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["one", "two", "tags"]), secret_or_not, max_size=3), st.randoms())
def test_no_secret_of_the_inputs_is_open_in_the_outputs(inputs: Properties, random: Any) -> None:
    outputs = {name: _shuffled(reveal(value), random) for name, value in inputs.items()}
    kept = keep_secrets(outputs | {"copy": _texts(inputs)}, inputs)
    open_texts = set(_open_texts(kept))
    assert not [secret for secret in _texts(inputs) if len(secret) >= 8 and secret in open_texts]
    assert reveal(kept)["copy"] == _texts(inputs)


def test_a_secret_is_kept_at_its_own_place_and_its_neighbour_stays_open() -> None:
    inputs: Properties = {"settings": {"password": Secret("a"), "user": "me"}}
    assert keep_secrets(reveal(inputs), inputs) == inputs


def _texts(value: Any) -> list[str]:
    if isinstance(value, Secret):
        return [text for text in [reveal(value)] if isinstance(text, str)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []


def _open_texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _open_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _open_texts(item)]
    return [value] if isinstance(value, str) else []


def _shuffled(value: Any, random: Any) -> Any:
    if isinstance(value, list):
        items = [_shuffled(item, random) for item in value]
        random.shuffle(items)
        return items
    return {name: _shuffled(item, random) for name, item in value.items()} if isinstance(value, dict) else value
