"""Rights and denials in forms that AWS takes and few write: dates, factors, escaped wildcards, parts of lines."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.proof import entitling, holding, keeping
from interlock.duties.proof.property import Property
from interlock.duties.proof.prove import prove
from interlock.duties.world import NamedDocument, World
from tests.interlock.duties.landscapes import DEPLOYING, LAND

FIRST, LAST = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
APPROVALS = "arn:aws:s3:::vault-primary/approvals/"


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, DEPLOYING)


def refuted(world: World, claims: tuple[Property, ...]) -> set[str]:
    """Return the claims that do not hold; the evaluator has decided every counterexample alike."""
    return {one.claim.name for one in prove(world, claims) if not one.holds}


def giving(world: World, duty: str, **statement: Any) -> World:
    more = NamedDocument(
        name="more", document={"Version": "2012-10-17", "Statement": [{"Sid": "More", "Effect": "Allow", **statement}]}
    )
    (holder, *_) = world.of_duty(duty)
    changed = holder.model_copy(update={"identity": (*holder.identity, more)})
    return world.model_copy(update={"principals": tuple(changed if one is holder else one for one in world.principals)})


@pytest.mark.parametrize(
    "condition",
    [
        {"DateGreaterThan": {"aws:CurrentTime": FIRST}},
        {"DateGreaterThan": {"aws:CurrentTime": FIRST}, "DateLessThan": {"aws:CurrentTime": LAST}},
        {"DateNotEquals": {"aws:CurrentTime": FIRST}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
        {"BinaryEquals": {"aws:PrincipalTag/key": "eA=="}, "Null": {"aws:CurrentTime": "false"}},
    ],
)
def test_a_right_for_a_time_or_with_a_factor_is_more_than_the_table(world: World, condition: dict[str, Any]) -> None:
    more = giving(world, "creator", Action="s3:GetObject", Resource=f"{APPROVALS}*", Condition=condition)
    assert "no-more-than-the-table" in refuted(more, entitling.PROPERTIES)


@pytest.mark.parametrize("name", ["a${*}b", "${*}*", "${?}x", "${$}x", "x[*]"])
def test_a_right_on_a_name_with_a_wildcard_that_stands_for_itself_is_more_than_the_table(
    world: World, name: str
) -> None:
    more = giving(world, "creator", Action="s3:GetObject", Resource=f"{APPROVALS}{name}")
    assert "no-more-than-the-table" in refuted(more, entitling.PROPERTIES)


def test_a_boundary_that_denies_only_without_a_factor_allows_more(world: World) -> None:
    (platform,) = world.of_duty("platform")
    assert platform.boundary is not None
    document = copy.deepcopy(platform.boundary.document)
    (denial,) = (one for one in document["Statement"] if one["Sid"] == "DenyDuties")
    denial["Condition"] = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    changed = platform.model_copy(update={"boundary": platform.boundary.model_copy(update={"document": document})})
    less = world.model_copy(
        update={"principals": tuple(changed if one is platform else one for one in world.principals)}
    )
    assert "no-more-than-the-table" in refuted(less, entitling.PROPERTIES)


@pytest.mark.parametrize(
    "narrowed",
    [
        {"Action": ["s3:GetObject", "s3:ListBucket"]},
        {"Action": ["s3:G*", "s3:L*", "s3:P*"]},
        {"NotAction": ["s3:PutObjectTagging"]},
        {"Action": "s3:*", "Resource": "arn:aws:s3:::BUCKET/*"},
    ],
)
@pytest.mark.parametrize("sid", ["DenyPlainTransport", "DenyOldTls"])
@pytest.mark.parametrize("bucket", ["vault-primary", "staging-primary"])
def test_a_line_that_is_safe_for_some_requests_alone_is_refuted(
    world: World, bucket: str, sid: str, narrowed: dict[str, Any]
) -> None:
    thing = next(one for one in world.resources if one.arn == f"arn:aws:s3:::{bucket}")
    policy = copy.deepcopy(thing.policy) or {}
    (denial,) = (one for one in policy["Statement"] if one["Sid"] == sid)
    del denial["Action"]
    denial.update(
        {key: str(one).replace("BUCKET", bucket) if key == "Resource" else one for key, one in narrowed.items()}
    )
    changed = thing.model_copy(update={"policy": policy})
    less = world.model_copy(update={"resources": tuple(changed if one is thing else one for one in world.resources)})
    asked = [one for one in (*keeping.PROPERTIES, *holding.PROPERTIES) if one.name in SAFE_LINES]
    assert refuted(less, tuple(asked))


SAFE_LINES = {"evidence-is-read", "lines-are-safe"}
