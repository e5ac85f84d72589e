"""People and duties that do not go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock.duties.duty import Duty
from interlock.duties.people import excluded
from interlock.rules import Problem, shown
from interlock.settings.contradictions.written import (
    Check,
    Written,
    has_layer,
    is_of,
    number_at,
    sections_at,
    text_at,
    value_at,
)
from interlock.settings.section import PREFIX, Environment, Layer

PEOPLE: Final = "duties.people"
DEFAULT_THRESHOLD: Final = 2
WITH_MFA: Final = (Duty.BREAK_GLASS, Duty.FOUNDATION, Duty.PLATFORM)
"""Duties whose roles nobody assumes without an MFA."""


def _conflicting_duties(written: Written) -> Iterator[Problem]:
    for number, person in enumerate(sections_at(written, PEOPLE)):
        duties = _duties(person)
        for one, other, why in excluded(duties):
            received = f"{one} and {other} for {person.get('name')!r}"
            yield Problem(f"{PREFIX}{PEOPLE}[{number}].duties", received, f"one of the two, because {why}")


def _one_person_twice(written: Written) -> Iterator[Problem]:
    people = sections_at(written, PEOPLE)
    for field, what in (("name", "people named"), ("source_identity", "people with source identity")):
        yield from _repeated(people, field, what)
    ways = Counter(way for person in people if (way := _way(person)) is not None)
    for way, count in ways.items():
        if count > 1:
            # Two names of one person would be two people wherever two are asked for.
            yield Problem(f"{PREFIX}{PEOPLE}", f"{count} people who come as {way}", "every person once")
    yield from _repeated(sections_at(written, "duties.pipelines"), "name", "pipelines named", "duties.pipelines")


def _no_way_in(written: Written) -> Iterator[Problem]:
    for number, person in enumerate(sections_at(written, PEOPLE)):
        given = [one for one in ("user_arn", "single_sign_on") if person.get(one) is not None]
        where = f"{PREFIX}{PEOPLE}[{number}]"
        if len(given) != 1:
            yield Problem(where, " and ".join(given) or "neither", "either user_arn or single_sign_on")
        elif given == ["single_sign_on"] and (asking := [one for one in WITH_MFA if one in _duties(person)]):
            accepted = (
                f"user_arn for {' and '.join(asking)}, which takes an MFA: a role of IAM Identity Center does not say "
                "that there was an MFA"
            )
            yield Problem(f"{where}.single_sign_on", shown(person["single_sign_on"]), accepted)


def _too_few_for_the_foundation(written: Written) -> Iterator[Problem]:
    if not isinstance(value_at(written, "duties"), Mapping):
        return
    threshold = number_at(written, "duties.foundation_threshold")
    wanted = DEFAULT_THRESHOLD if threshold is None else threshold
    if is_of(written, Environment.STAGING, Environment.PROD) and wanted < DEFAULT_THRESHOLD:
        accepted = f"{DEFAULT_THRESHOLD} or more in environment {written['environment']}"
        yield Problem(f"{PREFIX}duties.foundation_threshold", str(wanted), accepted)
    people = _having(written, Duty.FOUNDATION)
    if has_layer(written, Layer.FOUNDATION) and len(people) < wanted:
        names = ", ".join(str(one.get("name")) for one in people) or "nobody"
        accepted = f"{wanted} or more different people with duty foundation, as foundation_threshold says"
        yield Problem(f"{PREFIX}{PEOPLE}", names, accepted)


def _approvers_and_their_keys(written: Written) -> Iterator[Problem]:
    if not isinstance(value_at(written, "duties"), Mapping) or not has_layer(written, Layer.FOUNDATION):
        return
    keys = {str(one.get("name")): one.get("source_identity") for one in sections_at(written, "approvers")}
    approvers = {str(one.get("name")) for one in _having(written, Duty.APPROVER)}
    for number, person in enumerate(sections_at(written, PEOPLE)):
        name = str(person.get("name"))
        if name in approvers and keys.get(name) != person.get("source_identity"):
            has = f"the key of source identity {keys[name]!r}" if name in keys else "no key"
            accepted = "an entry of approvers with the same name and source_identity"
            yield Problem(f"{PREFIX}{PEOPLE}[{number}]", f"approver {name!r} with {has}", accepted)
    for name in keys:
        if name not in approvers:
            accepted = "a person of duties.people with duty approver"
            yield Problem(f"{PREFIX}approvers", f"a key of {name!r}, who has no duty approver", accepted)


def _people_of_another_account(written: Written) -> Iterator[Problem]:
    accounts = {
        text
        for path in ("account_id", "accounts.evidence.account_id", "accounts.audit.account_id")
        if (text := text_at(written, path)) is not None
    }
    for number, person in enumerate(sections_at(written, PEOPLE)):
        arn = person.get("user_arn")
        if isinstance(arn, str) and arn.count(":") >= 5 and arn.split(":")[4] not in accounts:
            accepted = f"a user of one of the accounts {', '.join(sorted(accounts))}"
            yield Problem(f"{PREFIX}{PEOPLE}[{number}].user_arn", repr(arn), accepted)


def _repeated(people: Sequence[Written], field: str, what: str, path: str = PEOPLE) -> Iterator[Problem]:
    values = [value for one in people if isinstance(value := one.get(field), str)]
    for value, count in Counter(values).items():
        if count > 1:
            yield Problem(f"{PREFIX}{path}", f"{count} {what} {value!r}", "every one once")


def _way(person: Written) -> str | None:
    if isinstance(person.get("user_arn"), str):
        return str(person["user_arn"])
    way: Any = person.get("single_sign_on")
    return f"{way.get('user_name')} by {way.get('role_arn')}" if isinstance(way, Mapping) else None


def _having(written: Written, duty: Duty) -> list[Written]:
    return [one for one in sections_at(written, PEOPLE) if duty in _duties(one)]


def _duties(person: Written) -> list[Duty]:
    listed = person.get("duties")
    known = {duty.value for duty in Duty}
    return [Duty(one) for one in listed if isinstance(one, str) and one in known] if isinstance(listed, list) else []


CHECKS: Final[Sequence[Check]] = (
    _conflicting_duties,
    _one_person_twice,
    _no_way_in,
    _too_few_for_the_foundation,
    _approvers_and_their_keys,
    _people_of_another_account,
)
