"""What a change of the tiers policy means, in sentences for the people who sign it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from interlock.release.evidence import Limit
from interlock.release.tiers import Approvers, Demand, Emergency, TierRules, TiersPolicy


class Effect(StrEnum):
    """Whether a change demands more than before, or less."""

    STRICTER = "stricter"
    LOOSER = "looser"
    OTHER = "other"


@dataclass(frozen=True)
class PolicyChange:
    """One change: where in the policy, what it says, what it does."""

    path: str
    text: str
    effect: Effect

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" + ("" if self.effect is Effect.OTHER else f" ({self.effect})")


def differences(before: TiersPolicy, after: TiersPolicy) -> list[PolicyChange]:
    """Return all that `after` says otherwise than `before`, by path."""
    found = [
        *_of_value("review_by", before.review_by, after.review_by),
        *_of_groups(before.groups, after.groups),
        *_of_set("protected_attributes", before.protected_attributes, after.protected_attributes, added=_STRICTER),
    ]
    for tier in sorted(set(before.tiers) | set(after.tiers)):
        old, new = before.tiers.get(tier), after.tiers.get(tier)
        path = f"tiers.{tier}"
        if old is None or new is None:
            found.append(PolicyChange(path, "is new" if old is None else "is gone", Effect.OTHER))
            continue
        found += _of_tier(path, old, new)
    return found


_STRICTER, _LOOSER = Effect.STRICTER, Effect.LOOSER


def _of_tier(path: str, old: TierRules, new: TierRules) -> Iterator[PolicyChange]:
    for gate in sorted(set(old.evidence) | set(new.evidence)):
        yield from _of_demand(f"{path}.evidence.{gate}", old.evidence.get(gate), new.evidence.get(gate))
    yield from _of_approvals(f"{path}.approvals", old.approvals, new.approvals)
    yield from _of_set(f"{path}.environments", old.environments, new.environments, added=_STRICTER)
    yield from _of_value(f"{path}.rollout", _plain(old.rollout), _plain(new.rollout))
    for name, more in (("retention_days", _STRICTER), ("approval_days", _LOOSER), ("review_days", _LOOSER)):
        yield from _of_value(f"{path}.{name}", getattr(old, name), getattr(new, name), more=more)
    yield from _of_set(f"{path}.sources", old.sources, new.sources, added=_LOOSER)
    yield from _of_emergency(f"{path}.emergency", old.emergency, new.emergency)


def _of_demand(path: str, old: Demand | None, new: Demand | None) -> Iterator[PolicyChange]:
    if old is None or new is None:
        if old is not new:
            yield PolicyChange(
                path, "is demanded now" if old is None else "is demanded no more", _effect(looser=new is None)
            )
        return
    for measure in sorted(set(old.limits) | set(new.limits)):
        yield from _of_limit(f"{path}.{measure}", old.limits.get(measure), new.limits.get(measure))
    for name in sorted(set(old.parameters) | set(new.parameters)):
        yield from _of_value(f"{path}.parameters.{name}", old.parameters.get(name), new.parameters.get(name))
    yield from _of_set(f"{path}.subjects", old.subjects, new.subjects, added=_STRICTER)
    yield from _of_set(f"{path}.signers", old.signers, new.signers, added=_LOOSER)


def _of_limit(path: str, old: Limit | None, new: Limit | None) -> Iterator[PolicyChange]:
    if old == new:
        return
    if old is None or new is None:
        text = f"is limited to {new}" if old is None else f"is no more limited to {old}"
        yield PolicyChange(path, text, _effect(looser=new is None))
        return
    yield PolicyChange(path, f"{old} becomes {new}", _of_numbers(old, new))


def _of_numbers(old: Limit, new: Limit) -> Effect:
    """Compare limits of one direction at one bound; of others nobody can say which demands more."""
    if old.bound is not new.bound:
        return Effect.OTHER
    for inclusive, exclusive, rises in (("at_least", "above", True), ("at_most", "below", False)):
        before, after = (_end(one, inclusive, exclusive) for one in (old, new))
        if before is not None and after is not None:
            (number, strict), (other, now_strict) = before, after
            if number == other:
                return _effect(looser=strict and not now_strict)
            return _effect(looser=(other > number) is not rises)
    return Effect.OTHER


def _end(limit: Limit, inclusive: str, exclusive: str) -> tuple[Decimal, bool] | None:
    for name, strict in ((inclusive, False), (exclusive, True)):
        number: Decimal | None = getattr(limit, name)
        if number is not None:
            return number, strict
    return None


def _of_approvals(path: str, old: Sequence[Approvers], new: Sequence[Approvers]) -> Iterator[PolicyChange]:
    if list(old) == list(new):
        return
    counts = [sum(one.count for one in many) for many in (old, new)]
    effect = Effect.OTHER if counts[0] == counts[1] else _effect(looser=counts[1] < counts[0])
    yield PolicyChange(path, f"{_people(old)} becomes {_people(new)}", effect)


def _people(approvals: Sequence[Approvers]) -> str:
    return " and ".join(f"{one.count} of {one.group or 'all approvers'}" for one in approvals)


def _of_emergency(path: str, old: Emergency | None, new: Emergency | None) -> Iterator[PolicyChange]:
    if old is None or new is None:
        if old is not new:
            yield PolicyChange(
                path, "is a path now" if old is None else "is a path no more", _effect(looser=old is None)
            )
        return
    yield from _of_set(f"{path}.evidence", old.evidence, new.evidence, added=_STRICTER)
    yield from _of_approvals(f"{path}.approvals", old.approvals, new.approvals)
    hours = (old.complete_within_hours, new.complete_within_hours)
    yield from _of_value(f"{path}.complete_within_hours", *hours, more=_LOOSER)


def _of_groups(old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]]) -> Iterator[PolicyChange]:
    for group in sorted(set(old) | set(new)):
        yield from _of_set(f"groups.{group}", old.get(group, ()), new.get(group, ()), added=_LOOSER)


def _of_set(path: str, old: Sequence[str], new: Sequence[str], *, added: Effect) -> Iterator[PolicyChange]:
    for one in new:
        if one not in old:
            yield PolicyChange(path, f"{one} is added", added)
    for one in old:
        if one not in new:
            yield PolicyChange(path, f"{one} is gone", _effect(looser=added is _STRICTER))
    if set(old) == set(new) and list(old) != list(new):
        yield PolicyChange(path, f"{', '.join(old)} becomes {', '.join(new)}", Effect.OTHER)


def _of_value(path: str, old: Any, new: Any, *, more: Effect = Effect.OTHER) -> Iterator[PolicyChange]:
    if old == new:
        return
    effect = more
    if more is not Effect.OTHER and new < old:
        effect = _effect(looser=more is _STRICTER)
    words = ["nothing" if one is None else str(one) for one in (old, new)]
    yield PolicyChange(path, f"{words[0]} becomes {words[1]}", effect)


def _effect(*, looser: bool) -> Effect:
    return _LOOSER if looser else _STRICTER


def _plain(rollout: Any) -> str:
    steps = ", ".join(f"{one} %" for one in rollout.steps_percent)
    return f"{steps}, each {rollout.step_minutes} min, after {rollout.shadow_minutes} min of shadow"
