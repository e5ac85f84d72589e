"""Replicated secrets in the local cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.waiting import until

HOME, AWAY = "eu-west-1", "eu-central-1"
ON_REPLICA = "Operation not permitted on a replica secret. Call must be made in primary secret's region."


@pytest.fixture
def home(cloud: LocalCloud) -> Any:
    return cloud.client("secretsmanager", region_name=HOME)


@pytest.fixture
def away(cloud: LocalCloud) -> Any:
    return cloud.client("secretsmanager", region_name=AWAY)


@pytest.fixture
def name() -> str:
    return f"test/{HOME}/{uuid4().hex}"


@pytest.fixture
def key_arn(cloud: LocalCloud) -> str:
    return str(cloud.client("kms", region_name=AWAY).create_key()["KeyMetadata"]["Arn"])


def _error(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def _status(home: Any, name: str, wanted: str = "InSync") -> dict[str, Any]:
    def look() -> dict[str, Any]:
        return dict(home.describe_secret(SecretId=name)["ReplicationStatus"][0])

    return until(look, lambda seen: seen["Status"] == wanted)


def _value(away: Any, name: str, **version: Any) -> str | None:
    try:
        return str(away.get_secret_value(SecretId=name, **version)["SecretString"])
    except ClientError:
        return None


@pytest.mark.corrects("secretsmanager-replication.replicas")
def test_a_replica_follows_its_primary_under_a_key_of_its_own_region(
    cloud: LocalCloud, home: Any, away: Any, name: str, key_arn: str
) -> None:
    created = home.create_secret(
        Name=name,
        SecretString="one",
        Tags=[{"Key": "tier", "Value": "high"}],
        AddReplicaRegions=[{"Region": AWAY, "KmsKeyId": key_arn}],
    )
    assert created["ReplicationStatus"][0]["Status"] == "InProgress"
    assert _status(home, name)["KmsKeyId"] == key_arn
    replica = away.describe_secret(SecretId=name)
    assert replica["ARN"] == created["ARN"].replace(f":{HOME}:", f":{AWAY}:")
    assert (replica["PrimaryRegion"], replica["KmsKeyId"]) == (HOME, key_arn)
    assert replica["Tags"] == [{"Key": "tier", "Value": "high"}]
    assert _value(away, replica["ARN"]) == "one"

    second = home.put_secret_value(SecretId=name, SecretString="two", VersionStages=["AWSPENDING"])["VersionId"]
    until(lambda: _value(away, name, VersionStage="AWSPENDING"), lambda seen: seen == "two")
    assert _value(away, name) == "one"
    home.update_secret_version_stage(
        SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=second, RemoveFromVersionId=created["VersionId"]
    )
    until(lambda: _value(away, name), lambda seen: seen == "two")
    assert _value(away, name, VersionStage="AWSPREVIOUS") == "one"


def test_a_resource_policy_is_replicated(home: Any, away: Any, name: str) -> None:
    home.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": AWAY}])
    statement = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    home.put_resource_policy(SecretId=name, ResourcePolicy=policy)
    _status(home, name)
    until(lambda: away.get_resource_policy(SecretId=name).get("ResourcePolicy"), lambda seen: seen == policy)


def test_a_name_that_is_taken_fails_the_replication_until_it_is_forced(home: Any, away: Any, name: str) -> None:
    away.create_secret(Name=name, SecretString="theirs")
    home.create_secret(Name=name, SecretString="ours", AddReplicaRegions=[{"Region": AWAY}])
    failed = _status(home, name, "Failed")
    assert failed["StatusMessage"] == f"Replication failed: Secret name {name} already exists in region {AWAY}."
    assert _value(away, name) == "theirs"
    home.replicate_secret_to_regions(
        SecretId=name, AddReplicaRegions=[{"Region": AWAY}], ForceOverwriteReplicaSecret=True
    )
    _status(home, name)
    assert _value(away, name) == "ours"


@pytest.mark.corrects("secretsmanager-replication.refusals")
def test_nothing_of_a_replica_is_changed_but_its_key(
    cloud: LocalCloud, home: Any, away: Any, name: str, key_arn: str
) -> None:
    created = home.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": AWAY}])
    _status(home, name)
    for change in (
        lambda: away.put_secret_value(SecretId=name, SecretString="x"),
        lambda: away.update_secret(SecretId=name, Description="x"),
        lambda: away.delete_secret(SecretId=name),
        lambda: away.tag_resource(SecretId=name, Tags=[{"Key": "a", "Value": "b"}]),
        lambda: away.put_resource_policy(SecretId=name, ResourcePolicy='{"Statement": [{}]}'),
        lambda: away.update_secret_version_stage(
            SecretId=name, VersionStage="mine", MoveToVersionId=created["VersionId"]
        ),
    ):
        assert _error(change) == ("InvalidParameterException", ON_REPLICA)
    away.update_secret(SecretId=name, KmsKeyId=key_arn)
    assert away.describe_secret(SecretId=name)["KmsKeyId"] == key_arn


@pytest.mark.corrects("secretsmanager-replication.refusals")
def test_a_primary_is_deleted_only_without_replicas(cloud: LocalCloud, home: Any, away: Any, name: str) -> None:
    arn = home.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": AWAY}])["ARN"]
    _status(home, name)
    assert _error(lambda: home.delete_secret(SecretId=name)) == (
        "InvalidParameterException",
        f"You can't delete secret {arn} that still has replica regions [{AWAY}].",
    )
    assert home.remove_regions_from_replication(SecretId=name, RemoveReplicaRegions=[AWAY])["ARN"] == arn
    assert _value(away, name) is None
    home.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


@pytest.mark.corrects("secretsmanager-replication.promotion")
def test_a_promoted_replica_is_a_secret_of_its_own(cloud: LocalCloud, home: Any, away: Any, name: str) -> None:
    home.create_secret(Name=name, SecretString="one", AddReplicaRegions=[{"Region": AWAY}])
    _status(home, name)
    replica_arn = away.describe_secret(SecretId=name)["ARN"]
    assert away.stop_replication_to_replica(SecretId=name)["ARN"] == replica_arn
    away.put_secret_value(SecretId=name, SecretString="away")
    home.put_secret_value(SecretId=name, SecretString="home")
    assert (_value(home, name), _value(away, replica_arn)) == ("home", "away")
    assert _value(away, name, VersionStage="AWSPREVIOUS") == "one"
    assert "ReplicationStatus" not in home.describe_secret(SecretId=name)
    assert "PrimaryRegion" not in away.describe_secret(SecretId=name)
    assert _error(lambda: away.stop_replication_to_replica(SecretId=name))[0] == "InvalidParameterException"
    away.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_a_key_of_another_region_and_the_primarys_own_region_are_refused(
    home: Any, name: str, cloud: LocalCloud
) -> None:
    home.create_secret(Name=name, SecretString="one")
    key = cloud.client("kms", region_name=HOME).create_key()["KeyMetadata"]["Arn"]
    for replica in ({"Region": HOME}, {"Region": AWAY, "KmsKeyId": key}):
        code, _ = _error(
            lambda replica=replica: home.replicate_secret_to_regions(  # type: ignore[misc]
                SecretId=name, AddReplicaRegions=[replica]
            )
        )
        assert code == "InvalidParameterException"
