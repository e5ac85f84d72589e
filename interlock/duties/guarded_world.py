"""What duties keep beside the vault, as a world has it: secrets, tables, and the topic that tells of break-glass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from interlock.duties.duty import Role
from interlock.duties.emergency_duties import ALARM_RULE, ALARM_TOPIC
from interlock.duties.guarded_resources import secret_policy, service_role, table_policy
from interlock.duties.landscape import STACK_TAG, Landscape
from interlock.duties.rights import Account
from interlock.duties.secrets import ROTATION, SECRETS, Kept, readers_of, secret_of, state_writers
from interlock.duties.topic_policy import alarm_topic_policy
from interlock.duties.world import Keeping, Resource, ResourceKind, World

_DIGITS: Final = "0000000"
"""What stands for the digits that Pulumi ends a name with."""
_SUFFIX: Final = "AbCdEf"
"""What stands for the letters that Secrets Manager ends a secret's ARN with."""
_REPLICATED: Final = ("database-credentials-user", "database-credentials-master")


def guarded(land: Landscape, administrators: Sequence[str]) -> Iterator[Resource]:
    """Yield the resources of one stack with the policies that its generators write."""
    keeping = _administrators(land, administrators)
    for region in land.regions:
        for table in land.tables:
            yield Resource(
                arn=f"arn:aws:dynamodb:{region}:{land.workload}:table/{table.replace('*', _DIGITS)}",
                kind=ResourceKind.TABLE,
                account_id=land.workload,
                policy=json.loads(table_policy(state_writers(land), keeping)),
            )
        for one in SECRETS:
            if region == land.regions[0] or one.name in _REPLICATED:
                yield secret(region, land.workload, f"{one.name}-{_DIGITS}", _policy(one, land, keeping), land.platform)
    yield _topic(land)


def secret(
    region: str, account_id: str, name: str, policy: str | None, stack: str, *, arn: str = "", source: str = ""
) -> Resource:
    """Return a secret; without an ARN, by the name that it will have."""
    return Resource(
        arn=arn or f"arn:aws:secretsmanager:{region}:{account_id}:secret:{name}-{_SUFFIX}",
        kind=ResourceKind.SECRET,
        account_id=account_id,
        policy=json.loads(policy) if policy is not None else None,
        context={f"aws:ResourceTag/{STACK_TAG}": (stack,)} if stack else {},
        source=source,
    )


def keepings(world: World, land: Landscape, also: Sequence[str] = ()) -> Iterator[tuple[str, Keeping]]:
    """Yield, for each secret and each table of live state, who alone uses it by the table of duties.

    `also` are readers that the settings name.
    """
    keeping = _administrators(land, world.administrators)
    for one in world.of_kind(ResourceKind.TABLE):
        if _keeps_state(one.arn, land):
            yield one.arn, Keeping(writers=state_writers(land), administrators=keeping)
    for one in world.of_kind(ResourceKind.SECRET):
        kept = secret_of(one.arn.rpartition(":")[2])
        if kept is not None and one.account_id == land.workload:
            putting = () if kept.put else (service_role(land.workload, ROTATION),)
            yield (
                one.arn,
                Keeping(
                    readers=(*readers_of(kept, land, also), *(keeping if kept.put else ())),
                    writers=(*putting, *keeping),
                    administrators=keeping,
                ),
            )


def _keeps_state(arn: str, land: Landscape) -> bool:
    name = arn.rpartition("/")[2]
    return any(name == table or name.startswith(table.partition("*")[0]) for table in land.tables)


def _administrators(land: Landscape, administrators: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*administrators, land.role_arn(Role.PLATFORM, Account.WORKLOAD)}))


def _policy(one: Kept, land: Landscape, keeping: Sequence[str]) -> str:
    writers = [] if one.put else [service_role(land.workload, ROTATION)]
    readers = [*readers_of(one, land), *(keeping if one.put else ())]
    return secret_policy(readers, writers, keeping)


def _topic(land: Landscape) -> Resource:
    place = f"{land.regions[0]}:{land.workload}"
    arn, rule = f"arn:aws:sns:{place}:{ALARM_TOPIC}-{_DIGITS}", f"{land.prefix}-{ALARM_RULE}"
    return Resource(
        arn=arn,
        kind=ResourceKind.TOPIC,
        account_id=land.workload,
        policy=json.loads(alarm_topic_policy(arn, f"arn:aws:events:{place}:rule/{rule}")),
        attributes={"alarm": "true"},
    )
