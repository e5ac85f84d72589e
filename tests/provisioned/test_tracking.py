"""MLflow's own client against the provisioned server: through the load balancer, over TLS, and across restarts."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from interlock.stack import ProvisionedStack
from rehearsal.session import Session
from tests.rehearsal.cloud.waiting import until

ARTIFACT_BYTES = 100 * 1024 * 1024
RESTART_SECONDS = 240.0


@pytest.fixture
def credentials(session: Session, provisioned: ProvisionedStack) -> tuple[str, str]:
    arn = provisioned.manifest.tracking.admin_secret_arn
    secret = json.loads(session.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    return str(secret["username"]), str(secret["password"])


@pytest.fixture
def client(
    provisioned: ProvisionedStack, credentials: tuple[str, str], monkeypatch: pytest.MonkeyPatch, session: Session
) -> Iterator[MlflowClient]:
    given = {
        "MLFLOW_TRACKING_USERNAME": credentials[0],
        "MLFLOW_TRACKING_PASSWORD": credentials[1],
        "MLFLOW_TRACKING_SERVER_CERT_PATH": session.environment["MLFLOW_TRACKING_SERVER_CERT_PATH"],
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": session.environment["NO_PROXY"],
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    uri = provisioned.manifest.tracking.uri
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    answered(lambda: health(session, provisioned), RESTART_SECONDS)
    # The registry of whatever server this process used before would be taken else.
    yield MlflowClient(uri, registry_uri=uri)
    mlflow.set_tracking_uri(before)


def health(session: Session, provisioned: ProvisionedStack) -> int:
    authority = session.environment["MLFLOW_TRACKING_SERVER_CERT_PATH"]
    answer = requests.get(f"{provisioned.manifest.tracking.uri}/health", verify=authority, timeout=10)
    answer.raise_for_status()
    return answer.status_code


def answered(ask: Callable[[], Any], seconds: float) -> Any:
    """Return the first answer; fail with the last refusal after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (MlflowException, requests.RequestException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def service(session: Session, provisioned: ProvisionedStack) -> Any:
    tracking = provisioned.manifest.tracking
    return session.client("ecs").describe_services(cluster=tracking.cluster, services=[tracking.service])["services"][0]


def digest(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Logged:
    """A run with a metric and a large artifact, registered under a name with an alias."""

    def __init__(self, client: MlflowClient, directory: Path) -> None:
        self.client, self.directory = client, directory
        block = os.urandom(1024 * 1024)
        artifact = directory / "weights.bin"
        artifact.write_bytes(block * (ARTIFACT_BYTES // len(block)))
        self.digest = digest(artifact)
        experiment = client.create_experiment(f"restarts {time.time_ns()}")
        self.run_id = client.create_run(experiment).info.run_id
        client.log_metric(self.run_id, "auc", 0.875)
        client.log_artifact(self.run_id, str(artifact))
        self.name = f"survivor-{time.time_ns()}"
        client.create_registered_model(self.name)
        source = f"{client.get_run(self.run_id).info.artifact_uri}/weights.bin"
        self.version = client.create_model_version(self.name, source, self.run_id).version
        client.set_registered_model_alias(self.name, "champion", self.version)

    def read(self) -> tuple[float, str]:
        metric = self.client.get_run(self.run_id).data.metrics["auc"]
        return metric, str(self.client.get_model_version_by_alias(self.name, "champion").version)

    def check(self) -> None:
        assert answered(self.read, RESTART_SECONDS) == (0.875, str(self.version))
        target = self.directory / f"downloaded-{time.time_ns()}"
        target.mkdir()
        found = self.client.download_artifacts(self.run_id, "weights.bin", str(target))
        assert digest(found) == self.digest


@pytest.mark.parametrize("password", ["", "not the password"])
def test_the_server_refuses_whoever_has_no_credentials(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    with pytest.raises(MlflowException, match="401"):
        client.search_experiments()
    with pytest.raises(MlflowException, match="401"):
        client.create_registered_model("by a stranger")


def test_the_server_answers_to_its_own_names_only(
    client: MlflowClient, session: Session, provisioned: ProvisionedStack, credentials: tuple[str, str]
) -> None:
    answer = requests.get(
        f"{client.tracking_uri}/api/2.0/mlflow/experiments/get?experiment_id=0",
        headers={"Host": "attacker.example.com"},
        auth=credentials,
        verify=session.environment["MLFLOW_TRACKING_SERVER_CERT_PATH"],
        timeout=30,
    )
    assert answer.status_code == 403


def test_runs_a_large_artifact_the_registry_and_aliases_survive_a_killed_server_and_a_rebooted_database(
    client: MlflowClient, session: Session, provisioned: ProvisionedStack, tmp_path: Path
) -> None:
    logged = Logged(client, tmp_path)
    logged.check()
    tracking = provisioned.manifest.tracking
    before = session.client("ecs").list_tasks(cluster=tracking.cluster, serviceName=tracking.service)["taskArns"]
    task_id = before[0].rpartition("/")[2]
    os.kill(entrypoint_of(task_id), signal.SIGKILL)
    assert tracking.database is not None
    session.client("rds").reboot_db_instance(DBInstanceIdentifier=tracking.database.identifier)

    logged.check()
    after = session.client("ecs").list_tasks(cluster=tracking.cluster, serviceName=tracking.service)["taskArns"]
    assert before[0] not in after


def entrypoint_of(task_id: str) -> int:
    """Return the process that a task's container is: the first one whose folder bears the task's id."""
    found = []
    for entry in Path("/proc").iterdir():
        # Others' processes may not be looked at, and any may end meanwhile.
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and task_id in os.readlink(entry / "cwd"):
                found.append(int(entry.name))
    return min(found)


def test_a_new_deployment_replaces_the_server_without_a_refused_request(
    client: MlflowClient, session: Session, provisioned: ProvisionedStack
) -> None:
    # The server that another test killed is back, and the service knows it.
    until(
        lambda: service(session, provisioned)["events"][0]["message"],
        lambda told: "steady state" in told,
        RESTART_SECONDS,
    )
    tracking, refused = provisioned.manifest.tracking, list[str]()
    finished = threading.Event()

    def keep_asking() -> None:
        while not finished.wait(0.2):
            try:
                client.get_experiment("0")
            except MlflowException as refusal:
                refused.append(str(refusal))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    ecs = session.client("ecs")
    updated = ecs.update_service(cluster=tracking.cluster, service=tracking.service, forceNewDeployment=True)["service"]
    wanted = updated["deployments"][0]["id"]
    until(
        lambda: [one["id"] for one in service(session, provisioned)["deployments"]],
        lambda ids: ids == [wanted],
        RESTART_SECONDS,
    )
    finished.set()
    asking.join()

    assert refused == []
    assert service(session, provisioned)["deployments"][0]["rolloutState"] == "COMPLETED"
