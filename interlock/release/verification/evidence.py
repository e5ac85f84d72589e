"""Whether a release shows what its tier demands: the evidence that counts, gate by gate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from interlock.release.evidence import Evidence, GateName, Outcome
from interlock.release.tiers import Demand
from interlock.release.verification.belief import Belief
from interlock.release.verification.readings import Said
from interlock.release.verification.reason import Reason, ReasonCode


@dataclass(frozen=True)
class Shown:
    """What evidence shows: by gate the statements that count, and why a gate has none."""

    counted: Mapping[GateName, tuple[Said[Evidence], ...]]
    reasons: tuple[Reason, ...]


def shown(
    demands: Mapping[GateName, Demand],
    evidence: Sequence[Said[Evidence]],
    *,
    policy: str,
    named: Collection[GateName],
    tier: str,
    belief: Belief,
) -> Shown:
    """Return what `evidence` shows of what is demanded under the policy with this digest.

    A gate that failed once under the policy has failed: whatever was measured beside it cannot outvote it, nor can
    a tier that does not ask for it. `named` are the gates that any tier of the policy names.
    """
    counted: dict[GateName, tuple[Said[Evidence], ...]] = {}
    reasons: list[Reason] = []
    for gate, demand in sorted(demands.items()):
        about = [one for one in evidence if one.what.gate == gate]
        failed = list(failures([one for one in about if one.what.policy == policy]))
        faults = {one.payload: _fault(one, demand, policy, tier, belief) for one in about}
        counted[gate] = tuple(one for one in about if faults[one.payload] is None)
        if failed:
            reasons += failed
        elif not counted[gate]:
            found = [fault for fault in faults.values() if fault is not None]
            reasons += found or [Reason(ReasonCode.EVIDENCE_MISSING, f"the gate {gate} shows nothing", gate)]
    others = set(named) - set(demands)
    reasons += failures([one for one in evidence if one.what.policy == policy and one.what.gate in others])
    return Shown(counted, tuple(reasons))


def failures(evidence: Sequence[Said[Evidence]]) -> Iterator[Reason]:
    """Yield what failed, whoever's key says so and whenever it was made."""
    for one in evidence:
        if one.what.outcome is not Outcome.PASSED:
            why = "; ".join(one.what.reasons)
            yield Reason(ReasonCode.EVIDENCE_FAILED, f"the gate {one.what.gate} failed: {why}", one.recorded.key)


def _fault(one: Said[Evidence], demand: Demand, policy: str, tier: str, belief: Belief) -> Reason | None:
    """Return why a statement that a gate passed does not count."""
    what, where = one.what, one.recorded.key
    if what.policy != policy:
        text = f"the gate {what.gate} was measured under another policy, {what.policy[:12]}…"
        return Reason(ReasonCode.EVIDENCE_FOR_ANOTHER_POLICY, text, where)
    if what.tier != tier:
        text = f"the gate {what.gate} was measured for tier {what.tier}, not {tier}"
        return Reason(ReasonCode.EVIDENCE_FOR_ANOTHER_TIER, text, where)
    if what.outcome is not Outcome.PASSED:
        return Reason(ReasonCode.EVIDENCE_FAILED, f"the gate {what.gate} failed", where)
    keys = tuple(key for key in one.keys if key.duty in demand.signers)
    if not keys:
        wanted = ", ".join(duty.value for duty in demand.signers)
        whose = ", ".join(sorted({key.duty.value for key in one.keys}))
        text = f"the gate {what.gate} is signed for by the {whose}; the policy accepts {wanted}"
        return Reason(ReasonCode.KEY_OF_WRONG_DUTY, text, where)
    short = list(shortfalls(what, demand))
    if short:
        text = f"the gate {what.gate} calls itself passed, but {'; '.join(short)}"
        return Reason(ReasonCode.EVIDENCE_SHORT_OF_POLICY, text, where)
    return belief.doubt(Said(one.recorded, what, keys))


def shortfalls(evidence: Evidence, demand: Demand) -> Iterator[str]:
    """Yield where the measures are not what the policy's limits ask for, however the gate itself judged them."""
    for name, limit in sorted(demand.limits.items()):
        measures = [one for one in evidence.measures if one.name == name and not one.suppressed]
        if not measures:
            yield f"it does not tell {name}, which is to be {limit}"
        for measure in measures:
            if not measure.against(limit).holds:
                number = measure.at(limit.bound)
                where = f" for {measure.of.attribute}={measure.of.value}" if measure.of else ""
                yield f"{name}{where} is {number if number is not None else 'not told'}, which is to be {limit}"
