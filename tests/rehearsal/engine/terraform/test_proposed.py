"""What is proposed to a provider: the configuration, and from the prior state what it leaves open."""

from __future__ import annotations

from typing import Any

from rehearsal.engine.terraform.proposed import normalized, proposed_new
from rehearsal.engine.terraform.schema import Attribute, Block, NestedBlock, Nesting
from rehearsal.engine.terraform.values import UNKNOWN

INNER = Block({"name": Attribute("string", required=True), "id": Attribute("string", computed=True)}, {})


def block(nesting: Nesting) -> Block:
    return Block(
        {
            "given": Attribute("string", optional=True),
            "either": Attribute("string", optional=True, computed=True),
            "arn": Attribute("string", computed=True),
        },
        {"rule": NestedBlock(nesting, INNER)},
    )


def test_computed_attributes_are_kept_and_others_follow_the_configuration() -> None:
    prior = {"given": "old", "either": "was", "arn": "arn:1", "rule": []}
    config: dict[str, Any] = {"given": None, "either": None, "arn": None, "rule": []}
    assert proposed_new(block(Nesting.LIST), prior, config) == {
        "given": None,
        "either": "was",
        "arn": "arn:1",
        "rule": [],
    }


def test_a_configured_value_wins_over_the_prior_one() -> None:
    prior = {"given": "old", "either": "was", "arn": "arn:1", "rule": []}
    config = {"given": "new", "either": UNKNOWN, "arn": None, "rule": []}
    proposed = proposed_new(block(Nesting.LIST), prior, config)
    assert (proposed["given"], proposed["either"]) == ("new", UNKNOWN)


def test_blocks_in_a_list_are_matched_by_place() -> None:
    prior = {"rule": [{"name": "a", "id": "1"}, {"name": "b", "id": "2"}]}
    config = {"rule": [{"name": "b", "id": None}]}
    assert proposed_new(block(Nesting.LIST), prior, config)["rule"] == [{"name": "b", "id": "1"}]


def test_blocks_in_a_set_are_matched_by_what_is_configured() -> None:
    prior = {"rule": [{"name": "a", "id": "1"}, {"name": "b", "id": "2"}]}
    config = {"rule": [{"name": "b", "id": None}, {"name": "c", "id": None}]}
    assert proposed_new(block(Nesting.SET), prior, config)["rule"] == [
        {"name": "b", "id": "2"},
        {"name": "c", "id": None},
    ]


def test_one_prior_element_of_a_set_serves_only_one_new_one() -> None:
    prior = {"rule": [{"name": "a", "id": "1"}]}
    config = {"rule": [{"name": "a", "id": None}, {"name": "a", "id": None}]}
    assert [rule["id"] for rule in proposed_new(block(Nesting.SET), prior, config)["rule"]] == ["1", None]


def test_nothing_is_proposed_from_nothing_but_the_configuration() -> None:
    config = {"given": "x", "either": None, "arn": None, "rule": [{"name": "a", "id": None}]}
    assert proposed_new(block(Nesting.LIST), None, config) == config


def test_an_older_provider_s_null_blocks_become_empty_collections() -> None:
    state = {"given": None, "either": None, "arn": None, "rule": None}
    assert normalized(block(Nesting.SET), state)["rule"] == []
