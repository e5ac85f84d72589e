"""Where in a bucket nobody looks: names under none of the prefixes, one of each sort that its policy tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from interlock.duties.evaluator.policy import Policy
from interlock.duties.proof.classes import Glob, representatives
from interlock.duties.proof.patterns import pieces, with_anything
from interlock.duties.proof.selecting import about


def beside(bucket_arn: str, prefixes: Iterable[str], policy: Policy | None, action: str) -> tuple[str, ...]:
    """Return ARNs of objects under none of `prefixes`: a name that only begins like one of them is among them.

    Raises NotModelled where the patterns of the policy are too tangled.
    """
    known = {frozenset({((f"{bucket_arn}/{one}*", True),)}) for one in prefixes}
    told = {frozenset({one}) for one in (_named(policy, action) if policy is not None else ())}
    found = representatives(f"{bucket_arn}/*", frozenset(known | told))
    return tuple(name for name, groups in found if not groups & known)


def _named(policy: Policy, action: str) -> Iterator[Glob]:
    for statement in chain(*about(policy, action.lower())):
        for one in (*statement.resource, *statement.not_resource):
            yield with_anything(one) if one.variables else pieces(one, {})
