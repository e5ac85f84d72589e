"""Where only the action is known, nothing is denied that the full documents would allow."""

from __future__ import annotations

from random import Random
from typing import Any

from interlock.duties.evaluator.action_level import action_level
from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.request import Layers, Request
from tests.interlock.duties.evaluator import drawn
from tests.interlock.duties.evaluator.shorthand import ACCOUNT, BUCKET, SESSION, boundary, identity, statement


def allowed(action: str, layers: Layers) -> bool:
    return decide(Request(SESSION, action, "*"), action_level(layers)).allowed


def test_an_action_that_is_allowed_somewhere_is_allowed() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    layers = Layers(identity=identity(statement(action="s3:Get*", resource=f"{BUCKET}/a", Condition=condition)))
    assert allowed("s3:GetObject", layers)
    assert not allowed("s3:PutObject", layers)


def test_an_action_that_the_boundary_nowhere_allows_is_denied() -> None:
    layers = Layers(identity=identity(statement(action="*")), boundary=boundary(statement(action="s3:*")))
    assert allowed("s3:PutObject", layers)
    assert not allowed("iam:PassRole", layers)


def test_only_a_deny_without_exceptions_stays() -> None:
    everywhere = statement("Deny", "s3:DeleteObject")
    somewhere = statement("Deny", "s3:PutObject", f"{BUCKET}/*")
    sometimes = statement("Deny", "s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "false"}})
    layers = Layers(identity=identity(statement(), everywhere, somewhere, sometimes))
    assert not allowed("s3:DeleteObject", layers)
    assert allowed("s3:PutObject", layers)
    assert allowed("s3:GetObject", layers)


def test_a_deny_under_a_condition_that_every_request_tells_stays() -> None:
    abroad = statement("Deny", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}})
    variable = statement("Deny", Condition={"StringNotEquals": {"aws:RequestedRegion": "${aws:PrincipalTag/home}"}})
    known = frozenset({"aws:requestedregion"})

    def answer(region: str, *statements: Any) -> bool:
        request = Request(SESSION, "s3:ListAllMyBuckets", "*", {"aws:RequestedRegion": region})
        return decide(request, action_level(Layers(identity=identity(statement(), *statements)), known)).allowed

    assert answer("eu-west-1", abroad)
    assert not answer("us-west-2", abroad)
    assert answer("us-west-2", variable)


def test_what_is_allowed_in_full_is_allowed_at_action_level() -> None:
    for seed in range(400):
        random = Random(seed)
        request, layers = drawn.request(random), drawn.layers(random)
        if decide(request, layers).allowed:
            unknown = Request(request.principal, request.action, request.resource, {}, resource_account=ACCOUNT)
            assert decide(unknown, action_level(layers)).allowed
