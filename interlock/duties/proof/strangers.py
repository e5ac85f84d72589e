"""Principals that no document has: one of each sort that the conditions on who asks tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import Condition, NotModelled, Policy
from interlock.duties.proof.facts import Facts
from interlock.duties.proof.formula import Truth

ASKING: Final = frozenset({"aws:principalarn", "aws:principaltype", "aws:username"})
"""Condition keys by which a policy tells a stranger from others."""
NAMES: Final = ("any-other", "some-other", "zq-stranger")
"""Several, lest a pattern of one is taken for a pattern of all."""


def strangers(account_ids: Iterable[str], policies: Iterable[Policy]) -> Iterator[str]:
    """Yield, for each account, the ARN of a role that nobody has, and of roles and users that policies tell from it."""
    found = (one for policy in policies for statement in policy.statements for one in statement.condition)
    conditions = tuple(dict.fromkeys(one for one in found if one.key in ASKING))
    names = [*NAMES, *_filled(conditions)]
    for account_id in account_ids:
        seen: set[tuple[Truth, ...]] = set()
        for kind in ("role", "user"):
            for name in names:
                arn = f"arn:aws:iam::{account_id}:{kind}/{name}"
                said = _said(conditions, arn, kind)
                if said not in seen:
                    seen.add(said)
                    yield arn


def _said(conditions: Iterable[Condition], arn: str, kind: str) -> tuple[Truth, ...]:
    caller = request.user(arn) if kind == "user" else request.role_session(arn, "session")
    facts = Facts({key: caller.context.get(key) for key in ASKING})
    return tuple(_met(facts, one) for one in conditions)


def _met(facts: Facts, condition: Condition) -> Truth:
    try:
        return facts.met((condition,))
    except NotModelled:
        # What the condition is about says so itself, if anybody asks for it.
        return True


def _filled(conditions: Iterable[Condition]) -> Iterator[str]:
    """Yield names that the patterns stand for which are no whole ARN: those of an ARN are named by their documents."""
    for condition in conditions:
        for value in condition.values:
            written = value.written
            if ("*" in written or "?" in written) and not written.startswith("arn:") and not value.variables:
                last = re.sub(r"^(role|user)/", "", written.rpartition(":")[2])
                yield last.strip("/").replace("*", "any").replace("?", "x") or NAMES[0]
