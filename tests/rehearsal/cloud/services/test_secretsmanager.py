"""Secrets Manager in the local cloud."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.secretsmanager import draw_password


@pytest.fixture
def secrets(cloud: LocalCloud) -> Any:
    return cloud.client("secretsmanager")


@pytest.fixture
def name() -> str:
    return f"test/{uuid4().hex}"


def _error(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.corrects("secretsmanager.deleted")
def test_a_secret_waiting_for_its_deletion_is_neither_changed_nor_replaced(
    cloud: LocalCloud, secrets: Any, name: str
) -> None:
    secrets.create_secret(Name=name, SecretString="value")
    secrets.delete_secret(SecretId=name)
    marked = "You can't perform this operation on the secret because it was marked for deletion."
    assert _error(lambda: secrets.put_secret_value(SecretId=name, SecretString="x")) == (
        "InvalidRequestException",
        marked,
    )
    assert _error(lambda: secrets.create_secret(Name=name, SecretString="x")) == (
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
    secrets.restore_secret(SecretId=name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "value"


@pytest.mark.corrects("secretsmanager.error-texts")
def test_an_error_says_once_what_is_wrong(cloud: LocalCloud, secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="value")
    assert _error(lambda: secrets.delete_secret(SecretId=name, RecoveryWindowInDays=3)) == (
        "InvalidParameterException",
        "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    )


@pytest.mark.corrects("secretsmanager.versions")
def test_a_version_that_lost_its_stages_is_listed_only_when_asked_for(
    cloud: LocalCloud, secrets: Any, name: str
) -> None:
    made = [secrets.create_secret(Name=name, SecretString="0")]
    made += [secrets.put_secret_value(SecretId=name, SecretString=str(number)) for number in (1, 2)]
    versions = [one["VersionId"] for one in made]
    listed = secrets.list_secret_version_ids(SecretId=name)
    assert listed["ARN"] == made[0]["ARN"]
    assert {one["VersionId"]: one["VersionStages"] for one in listed["Versions"]} == {
        versions[1]: ["AWSPREVIOUS"],
        versions[2]: ["AWSCURRENT"],
    }
    assert set(secrets.describe_secret(SecretId=name)["VersionIdsToStages"]) == set(versions[1:])
    everything = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    assert [one["VersionId"] for one in everything] == versions
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "1"


@pytest.mark.corrects("secretsmanager.limits")
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Name": "a name"}, "ValidationException"),
        ({"SecretString": "x" * 65537}, "ValidationException"),
        ({"KmsKeyId": "alias/none"}, "InvalidParameterException"),
    ],
)
def test_what_does_not_fit_is_refused(
    cloud: LocalCloud, secrets: Any, name: str, wrong: dict[str, str], code: str
) -> None:
    assert _error(lambda: secrets.create_secret(**({"Name": name, "SecretString": "x"} | wrong)))[0] == code


@pytest.mark.corrects("secretsmanager.resource-policy")
def test_a_resource_policy_that_is_none_is_refused(cloud: LocalCloud, secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="x")
    put = lambda: secrets.put_resource_policy(SecretId=name, ResourcePolicy="{")  # noqa: E731
    assert _error(put)[0] == "MalformedPolicyDocumentException"


@pytest.mark.corrects("secretsmanager.random-password")
def test_required_characters_are_not_always_at_the_end(cloud: LocalCloud, secrets: Any) -> None:
    drawn = [secrets.get_random_password(PasswordLength=8)["RandomPassword"] for _ in range(50)]
    assert any(password[-1] not in string.punctuation for password in drawn)
    assert all(set(password) & set(string.punctuation) for password in drawn)


@given(length=st.integers(4, 64), excluded=st.sets(st.sampled_from(string.printable[:94]), max_size=20))
def test_a_password_has_each_included_type_and_nothing_excluded(length: int, excluded: set[str]) -> None:
    password = draw_password(length, "".join(excluded), False, True, False, False, False, True)
    assert len(password) == length
    assert excluded.isdisjoint(password)
    assert set(password).isdisjoint(string.punctuation)
    for characters in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        assert set(password) & set(characters) or not set(characters) - excluded


def test_the_inventory_counts_secrets_until_they_are_deleted(cloud: LocalCloud, secrets: Any, name: str) -> None:
    arn = secrets.create_secret(Name=name, SecretString="x")["ARN"]
    assert arn in cloud.inventory()["secretsmanager"]
    secrets.delete_secret(SecretId=name)
    assert arn not in cloud.inventory()["secretsmanager"]
