"""What the pins of a release demand of it, and where each gate that is demanded stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from interlock.release.evidence import Evidence, GateName, Outcome
from interlock.release.pin_statement import PinPredicate
from interlock.release.tiers import Demand, TierRules, TiersPolicy
from interlock.release.trust.document import KeyDuty


@dataclass(frozen=True)
class Demanded:
    """What pins demand: the part of a policy that their requests fall under."""

    pins: tuple[PinPredicate, ...]
    """Those that demand it, one for each name and environment that was asked for: each may have another champion."""
    policy: TiersPolicy
    digest: str
    """The policy's."""
    tier: str
    rules: TierRules
    demands: Mapping[GateName, Demand]

    @property
    def pin(self) -> PinPredicate:
        """The first of them."""
        return self.pins[0]

    def is_ours(self, gate: GateName) -> bool:
        """Say whether the builder's own evidence counts for a gate."""
        return KeyDuty.BUILDER in self.demands[gate].signers


@dataclass(frozen=True)
class Standing:
    """Where one gate stands under one policy: passed if something counts for it and nothing speaks against it."""

    gate: GateName
    policy: str
    tier: str
    evidence: tuple[Evidence, ...]
    missing: str = ""
    """Why there is no evidence, where that is known."""

    @property
    def passed(self) -> bool:
        return bool(self.evidence) and all(one.outcome is Outcome.PASSED for one in self.evidence)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass, a sentence each."""
        if not self.evidence:
            return (self.missing or "it was not measured",)
        return tuple(reason for one in self.evidence for reason in one.reasons)


def terms_in(pins: Sequence[PinPredicate], policies: Mapping[str, TiersPolicy], in_force: str | None) -> list[Demanded]:
    """Return what the pins under the policy in force demand, or where there are none, those under any known one.

    Pins that demand the same are in one.
    """
    submitted = [one for one in pins if one.request is not None and one.policy in policies]
    current = [one for one in submitted if one.policy == in_force] or submitted
    found: dict[tuple[str, str, tuple[str, ...]], Demanded] = {}
    for pin in current:
        assert pin.request is not None
        asked, policy = pin.request.document, policies[pin.policy]
        rules = policy.tiers.get(asked.tier)
        if rules is None or (asked.emergency and rules.emergency is None):
            continue
        demands = rules.demands(asked.produces, emergency=asked.emergency)
        named = (pin.policy, asked.tier.value, tuple(sorted(demands)))
        same = found.setdefault(named, Demanded((), policy, pin.policy, asked.tier.value, rules, demands))
        if _place(pin) not in map(_place, same.pins):
            found[named] = replace(same, pins=(*same.pins, pin))
    return [found[key] for key in sorted(found)]


def _place(pin: PinPredicate) -> tuple[str, str] | None:
    return (pin.request.document.name, pin.request.document.environment) if pin.request else None


@dataclass(frozen=True)
class SignedEvidence:
    """Evidence of a record, and the duties of the keys that signed it."""

    evidence: Evidence
    duties: frozenset[KeyDuty]

    def counts(self, demand: Demand) -> bool:
        """Say whether it speaks about a gate: for it if the policy names its signers, against it whoever signed."""
        return self.evidence.outcome is not Outcome.PASSED or bool(self.duties & set(demand.signers))


def standings(
    demanded: Demanded,
    recorded: Sequence[SignedEvidence],
    *,
    only: Collection[GateName],
    missing: Mapping[GateName, str],
) -> Iterator[Standing]:
    """Yield where each demanded gate among `only` stands, by name.

    Evidence for another tier does not count for this one; failed evidence speaks against it under any tier.
    """
    for gate in sorted(set(demanded.demands) & set(only)):
        about = [one for one in recorded if (one.evidence.gate, one.evidence.policy) == (gate, demanded.digest)]
        counted = tuple(
            one.evidence
            for one in about
            if one.counts(demanded.demands[gate])
            and (one.evidence.tier == demanded.tier or one.evidence.outcome is not Outcome.PASSED)
        )
        yield Standing(gate, demanded.digest, demanded.tier, counted, missing.get(gate, ""))
