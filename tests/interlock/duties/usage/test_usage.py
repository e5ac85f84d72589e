"""Rights are held against their use: what lies idle needs a reason, and a reason needs a right that lies idle."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.usage.granted import Granted, granted, role_called
from interlock.duties.usage.reasons import Reasons, read_reasons
from interlock.duties.usage.surplus import usage_of
from interlock.duties.world import NamedDocument, Principal
from interlock.failures import BadInput

ACCOUNT, OTHER = "111111111111", "222222222222"
BUILDER = f"arn:aws:iam::{ACCOUNT}:role/interlock/duties/interlock-prod-builder"
SERVING = f"arn:aws:iam::{ACCOUNT}:role/interlock/services/credit-serving-1a2b3c4"
GRANTED: Granted = {"builder": {"s3:GetObject": ("arn:aws:s3:::vault/*",), "kms:Sign": ("*",)}}


def role(arn: str, *statements: dict[str, Any]) -> Principal:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return Principal(arn=arn, identity=(NamedDocument(name="rights", document=document),))


def allow(actions: str | list[str], resources: str | list[str] = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": resources}


def reasons(*given: tuple[str, str], **more: Any) -> Reasons:
    listed = [{"roles": [one], "actions": [action], "because": "it is for later", **more} for one, action in given]
    return read_reasons(json.dumps({"schema_version": 1, "reviewed": "2026-11-22", "reasons": listed}), "reasons.yaml")


def test_every_action_that_a_role_is_allowed_is_granted_wherever_it_is_written() -> None:
    found = granted(
        [
            role(BUILDER, allow(["s3:GetObject", "s3:PutObject"], "one"), allow("s3:GetObject", ["two"])),
            role(BUILDER.replace(ACCOUNT, OTHER), allow("kms:Sign", "key")),
            role(SERVING, allow("logs:PutLogEvents", "group"), allow("s3:*", effect="Deny")),
            role(f"arn:aws:iam::{ACCOUNT}:role/somebody-elses", allow("s3:*")),
            role(f"arn:aws:iam::{ACCOUNT}:role/interlock/duties/interlock-dev-builder", allow("s3:*")),
        ],
        "interlock-prod",
    )
    assert found == {
        "builder": {"s3:GetObject": ("one", "two"), "s3:PutObject": ("one",), "kms:Sign": ("key",)},
        "credit-serving": {"logs:PutLogEvents": ("group",)},
    }


@pytest.mark.parametrize("actions", ["s3:*", "s3:Get?bject", ["s3:GetObject", "*"]])
def test_a_right_to_a_pattern_of_actions_is_refused(actions: Any) -> None:
    with pytest.raises(ValueError, match="accepted are actions by their names"):
        granted([role(BUILDER, allow(actions))], "interlock-prod")


def test_a_right_to_all_but_some_actions_is_refused() -> None:
    with pytest.raises(ValueError, match="NotAction"):
        granted([role(BUILDER, {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})], "interlock-prod")


def test_roles_are_called_the_same_in_every_stack_and_account() -> None:
    assert role_called(BUILDER, "interlock-prod") == role_called(BUILDER.replace(ACCOUNT, OTHER), "interlock-prod")
    assert role_called(SERVING, "interlock-prod") == "credit-serving"
    assert role_called(
        f"arn:aws:iam::{OTHER}:role/interlock/replication/interlock-prod-vault-to", "interlock-prod"
    ) == ("vault-to")
    assert role_called(BUILDER, "interlock-dev") is None
    assert role_called(f"arn:aws:iam::{ACCOUNT}:user/builder", "interlock-prod") is None


def test_a_right_without_a_use_or_a_reason_is_surplus() -> None:
    usage = usage_of(GRANTED, {"builder": {"s3:GetObject": 3}}, reasons())
    assert [(one.role, one.action) for one in usage.surplus] == [("builder", "kms:Sign")]
    assert usage.problems() == ["builder: kms:Sign is granted on * and was not used; remove it, or say why"]


def test_a_use_by_another_role_is_none() -> None:
    assert usage_of(GRANTED, {"witness": {"kms:Sign": 1, "s3:GetObject": 1}}, reasons()).surplus


def test_a_right_with_a_reason_is_no_surplus() -> None:
    usage = usage_of(GRANTED, {"builder": {"s3:GetObject": 3}}, reasons(("builder", "kms:Sign")))
    assert usage.problems() == []
    assert [(one.action, one.used, one.because) for one in usage.of("builder")] == [
        ("kms:Sign", 0, "it is for later"),
        ("s3:GetObject", 3, None),
    ]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (("builder", "s3:GetObject"), "was used; strike the reason"),
        (("builder", "s3:DeleteObject"), "is not granted; strike the reason"),
        (("stranger", "s3:GetObject"), "there is no such role; strike the reason"),
    ],
)
def test_a_reason_that_is_none_any_more_has_to_go(reason: tuple[str, str], says: str) -> None:
    used = {"builder": {"s3:GetObject": 3, "kms:Sign": 1}}
    (problem,) = usage_of(GRANTED, used, reasons(reason)).problems()
    assert problem.endswith(says)


def test_what_is_used_by_chance_only_needs_a_reason_either_way() -> None:
    known = reasons(("builder", "kms:Sign"), sometimes=True)
    for signed in (0, 1):
        assert usage_of(GRANTED, {"builder": {"s3:GetObject": 3, "kms:Sign": signed}}, known).problems() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no YAML"),
        ("[]", "document: received []"),
        ("schema_version: 2\nreviewed: 2026-11-22\nreasons: []", "schema_version: received 2"),
        ("schema_version: 1\nreasons: []", "reviewed"),
        (
            "schema_version: 1\nreviewed: 2026-11-22\n"
            "reasons: [{roles: [a], actions: ['s3:*'], because: whatever it takes}]",
            "reasons.0.actions.0: received 's3:*'",
        ),
        (
            "schema_version: 1\nreviewed: 2026-11-22\n"
            "reasons: [{roles: [a, a], actions: ['s3:GetObject'], because: whatever it takes}]",
            "two reasons for one right",
        ),
    ],
)
def test_a_file_that_holds_no_reasons_is_refused_by_field(text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_reasons(text, "reasons.yaml")
    assert says in " ".join([str(refused.value), *refused.value.reasons])
