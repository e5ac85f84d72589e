"""The secrets, tables, functions and topics of a preview, with their own policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from interlock.cost.plan import is_unknown
from interlock.duties.emergency_duties import ALARM_TOPIC
from interlock.duties.guarded_world import secret
from interlock.duties.landscape import STACK_TAG
from interlock.duties.plan_world import Declared, Plan, name_of
from interlock.duties.world import Document, Resource, ResourceKind

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type)
TABLE: Final = "aws:dynamodb/table:Table"
FUNCTION: Final = "aws:lambda/function:Function"
TOPIC: Final = "aws:sns/topic:Topic"


class Guarded:
    """What a preview says of them. `problems` names each policy that has to be known and is not."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.problems: list[str] = []
        self.unknown_topics: list[str] = []
        """Topics whose own policies name them, and so are known only when they are."""
        found = (self._secrets(), self._tables(), self._functions(), self._topics())
        self.resources: tuple[Resource, ...] = tuple(one for kind in found for one in kind)

    def _secrets(self) -> Iterator[Resource]:
        for one in self._plan.of_type(SECRET):
            policy = self._policy_of(one, "aws:secretsmanager/secretPolicy:SecretPolicy", "secretArn", "arn")
            text = json.dumps(policy) if policy is not None else None
            tags = one.inputs.get("tagsAll") or one.inputs.get("tags") or {}
            replicas = one.inputs.get("replicas") or []
            if not isinstance(tags, dict) or not _are_replicas(replicas):
                self.problems.append(f"{one.name}: its tags and the regions of its replicas are not known before it is")
                continue
            stack = str(tags.get(STACK_TAG) or self._plan.stack)
            for region in (one.region, *(each["region"] for each in replicas)):
                yield secret(region, one.account_id, name_of(one), text, stack, source=one.urn)

    def _tables(self) -> Iterator[Resource]:
        for one in self._plan.of_type(TABLE):
            yield Resource(
                arn=f"arn:aws:dynamodb:{one.region}:{one.account_id}:table/{name_of(one)}",
                kind=ResourceKind.TABLE,
                account_id=one.account_id,
                policy=self._policy_of(one, "aws:dynamodb/resourcePolicy:ResourcePolicy", "resourceArn", "arn"),
                source=one.urn,
            )

    def _functions(self) -> Iterator[Resource]:
        for one in self._plan.of_type(FUNCTION):
            arn = f"arn:aws:lambda:{one.region}:{one.account_id}:function:{name_of(one)}"
            given = [
                _permission(permission, arn)
                for permission in self._plan.of_type("aws:lambda/permission:Permission")
                if self._plan.is_of(permission, "function", one, "name")
            ]
            yield Resource(
                arn=arn,
                kind=ResourceKind.FUNCTION,
                account_id=one.account_id,
                policy={"Version": "2012-10-17", "Statement": given} if given else None,
                source=one.urn,
            )

    def _topics(self) -> Iterator[Resource]:
        for one in self._plan.of_type(TOPIC):
            policies = [
                policy
                for policy in self._plan.of_type("aws:sns/topicPolicy:TopicPolicy")
                if self._plan.is_of(policy, "arn", one, "arn")
            ]
            known = policies[0].document("policy") if policies else None
            is_later_known = bool(policies) and known is None
            if is_later_known:
                self.unknown_topics.append(one.name)
            yield Resource(
                arn=f"arn:aws:sns:{one.region}:{one.account_id}:{name_of(one)}",
                kind=ResourceKind.TOPIC,
                account_id=one.account_id,
                policy=known,
                attributes={
                    **({"alarm": "true"} if one.name == ALARM_TOPIC else {}),
                    **({"policy": "unknown"} if is_later_known else {}),
                },
                source=one.urn,
            )

    def _policy_of(self, one: Declared, token: str, key: str, identifier: str) -> Document | None:
        """Return the policy of a resource, None if it has none; one that is not known is a problem."""
        policies = [each for each in self._plan.of_type(token) if self._plan.is_of(each, key, one, identifier)]
        if not policies:
            return None
        found = policies[0].document("policy")
        if found is None:
            self.problems.append(f"{policies[0].name}: its policy is not known before it is made")
        return found


def _are_replicas(found: Any) -> bool:
    """Return whether these are replicas of a secret in regions that are known."""
    if not isinstance(found, list):
        return False
    regions = [one.get("region") if isinstance(one, dict) else None for one in found]
    return all(isinstance(one, str) and not is_unknown(one) for one in regions)


def _permission(one: Declared, arn: str) -> dict[str, Any]:
    """Return what Lambda writes of a permission; a condition that is not known yet is left out, which allows more.

    Source: Lambda API Reference, AddPermission.
    """
    principal = one.text("principal") or "*"
    conditions = {
        "ArnLike": {"AWS:SourceArn": one.text("sourceArn")},
        "StringEquals": {"AWS:SourceAccount": one.text("sourceAccount")},
    }
    known = {how: keys for how, keys in conditions.items() if all(keys.values())}
    return {
        "Sid": "".join(part for part in one.name if part.isalnum()),
        "Effect": "Allow",
        "Principal": {"Service": principal} if principal.endswith(".amazonaws.com") else _somebody(principal),
        "Action": one.text("action") or "lambda:*",
        "Resource": arn,
        **({"Condition": known} if known else {}),
    }


def _somebody(principal: str) -> Any:
    return "*" if principal == "*" else {"AWS": principal}
