"""People of the settings come in as users, and get the sessions that their duties' roles trust them with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from interlock.duties.duty import Duty, Role
from interlock.duties.matrix import MATRIX
from interlock.duties.trust import role_trust_policy
from rehearsal.cloud.accounts import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from rehearsal.cloud.server import LocalCloud
from rehearsal.coming import NotTheirs, write_entrances
from rehearsal.people import People
from rehearsal.profiles import add_people, write_profiles

CHECKOUT = Path(__file__).resolve().parents[2]


class Surroundings:
    """What people need of a session, of a cloud in this process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment


@pytest.fixture(scope="module")
def people(cloud: LocalCloud) -> Iterator[People]:
    environment = {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": cloud.region,
    }
    with pytest.MonkeyPatch.context() as patches:
        for name, value in environment.items():
            patches.setenv(name, value)
        come = People(Surroundings(environment), CHECKOUT)
        come.arrive()
        for role in (Role.APPROVER, Role.DEPLOYER, Role.BREAK_GLASS):
            row = MATRIX[role]
            cloud.client("iam", account=row.home.value).create_role(
                RoleName=come.names.role_name(role),
                Path="/interlock/duties/",
                AssumeRolePolicyDocument=role_trust_policy(row, come.names, come.assignments, row.home),
            )
        yield come


def caller(session: boto3.Session) -> str:
    return session.client("sts").get_caller_identity()["Arn"]


def test_each_approver_comes_under_their_own_name(people: People) -> None:
    for name in ("approver-1", "approver-2"):
        assert caller(people.as_(Role.APPROVER, name)).endswith(f"assumed-role/interlock-local-approver/{name}")
    assert people.bearer(Role.APPROVER) == "approver-1"


def test_nobody_comes_under_another_s_name(people: People) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        people.user("approver-1").client("sts").assume_role(
            RoleArn=people.role_arn(Role.APPROVER), RoleSessionName="approver-2", SourceIdentity="approver-2"
        )


def test_a_second_factor_opens_break_glass_and_nothing_else_does(people: People) -> None:
    assert caller(people.as_(Role.BREAK_GLASS)).endswith("/responder-1")
    with pytest.raises(ClientError, match="AccessDenied"):
        people.user("responder-1").client("sts").assume_role(
            RoleArn=people.role_arn(Role.BREAK_GLASS), RoleSessionName="responder-1", SourceIdentity="responder-1"
        )


def test_a_service_comes_as_aws_lets_it(people: People) -> None:
    assert "assumed-role/interlock-local-deployer/" in caller(people.as_(Role.DEPLOYER))


def test_a_service_has_a_profile_too(
    people: People, cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profiles(tmp_path, cloud.endpoint_url, cloud.region, cloud.context.accounts)
    write_entrances(tmp_path / "people.json", people.entrances())
    command = (sys.executable, "-m", "rehearsal.coming", str(tmp_path / "people.json"))
    add_people(tmp_path, cloud.endpoint_url, cloud.region, people.entrances(), command)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert "assumed-role/interlock-local-deployer/" in caller(boto3.Session(profile_name="deployer"))
    assert {"builder", "sequencer", "witness", "observer"} <= people.entrances().keys()


def test_whoever_has_no_duty_is_nobody(people: People) -> None:
    with pytest.raises(NotTheirs, match="stranger has no duty"):
        people.as_(Role.APPROVER, "stranger")


def test_users_are_named_as_the_settings_have_them(people: People) -> None:
    assert {one.name for one in people.assignments.people_of(Duty.FOUNDATION)} == {"foundation-1", "foundation-2"}
