"""The runner: what a task of it may reach, and who decides that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT
from policy.recording.monitor import Recording, record
from tests.components.programs import DATABASE_TARGET, SECRET, make

CLUSTER = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/shared"
TYPE = "interlock:runner:Runner"


def recorded(preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        make("Runner", **changed)

    return record(program, preview=preview)


def container(recording: Recording) -> dict[str, Any]:
    definition = recording.one("aws:ecs/taskDefinition:TaskDefinition").inputs
    (found,) = json.loads(definition["containerDefinitions"])
    return dict(found)


def test_what_may_be_reached_stands_in_the_entry_point_which_no_override_touches() -> None:
    found = container(recorded())
    entry = found["entryPoint"]
    assert entry[:2] == ["python", "-I"]
    assert entry[-1] == "--"
    assert json.loads(entry[entry.index("--targets") + 1]) == {
        "database": {"address": "db.example.internal", "port": 5432, "names": ["mlflow"]},
        "http": {"tracking": {"address": "internal-one.elb.amazonaws.com", "server_name": "mlflow.example.com"}},
    }
    assert found["environment"] == []
    assert "command" not in found


def test_a_task_has_no_credentials_and_its_start_reads_one_secret() -> None:
    recording = recorded()
    assert "taskRoleArn" not in recording.one("aws:ecs/taskDefinition:TaskDefinition").inputs
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    (read,) = [one for one in policy["Statement"] if one["Sid"] == "ReadSecrets"]
    assert read["Resource"] == SECRET


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_nothing_comes_in(preview: bool) -> None:
    recording = recorded(preview)
    assert recording.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") == []
    assert "ingress" not in recording.one("aws:ec2/securityGroup:SecurityGroup").inputs


def test_without_a_database_there_is_no_secret_and_no_way_to_one() -> None:
    recording = recorded(database=..., http_targets=...)
    found = container(recording)
    assert found["secrets"] == []
    assert json.loads(found["entryPoint"][found["entryPoint"].index("--targets") + 1]) == {"http": {}}
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    assert {one["Sid"] for one in policy["Statement"]} == {"EnterRegistry", "PullImage", "WriteLogs"}
    assert len(recording.outputs_of(TYPE)["securityGroupIds"]) == 1


def test_a_client_of_the_database_is_in_its_clients_group() -> None:
    assert "sg-0123456789abcdef0" in recorded().outputs_of(TYPE)["securityGroupIds"]


def test_a_cluster_that_there_is_already_is_run_in() -> None:
    recording = recorded(existing_cluster_arn=CLUSTER)
    assert recording.of_type("aws:ecs/cluster:Cluster") == []
    assert recording.outputs_of(TYPE)["clusterName"] == "shared"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"database": {"port": 0}}, "database.port: received 0"),
        ({"database": {"secret_arn": "password"}}, "database.secret_arn: received 'password'"),
        ({"http_targets": {"x": {"address": "a", "server_name": "?"}}}, r"http_targets.x.server_name: received '\?'"),
        ({"http_targets": {"x": {"address": "a"}}}, "http_targets.x.server_name: received nothing"),
    ],
)
def test_a_target_that_is_wrong_is_named(changed: dict[str, Any], path: str) -> None:
    if "database" in changed:
        changed = {"database": {**DATABASE_TARGET, **changed["database"]}}
    with pytest.raises(ArgumentError, match=rf"Runner one\.{path}"):
        recorded(preview=True, **changed)
