"""What has to be there, once and no more, for the layers that a stack provisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from interlock.rules import Problem, shown
from interlock.settings.contradictions.written import Check, Written, has_layer, sections_at, value_at
from interlock.settings.section import PREFIX, Layer


def _missing_sections(written: Written) -> Iterator[Problem]:
    if has_layer(written, Layer.PLATFORM):
        for name in ("network", "tracking"):
            if name not in written and not (name == "tracking" and "existing_tracking" in written):
                yield Problem(f"{PREFIX}{name}", "nothing", f"a section {name}, which the layer platform needs")


def _ledger_of_nobody(written: Written) -> Iterator[Problem]:
    if written.get("ledger") is None:
        return
    if not has_layer(written, Layer.FOUNDATION):
        yield Problem(f"{PREFIX}ledger", shown(written["ledger"]), "nothing, as the foundation is another stack's")
    elif written.get("duties") is None:
        accepted = "a section duties, whose roles sequencer and witness the ledger's functions run under"
        yield Problem(f"{PREFIX}duties", "nothing", accepted)


def _one_tracking(written: Written) -> Iterator[Problem]:
    if "tracking" in written and "existing_tracking" in written:
        accepted = "nothing beside tracking, or no section tracking"
        yield Problem(f"{PREFIX}existing_tracking", shown(written["existing_tracking"]), accepted)


def _one_foundation(written: Written) -> Iterator[Problem]:
    reference = written.get("foundation_stack")
    if has_layer(written, Layer.FOUNDATION):
        if reference is not None:
            accepted = "nothing, as the stack has the layer foundation itself"
            yield Problem(f"{PREFIX}foundation_stack", shown(reference), accepted)
    elif reference is None and has_layer(written, Layer.PLATFORM):
        accepted = "the full name of the stack that has the layer foundation, such as organization/interlock/prod"
        yield Problem(f"{PREFIX}foundation_stack", "nothing", accepted)


def _repeated(written: Written) -> Iterator[Problem]:
    for section, field, what, accepted in (
        ("endpoints", "name", "endpoints named", "every name once"),
        ("approvers", "name", "approvers named", "every name once"),
        # Two keys of one person would be two approvals by one person.
        ("approvers", "source_identity", "approvers with source identity", "every person once"),
    ):
        for value, count in Counter(_texts(written, section, field)).items():
            if count > 1:
                yield Problem(f"{PREFIX}{section}", f"{count} {what} {value!r}", accepted)


def _replica_of_nothing(written: Written) -> Iterator[Problem]:
    replicas, keys = value_at(written, "keys.existing_replica_arns"), value_at(written, "keys.existing_key_arns")
    if not isinstance(replicas, Mapping):
        return
    for duty, arn in replicas.items():
        where = f"{PREFIX}keys.existing_replica_arns.{duty}"
        if not isinstance(keys, Mapping) or duty not in keys:
            accepted = f"nothing, unless keys.existing_key_arns.{duty} names the key that it is a replica of"
            yield Problem(where, shown(arn), accepted)
        elif "recovery" not in written:
            yield Problem(where, shown(arn), "nothing, unless there is a section recovery")


def _replication_of_others(written: Written) -> Iterator[Problem]:
    owner, others = value_at(written, "images.replicated_by"), value_at(written, "images.replicates")
    if owner is not None and others:
        accepted = f"nothing, as {owner} has the images copied for this stack itself"
        yield Problem(f"{PREFIX}images.replicates", shown(others), accepted)
    for path, value in (("images.replicated_by", owner), ("images.replicates", others)):
        if value and "recovery" not in written:
            yield Problem(f"{PREFIX}{path}", shown(value), "nothing, unless there is a section recovery to copy to")


def _recovery_of_nothing(written: Written) -> Iterator[Problem]:
    for path in ("keys.existing_recovery_data_key_arn", "runner.existing_recovery_cluster_arn"):
        value = value_at(written, path)
        if value is not None and "recovery" not in written:
            yield Problem(f"{PREFIX}{path}", shown(value), "nothing, unless there is a section recovery")


def _texts(written: Written, section: str, field: str) -> Sequence[str]:
    return [value for one in sections_at(written, section) if isinstance(value := one.get(field), str)]


CHECKS: Final[Sequence[Check]] = (
    _missing_sections,
    _ledger_of_nobody,
    _one_tracking,
    _one_foundation,
    _repeated,
    _replica_of_nothing,
    _replication_of_others,
    _recovery_of_nothing,
)
