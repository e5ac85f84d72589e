"""Who has which duty, as settings: what is refused already there, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.duties.duty import Duty, Role
from interlock.settings.reading import SettingsError, read_settings
from tests.stacks.configurations import local, prod

WORKLOAD = "123456789012"


def person(name: str, *duties: str, **changed: Any) -> dict[str, Any]:
    one = {
        "name": name,
        "source_identity": name,
        "user_arn": f"arn:aws:iam::{WORKLOAD}:user/{name}",
        "duties": list(duties),
    }
    return {key: value for key, value in (one | changed).items() if value is not None}


def sso(user_name: str) -> dict[str, str]:
    role = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_A_0123456789abcdef"
    return {"role_arn": f"arn:aws:iam::{WORKLOAD}:role/{role}", "user_name": user_name}


FOUNDATION = (person("foundation-1", "foundation"), person("foundation-2", "foundation"))
KEYS = [{"name": "approver-1", "source_identity": "approver-1"}]


def settings_of(*people: dict[str, Any]) -> dict[str, str]:
    return local(duties={"people": [*FOUNDATION, *people]}, approvers=...)


def problems(config: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_settings("local", config)
    return [str(one) for one in caught.value.problems]


def told(config: dict[str, str], path: str) -> str:
    """Return the only problem, which has to be told at `path`."""
    (only,) = problems(config)
    assert only.startswith(f"interlock:{path}: received "), only
    return only


def test_assignments_come_out_as_the_duties_know_them() -> None:
    people = (person("approver-1", "approver", user_arn=None, single_sign_on=sso("one@example.com")),)
    pipeline = {"name": "release", "duty": "builder", "subjects": ["repo:owner/name:ref:refs/heads/main"]}
    config = local(duties={"people": [*FOUNDATION, *people], "pipelines": [pipeline]}, approvers=KEYS)
    duties = read_settings("local", config).duties
    assert duties is not None
    assignments = duties.assignments()
    assert assignments.roles_by_person()["approver-1"] == (Role.APPROVER,)
    assert assignments.people_of(Duty.APPROVER)[0].user_name == "one@example.com"
    assert assignments.pipelines_of(Duty.BUILDER)[0].subjects == ("repo:owner/name:ref:refs/heads/main",)


@pytest.mark.parametrize(
    ("duties", "why"),
    [
        (("approver", "creator"), "nobody approves what they made"),
        (("platform", "foundation"), "who owns the boundaries is not held by them"),
        (("auditor", "responder"), "an auditor has no part in what is audited"),
    ],
)
def test_duties_that_exclude_each_other_are_refused_for_one_person(duties: tuple[str, ...], why: str) -> None:
    config = local(duties={"people": [*FOUNDATION, person("one-1", *duties)]}, approvers=...)
    found = [one for one in problems(config) if why in one]
    assert len(found) == 1
    assert found[0].startswith("interlock:duties.people[2].duties: received ")
    assert "'one-1'" in found[0]


@pytest.mark.parametrize(
    ("people", "path", "words"),
    [
        ([person("one-1", "cook")], "duties.people[2].duties[0]", "creator, builder, approver"),
        ([person("one-1", "deployer")], "duties.people[2].duties", "duties of people: creator, approver"),
        ([person("one-1", "creator", colour="red")], "duties.people[2].colour", "no such setting"),
        ([person("one-1", "creator", user_arn=None)], "duties.people[2]", "either user_arn or single_sign_on"),
        (
            [person("one-1", "creator", user_arn=f"arn:aws:iam::{WORKLOAD}:role/all")],
            "duties.people[2].user_arn",
            "an IAM user of one person",
        ),
        (
            [person("one-1", "creator", user_arn="arn:aws:iam::999999999999:user/one-1")],
            "duties.people[2].user_arn",
            f"a user of one of the accounts {WORKLOAD}",
        ),
        (
            [person("one-1", "break-glass", user_arn=None, single_sign_on=sso("one"))],
            "duties.people[2].single_sign_on",
            "does not say that there was an MFA",
        ),
        (
            [person("one-1", "foundation", user_arn=None, single_sign_on=sso("one"))],
            "duties.people[2].single_sign_on",
            "user_arn for foundation, which takes an MFA",
        ),
        (
            [person("one-1", "platform", user_arn=None, single_sign_on=sso("one"))],
            "duties.people[2].single_sign_on",
            "user_arn for platform, which takes an MFA",
        ),
        ([person("one-1", "approver")], "duties.people[2]", "an entry of approvers"),
        (
            [person("one-1", "creator"), person("one-2", "auditor", source_identity="one-1")],
            "duties.people",
            "every one once",
        ),
        (
            [person("one-1", "creator"), person("one-2", "auditor", user_arn=f"arn:aws:iam::{WORKLOAD}:user/one-1")],
            "duties.people",
            "every person once",
        ),
    ],
)
def test_a_wrong_person_is_refused_in_one_message(people: list[dict[str, Any]], path: str, words: str) -> None:
    assert words in told(settings_of(*people), path)


def test_a_key_without_an_approver_is_refused() -> None:
    config = local(duties={"people": list(FOUNDATION)}, approvers=KEYS)
    assert "who has no duty approver" in told(config, "approvers")


def test_an_approver_whose_key_is_anothers_is_refused() -> None:
    key = [{"name": "approver-1", "source_identity": "approver-2"}]
    config = local(duties={"people": [*FOUNDATION, person("approver-1", "approver")]}, approvers=key)
    assert "the key of source identity 'approver-2'" in told(config, "duties.people[2]")


def test_one_person_alone_is_no_foundation() -> None:
    twice = person("foundation-2", "foundation", user_arn=FOUNDATION[0]["user_arn"])
    config = local(duties={"people": [FOUNDATION[0], twice]}, approvers=...)
    assert "2 people who come as" in told(config, "duties.people")
    config = local(duties={"people": [FOUNDATION[0]]}, approvers=...)
    assert "2 or more different people with duty foundation" in told(config, "duties.people")


def test_a_foundation_of_one_is_refused_in_prod() -> None:
    config = prod(duties={"people": [FOUNDATION[0]], "foundation_threshold": 1})
    assert "2 or more in environment prod" in told(config, "duties.foundation_threshold")


@pytest.mark.parametrize("subject", ["repo:owner/*:ref:refs/heads/main", "repo:owner/name:*", "repo:owner/name"])
def test_a_pipeline_of_any_ref_or_repository_is_refused(subject: str) -> None:
    pipeline = {"name": "release", "duty": "builder", "subjects": [subject]}
    config = local(duties={"people": list(FOUNDATION), "pipelines": [pipeline]}, approvers=...)
    assert "duties.pipelines[0].subjects" in problems(config)[0]


def test_a_pipeline_approves_nothing() -> None:
    pipeline = {"name": "release", "duty": "approver", "subjects": ["repo:owner/name:ref:refs/heads/main"]}
    config = local(duties={"people": list(FOUNDATION), "pipelines": [pipeline]}, approvers=...)
    assert "one of builder, foundation, platform" in told(config, "duties.pipelines[0].duty")
