"""How settings differ, in words: what a difference decides, and in which of the two."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

import pytest

from interlock.settings.difference import Difference, differences
from interlock.settings.model import Settings
from interlock.settings.reading import read_settings
from interlock.settings.section import Means, Section
from tests.stacks.configurations import local, prod, recovery_network, section


def found(first: dict[str, str], second: dict[str, str]) -> dict[str, Difference]:
    stacks = read_settings("dev", first), read_settings("other", second)
    return {one.path: one for one in differences(("dev", "prod"), *stacks)}


def test_a_setting_that_is_on_in_one_alone_says_what_that_one_has() -> None:
    difference = found(local(), prod())["tracking.database.multi_az"]
    assert (difference.first, difference.second) == (False, True)
    assert difference.words == "the database survives the loss of a zone only in prod"
    assert difference.section == "tracking"


def test_a_quantity_says_how_much_more() -> None:
    difference = found(local(vault={"retention_days": 40}), local(vault={"retention_days": 400}))[
        "vault.retention_days"
    ]
    assert difference.words == "days that every object of the vault is locked at least: 360 more in prod"


def test_a_default_counts_as_if_it_had_been_written() -> None:
    written = section("tracking", database={**section("tracking")["database"], "multi_az": True})
    left_out = section("tracking", database={**section("tracking")["database"]})
    del left_out["database"]["multi_az"]
    assert found(local(tracking=written), local(tracking=left_out)) == {}


def test_a_section_that_one_has_and_the_other_has_not_is_told_with_what_is_in_it() -> None:
    there = {"region": "eu-central-1", "network": recovery_network()}
    differing = found(local(), local(recovery=there))
    assert differing["recovery"].words == "the stack survives the loss of its region only in prod"
    assert (differing["recovery.region"].first, differing["recovery.region"].second) == (None, "eu-central-1")
    assert "recovery.network.existing" not in differing


def test_what_has_a_name_is_compared_by_it_and_not_by_its_place() -> None:
    one, other = ({"name": name, "image": section("runner")["image"]} for name in ("fraud", "credit"))
    assert found(local(endpoints=[one, other]), local(endpoints=[other, one])) == {}
    slower = {**one, "p99_latency_limit_ms": 700}
    differing = found(local(endpoints=[one]), local(endpoints=[other, slower]))
    assert set(differing) >= {"endpoints[credit]", "endpoints[fraud].p99_latency_limit_ms"}
    assert differing["endpoints[credit]"].words == "models serve at it: credit only in prod"


def test_settings_outside_of_sections_are_of_the_stack() -> None:
    assert found(local(), local(log_retention_days=60))["log_retention_days"].section == "stack"


def test_equal_settings_do_not_differ() -> None:
    assert found(prod(), prod()) == {}


def leaves(model: type[Section], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting that there can be, by path, with the sections that may be missing."""
    for name, field in model.model_fields.items():
        where = f"{path}.{name}" if path else name
        inner = list(_sections(field.annotation))
        if not inner or type(None) in get_args(field.annotation):
            yield where, field
        for one in inner:
            yield from leaves(one, where)


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if get_origin(annotation) in (Union, types.UnionType, Annotated, list):
        for one in get_args(annotation):
            yield from _sections(one)
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation


@pytest.mark.parametrize(("path", "field"), list(leaves(Settings)))
def test_every_setting_can_say_what_it_decides(path: str, field: Any) -> None:
    assert [one.words for one in field.metadata if isinstance(one, Means)], path
