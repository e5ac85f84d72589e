"""What holds data keeps its identity from version to version: removed, renamed or moved, it would be replaced."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from policy.recording.monitor import Recording, record
from stacks.program import provision
from tests.provisioned.projects import config_of
from tests.stacks.configurations import as_handed_over
from tests.stacks.stateful import RECORD, identities, known_identities, recorded


@pytest.fixture(scope="module")
def registered() -> Recording:
    return record(lambda: provision(as_handed_over(config_of("prod"))), preview=True, stack="prod")


def test_no_recorded_identity_is_lost(registered: Recording) -> None:
    lost = sorted(recorded() - known_identities(registered))
    assert lost == [], f"declare these again, or give what they have become an alias: {lost}"


def test_every_identity_is_recorded(registered: Recording) -> None:
    new = sorted(identities(registered) - recorded())
    assert new == [], f"add to {RECORD.name}, and never take out what a stack may have: {new}"


PLATFORM = ("network", "tracking", "endpoints", "runner", "budget")


@pytest.mark.parametrize("layers", [["foundation", "platform"], ["foundation"]], ids="+".join)
def test_something_protected_stands_on_all_that_is_not_so_that_a_destroy_takes_nothing_before_it_stops(
    layers: list[str],
) -> None:
    """Without its preview, a destroy deletes what nothing depends on first, and finds what is protected later."""
    left_out = {f"interlock:{name}" for name in PLATFORM} if layers == ["foundation"] else set()
    config = {key: value for key, value in config_of("prod").items() if key not in left_out}
    settings = as_handed_over(config | {"interlock:layers": layers})
    made = {one.urn: one for one in record(lambda: provision(settings), preview=True, stack="prod").resources}
    reached = {urn for urn, one in made.items() if one.custom and one.protected}
    waiting = list(reached)
    while waiting:
        one = made[waiting.pop()]
        found = ({one.parent} | one.dependencies) & set(made)
        waiting += found - reached
        reached |= found
    free = [urn for urn, one in made.items() if one.custom and "pulumi:providers" not in one.type]
    assert sorted(set(free) - reached) == []


class Holder(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("interlock:test:Holder", name, {}, opts)


def bucket(name: str = "data", **options: object) -> None:
    aws.s3.Bucket(name, opts=pulumi.ResourceOptions(**options))  # type: ignore[arg-type]


ORIGINAL = "interlock:test:Holder$aws:s3/bucket:Bucket::data"
EDITS = {
    "removed": lambda: None,
    "renamed": lambda: bucket("renamed", parent=Holder("holder")),
    "moved": lambda: bucket(),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_that_loses_an_identity_is_seen(edit: object) -> None:
    before = record(lambda: bucket(parent=Holder("holder")), preview=True)
    assert identities(before) == {ORIGINAL}
    assert ORIGINAL not in known_identities(record(edit, preview=True))  # type: ignore[arg-type]


def test_an_alias_keeps_what_was_renamed_or_moved() -> None:
    def renamed() -> None:
        bucket("renamed", parent=Holder("holder"), aliases=[pulumi.Alias(name="data")])

    def moved() -> None:
        bucket(aliases=[pulumi.Alias(parent=Holder("holder"))])

    assert ORIGINAL in known_identities(record(renamed, preview=True))
    assert ORIGINAL in known_identities(record(moved, preview=True))
