"""Accounts, regions and addresses that do not go together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock import rules
from interlock.rules import Problem, overlapping, shown
from interlock.settings.contradictions.written import Check, Written, has_layer, is_of, text_at, value_at
from interlock.settings.section import PREFIX, Environment, Layer

ACCOUNTS: Final = {
    "workload": ("account_id", "role_arn"),
    "evidence": ("accounts.evidence.account_id", "accounts.evidence.role_arn"),
    "audit": ("accounts.audit.account_id", "accounts.audit.role_arn"),
}
"""By account: where its id and its role stand."""


def _zones(written: Written) -> Iterator[Problem]:
    for where, region in (("network", "region"), ("recovery.network", "recovery.region")):
        yield from _zones_of(where, value_at(written, where), text_at(written, region), written)


def _zones_of(where: str, network: Any, region: str | None, written: Written) -> Iterator[Problem]:
    subnets = network.get("subnets", {}) if isinstance(network, Mapping) else None
    if not isinstance(network, Mapping) or network.get("existing") is not None or not isinstance(subnets, Mapping):
        return
    # Two zones that lose one leave a single copy of everything.
    minimum = 3 if is_of(written, Environment.PROD) else 2
    if len(subnets) < minimum:
        accepted = f"{'three' if minimum == 3 else 'two'} or more availability zones, each with a CIDR block"
        yield Problem(f"{PREFIX}{where}.subnets", shown(subnets), accepted)
    for zone in subnets:
        if region is not None and rules.region.holds(region) and isinstance(zone, str) and zone[:-1] != region:
            yield Problem(f"{PREFIX}{where}.subnets.{zone}", repr(zone), f"an availability zone of {region}")


def _one_region_twice(written: Written) -> Iterator[Problem]:
    region, other = text_at(written, "region"), text_at(written, "recovery.region")
    if region is not None and rules.region.holds(region) and region == other:
        accepted = f"a region other than {region}, which is the primary"
        yield Problem(f"{PREFIX}recovery.region", repr(other), accepted)


def _recovery_without_network(written: Written) -> Iterator[Problem]:
    recovery = value_at(written, "recovery")
    if isinstance(recovery, Mapping) and "network" not in recovery and has_layer(written, Layer.PLATFORM):
        yield Problem(f"{PREFIX}recovery.network", "nothing", "a section network, which the layer platform needs")


def _overlapping_regions(written: Written) -> Iterator[Problem]:
    # Their networks are to be connected some day, and then every address has to mean one place.
    here, there = (text_at(written, f"{where}.cidr_block") for where in ("network", "recovery.network"))
    if here is None or there is None or not (rules.cidr_block.holds(here) and rules.cidr_block.holds(there)):
        return
    if overlapping([here, there]):
        accepted = f"a CIDR block that does not overlap {here}, the primary region's"
        yield Problem(f"{PREFIX}recovery.network.cidr_block", repr(there), accepted)


def _role_of_another_account(written: Written) -> Iterator[Problem]:
    for account, role in ACCOUNTS.values():
        account_id, role_arn = text_at(written, account), text_at(written, role)
        if account_id is None or role_arn is None or not rules.role_arn.holds(role_arn):
            continue
        if role_arn.split(":")[4] != account_id:
            yield Problem(f"{PREFIX}{role}", repr(role_arn), f"a role of account {account_id}")


def _two_roles_of_one_account(written: Written) -> Iterator[Problem]:
    seen: dict[str, tuple[str, str | None]] = {}
    for account, role in ACCOUNTS.values():
        account_id, role_arn = text_at(written, account), text_at(written, role)
        if account_id is None:
            continue
        path, first = seen.setdefault(account_id, (role, role_arn))
        if first != role_arn:
            accepted = (
                f"what {PREFIX}{path} says, because account {account_id} is reached in one way: {first or 'nothing'}"
            )
            yield Problem(f"{PREFIX}{role}", repr(role_arn) if role_arn else "nothing", accepted)


def _account_without_administrator(written: Written) -> Iterator[Problem]:
    administrators = value_at(written, "administrators")
    if not isinstance(administrators, list) or not administrators:
        return
    found = {one.split(":")[4] for one in administrators if isinstance(one, str) and rules.iam_principal.holds(one)}
    for account_id in _accounts_with_keys(written):
        # AWS refuses a key whose policy locks out whoever makes it.
        if found and account_id not in found:
            accepted = f"among others a principal of account {account_id}, which has keys too"
            yield Problem(f"{PREFIX}administrators", shown(administrators), accepted)


def _accounts_with_keys(written: Written) -> Sequence[str]:
    workload = text_at(written, "account_id")
    evidence = text_at(written, "accounts.evidence.account_id") or workload
    holders = {
        *([evidence] if has_layer(written, Layer.FOUNDATION) else []),
        *([workload] if has_layer(written, Layer.PLATFORM) else []),
    }
    return sorted(one for one in holders if one is not None and rules.account_id.holds(one))


def _certificate_of_another_place(written: Written) -> Iterator[Problem]:
    arn, region, account_id = (text_at(written, path) for path in ("tracking.certificate_arn", "region", "account_id"))
    if arn is None or region is None or account_id is None or not rules.certificate_arn.holds(arn):
        return
    if re.match(rf"arn:[a-z-]+:acm:{re.escape(region)}:{re.escape(account_id)}:", arn) is None:
        accepted = f"a certificate of {region} in account {account_id}, where the load balancer is"
        yield Problem(f"{PREFIX}tracking.certificate_arn", repr(arn), accepted)


CHECKS: Final[Sequence[Check]] = (
    _zones,
    _one_region_twice,
    _recovery_without_network,
    _overlapping_regions,
    _role_of_another_account,
    _two_roles_of_one_account,
    _account_without_administrator,
    _certificate_of_another_place,
)
