"""Principals that the settings name: of which account they may be, and how many duties one may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock import rules
from interlock.duties.duty import SigningDuty
from interlock.rules import Problem, shown
from interlock.settings.contradictions.places import ACCOUNTS
from interlock.settings.contradictions.written import Check, Written, has_layer, is_of, text_at, value_at
from interlock.settings.section import PREFIX, Environment, Layer


def _strangers(written: Written) -> Iterator[Problem]:
    known = {account: text_at(written, path) for account, (path, _) in ACCOUNTS.items()}
    if known["workload"] is None or not all(one is None or rules.account_id.holds(one) for one in known.values()):
        return
    # A key's policy lets nobody outside of its account administer it, and no keys are in the audit's.
    having_keys = {known["workload"], known["evidence"]}
    for path, arns in _named(written):
        accounts = {one for one in (having_keys if path == "administrators" else known.values()) if one}
        for arn in arns:
            if arn.split(":")[4] not in accounts:
                accepted = f"principals of accounts that the settings name: {', '.join(sorted(accounts))}"
                yield Problem(f"{PREFIX}{path}", repr(arn), accepted)


def _other_partition(written: Written) -> Iterator[Problem]:
    region = text_at(written, "region")
    if region is None or not rules.region.holds(region):
        return
    partition = rules.partition_of(region)
    for path, arns in (*_named(written), *_roles(written)):
        for arn in arns:
            if arn.split(":")[1] != partition:
                accepted = f"ARNs of the partition {partition}, which {region} is in"
                yield Problem(f"{PREFIX}{path}", repr(arn), accepted)


def _nobody_signs(written: Written) -> Iterator[Problem]:
    if not _names_its_people(written):
        return
    signers = value_at(written, "signers")
    missing = [duty.value for duty in SigningDuty if not (isinstance(signers, Mapping) and signers.get(duty.value))]
    if missing:
        received = "nothing" if signers is None else shown(signers)
        accepted = f"in environment prod the ARNs of those who alone may sign, for {', '.join(missing)} too"
        yield Problem(f"{PREFIX}signers", received, accepted)


def _nobody_publishes(written: Written) -> Iterator[Problem]:
    if not _names_its_people(written):
        return
    publishers = value_at(written, "images.publishers")
    if not publishers:
        received = "nothing" if publishers is None else shown(publishers)
        accepted = "in environment prod the ARNs of those who alone may push images"
        yield Problem(f"{PREFIX}images.publishers", received, accepted)


def _several_duties(written: Written) -> Iterator[Problem]:
    if not is_of(written, Environment.PROD):
        return
    duties: dict[str, list[str]] = {}
    for path, arns in _named(written):
        section, _, duty = path.partition(".")
        # Who publishes an image signs for it as the builder.
        one = {"signers": duty, "images": SigningDuty.BUILDER.value, "administrators": "administering keys"}[section]
        for arn in arns:
            if one not in duties.setdefault(arn, []):
                duties[arn].append(one)
    for arn, several in duties.items():
        if len(several) > 1:
            accepted = f"in environment prod one duty a principal, and {arn} has {' and '.join(several)}"
            yield Problem(f"{PREFIX}signers", repr(arn), accepted)


def _named(written: Written) -> list[tuple[str, list[str]]]:
    """Return the right ARNs of principals that stand in the settings, by path."""
    signers = value_at(written, "signers")
    of_duties = [(f"signers.{duty}", arns) for duty, arns in signers.items()] if isinstance(signers, Mapping) else []
    paths: list[tuple[str, Any]] = [
        ("administrators", value_at(written, "administrators")),
        *of_duties,
        ("images.publishers", value_at(written, "images.publishers")),
    ]
    return [(path, [arn for arn in arns if rules.iam_principal.holds(arn)]) for path, arns in paths if _is_list(arns)]


def _roles(written: Written) -> list[tuple[str, list[str]]]:
    found = [(path, text_at(written, path)) for _, path in ACCOUNTS.values()]
    return [(path, [arn]) for path, arn in found if arn is not None and rules.role_arn.holds(arn)]


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _names_its_people(written: Written) -> bool:
    # With a section duties, the foundation makes the roles that sign and publish itself.
    has_roles = isinstance(value_at(written, "duties"), Mapping)
    return is_of(written, Environment.PROD) and has_layer(written, Layer.FOUNDATION) and not has_roles


CHECKS: Final[Sequence[Check]] = (
    _strangers,
    _other_partition,
    _nobody_signs,
    _nobody_publishes,
    _several_duties,
)
