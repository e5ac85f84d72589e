"""Policies, requests and layers drawn from a seed, over few names, so that they often meet."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import Policy, PolicyKind
from interlock.duties.evaluator.request import Layers, Request, anonymous, root, service, user
from tests.interlock.duties.evaluator.shorthand import ACCOUNT, ALICE, BUCKET, KEY, OTHER, ROLE, SESSION, SESSION_ARN

KEYS = ("aws:PrincipalTag/Team", "s3:prefix", "aws:TagKeys", "aws:MultiFactorAuthPresent")
TEXTS = ("a", "b", "a*", "true", "false", "", "a b", "é", "\\u{61}")
WANTED = (*TEXTS, "${aws:PrincipalTag/Team}", "${aws:username, 'b'}")
OPERATORS = (
    "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "StringNotLikeIfExists",
    "ForAllValues:StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotEqualsIfExists", "Null",
)  # fmt: skip
EVE = f"arn:aws:iam::{OTHER}:user/eve"
PRINCIPALS = (ALICE, SESSION, root(ACCOUNT), root(OTHER), service("s3.amazonaws.com"), anonymous(), user(EVE))
NAMES = ("*", ACCOUNT, f"arn:aws:iam::{OTHER}:root", ALICE.name, ROLE, SESSION_ARN, EVE)
ACTIONS = ("*", "*", "s3:*", "s3:Get*", "kms:Sign", "kms:*")
RESOURCES = ("*", "*", "*", f"{BUCKET}/*", f"{BUCKET}/${{aws:username}}/*", KEY, "arn:aws:s3:*:*:*")


def context(random: Random) -> dict[str, tuple[str, ...]]:
    keys = random.sample(KEYS, random.randint(0, len(KEYS)))
    return {key: tuple(random.choices(TEXTS, k=random.choice((0, 1, 1, 2)))) for key in keys}


def request(random: Random) -> Request:
    return Request(
        random.choice(PRINCIPALS),
        random.choice(("s3:GetObject", "s3:PutObject", "kms:Sign")),
        random.choice((f"{BUCKET}/a", f"{BUCKET}/alice/a", KEY)),
        context(random),
        random.random() < 0.5,
        ACCOUNT,
    )


def policy(random: Random, kind: PolicyKind, effects: Sequence[str] = ("Allow",) * 5 + ("Deny",)) -> Policy:
    statements = [_statement(random, kind, effects) for _ in range(random.randint(1, 3))]
    return parse({"Version": "2012-10-17", "Statement": statements}, kind, kind.value)


def _statement(random: Random, kind: PolicyKind, effects: Sequence[str]) -> dict[str, Any]:
    control = kind is PolicyKind.RCP
    made: dict[str, Any] = {
        "Effect": "Deny" if control else random.choice(effects),
        "Action": "s3:*" if control else random.choice(ACTIONS),
        random.choice(("Resource", "Resource", "NotResource")): random.choice(RESOURCES),
    }
    if random.random() < 0.5:
        made["Condition"] = {operator: _tests(random, operator) for operator in random.sample(OPERATORS, 1)}
    if kind is PolicyKind.RESOURCE:
        names = random.sample(NAMES, random.randint(1, 3))
        made[random.choice(("Principal", "Principal", "NotPrincipal"))] = {"AWS": names}
    if control:
        made["Principal"] = "*"
    return made


def _tests(random: Random, operator: str) -> dict[str, Any]:
    values = ("true", "false") if operator == "Null" else WANTED
    return {random.choice(KEYS): random.choices(values, k=random.randint(1, 2))}


def layers(random: Random) -> Layers:
    def some(kind: PolicyKind, most: int) -> tuple[Policy, ...]:
        return tuple(policy(random, kind) for _ in range(random.randint(0, most)))

    def maybe(kind: PolicyKind) -> Policy | None:
        return policy(random, kind) if random.random() < 0.5 else None

    return Layers(
        identity=some(PolicyKind.IDENTITY, 2),
        resource=maybe(PolicyKind.RESOURCE),
        boundary=maybe(PolicyKind.BOUNDARY),
        session=some(PolicyKind.SESSION, 1),
        scps=tuple(some(PolicyKind.SCP, 2) for _ in range(random.randint(0, 1))),
        rcps=tuple(some(PolicyKind.RCP, 1) for _ in range(random.randint(0, 1))),
    )
