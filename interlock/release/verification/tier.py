"""What a release was opened under: its pin, the policy and tier that the pin names, and the path it asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.release.evidence import GateName
from interlock.release.pin_statement import PinnedRequest, PinPredicate
from interlock.release.tiers import Approvers, Demand, Tier, TierRules, TiersPolicy
from interlock.release.verification.readings import Said
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.trust import Trust


@dataclass(frozen=True)
class Opened:
    """A pin together with what it was opened under."""

    pin: Said[PinPredicate]
    request: PinnedRequest
    policy: TiersPolicy
    rules: TierRules


@dataclass(frozen=True)
class Path:
    """One way to be admitted: what must be shown, and who must agree."""

    demands: Mapping[GateName, Demand]
    approvals: tuple[Approvers, ...]


def opened(pin: Said[PinPredicate], trust: Trust, *, in_force: bool) -> Opened | Reason:
    """Return what a pin was opened under, or why that is nothing to be admitted under.

    `in_force` asks for the policy that the newest version of the root names; without it, one that any version named.
    """
    where, digest = pin.recorded.key, pin.what.policy
    if pin.what.request is None:
        return Reason(ReasonCode.NOT_SUBMITTED, f"{where} pins bytes whose release nobody asked for", where)
    if digest not in trust.named:
        text = f"{where} names the policy {digest[:12]}…, which no version of the trust root names"
        return Reason(ReasonCode.POLICY_UNKNOWN_TO_ROOT, text, where)
    if in_force and digest != trust.policy_in_force:
        text = (
            f"{where} was opened under the policy {digest[:12]}…; in force is {str(trust.policy_in_force)[:12]}…: "
            f"pin and check the release again"
        )
        return Reason(ReasonCode.POLICY_SUPERSEDED, text, where)
    asked = pin.what.request.document.subject_digest
    if asked is not None and not pin.recorded.statement.is_about(asked):
        text = f"{where} pins other bytes than were asked for: those are the release {asked}"
        return Reason(ReasonCode.REQUEST_FOR_OTHER_BYTES, text, where)
    policy = trust.policies.get(digest)
    if policy is None:
        return trust.faults[digest]
    rules = {tier.value: one for tier, one in policy.tiers.items()}.get(pin.what.tier)
    if rules is None:
        known = ", ".join(tier for tier in Tier if tier in policy.tiers)
        text = f"{where} asks for tier {pin.what.tier!r}; the policy knows {known}"
        return Reason(ReasonCode.TIER_UNKNOWN, text, where)
    return Opened(pin, pin.what.request, policy, rules)


def review_passed(one: Opened, opened_at: datetime) -> Iterator[Reason]:
    """Yield that the policy was due for review when the release was opened under it (UTC)."""
    if opened_at.date() > one.policy.review_by:
        text = f"the policy was to be looked at again by {one.policy.review_by}; nothing is opened under it since"
        yield Reason(ReasonCode.POLICY_REVIEW_PASSED, text, one.pin.recorded.key)


def not_asked_for(one: Opened, environment: str) -> Iterator[Reason]:
    """Yield that nobody asked for the release to serve in `environment`, or on the way there."""
    asked = one.request.document.environment
    if environment not in (asked, *one.rules.environments):
        ways = ", ".join(dict.fromkeys([*one.rules.environments, asked]))
        text = f"the release was asked for {asked}, and may serve in {ways}; not in {environment}"
        yield Reason(ReasonCode.ENVIRONMENT_NOT_ASKED_FOR, text, one.pin.recorded.key)


def usual_path(one: Opened) -> Path:
    """Return what the tier demands."""
    return Path(one.rules.demands(one.request.document.produces), one.rules.approvals)


def emergency_path(one: Opened, since: datetime | None, now: datetime | None) -> Path | Reason | None:
    """Return the emergency path, why it is closed, or None for a release that did not ask for it.

    It is open for as long as the tier says after `since` (UTC), when the first emergency of the release was opened;
    where there is no clock, it is open.
    """
    where = one.pin.recorded.key
    if not one.request.document.emergency:
        return None
    emergency = one.rules.emergency
    if emergency is None:
        text = f"tier {one.pin.what.tier} has no emergency path"
        return Reason(ReasonCode.EMERGENCY_NOT_PROVIDED, text, where)
    if now is not None and since is not None:
        until = since + timedelta(hours=emergency.complete_within_hours)
        if now >= until:
            text = f"the emergency was to be over by {until:%Y-%m-%d %H:%M} UTC; the tier's usual demands hold since"
            return Reason(ReasonCode.EMERGENCY_DEADLINE_PASSED, text, where)
    return Path(one.rules.demands(one.request.document.produces, emergency=True), emergency.approvals)


def environments_before(one: Opened, environment: str) -> tuple[str, ...]:
    """Return the environments in which a release has to have served before it is admitted to `environment`."""
    way = one.rules.environments
    return way[: way.index(environment)] if environment in way else way
