"""A secret rotates twice under load, and no request of MLflow's client fails."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from mlflow.tracking import MlflowClient

from rehearsal.cloud.containers import Container, ContainerSpec
from rehearsal.cloud.server import LocalCloud
from tests.images.rotating import DATABASES, Function, content_of, database_instance, log_in, user_secret
from tests.rehearsal.cloud.waiting import until

CREDENTIALS_SECONDS, SETTLE_SECONDS = 2.0, 6.0
ADMIN = {"ADMIN_USERNAME": "admin", "ADMIN_PASSWORD": "an-administrator-s-own", "FLASK_SECRET_KEY": "signs"}
PORT = 5000


class Tracking:
    """A database with its secret and rotation, and the MLflow image's containers on it."""

    def __init__(self, cloud: LocalCloud, instance: dict[str, Any]) -> None:
        self.cloud, self.instance = cloud, instance
        self.secret = user_secret(cloud, instance)
        self.function = Function(cloud, self.secret, SETTLE_SECONDS)
        self.function.prepare(self.secret)

    def run(self, step: str) -> Container:
        cloud = self.cloud
        arguments = {
            "--host": "0.0.0.0",
            "--port": str(PORT),
            "--workers": "2",
            "--database-host": self.instance["Endpoint"]["Address"],
            "--database-port": str(self.instance["Endpoint"]["Port"]),
            "--database-name": DATABASES[0],
            "--auth-database-name": DATABASES[1],
            "--database-secret": self.secret,
            "--credentials-seconds": f"{CREDENTIALS_SECONDS:g}",
            "--artifacts-destination": "s3://artifacts-of-nobody/mlflow",
            "--allowed-hosts": "*",
        }
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        return cloud.context.containers.run(
            ContainerSpec(
                image=f"{cloud.account_id}.dkr.ecr.{cloud.region}.amazonaws.com/interlock/mlflow:1",
                name=f"tracking {step}",
                directory=cloud.directory / "under-load" / f"{step}-{uuid.uuid4().hex[:6]}",
                command=[step, *(word for pair in arguments.items() for word in pair)],
                environment={**ADMIN, **keys},
            )
        )


@pytest.fixture(scope="module")
def tracking(cloud: LocalCloud) -> Iterator[Tracking]:
    with database_instance(cloud) as instance:
        made = Tracking(cloud, instance)
        yield made
        made.function.client.delete_function(FunctionName=made.function.name)


@pytest.fixture
def server(tracking: Tracking, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    upgraded = tracking.run("upgrade")
    assert upgraded.wait(180) == 0, upgraded.log.read_text()
    serving = tracking.run("serve")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN["ADMIN_USERNAME"])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN["ADMIN_PASSWORD"])
    # A client that tries again would hide what this test is about.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        until(lambda: is_healthy(serving), bool, 180)
        yield serving
    finally:
        serving.stop(20)


def is_healthy(container: Container) -> bool:
    assert container.poll() is None, container.log.read_text()[-4000:]
    try:
        return requests.get(f"http://{container.address}:{PORT}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False


class Load:
    """Clients that log and read until they are told to stop."""

    def __init__(self, uri: str, clients: int = 3) -> None:
        self.uri, self.answered, self.failed = uri, 0, list[str]()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._experiment = MlflowClient(uri).create_experiment(f"load-{uuid.uuid4().hex[:8]}")
        self._threads = [threading.Thread(target=self._keep_asking) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _keep_asking(self) -> None:
        client = MlflowClient(self.uri)
        while not self._stop.is_set():
            try:
                run = client.create_run(self._experiment)
                client.log_metric(run.info.run_id, "auc", 0.875)
                assert client.get_run(run.info.run_id).data.metrics == {"auc": 0.875}
                client.search_runs([self._experiment], max_results=5)
            except Exception as problem:
                with self._lock:
                    self.failed.append(f"{type(problem).__name__}: {problem}")
            else:
                with self._lock:
                    self.answered += 4


def rotate(cloud: LocalCloud, tracking: Tracking) -> dict[str, Any]:
    """Rotate the secret, wait for the end, and return what it held before."""
    secrets, before = cloud.client("secretsmanager"), content_of(cloud, tracking.secret)
    token = secrets.rotate_secret(SecretId=tracking.secret, RotationLambdaARN=tracking.function.arn)["VersionId"]
    until(
        lambda: secrets.describe_secret(SecretId=tracking.secret)["VersionIdsToStages"],
        lambda stages: stages.get(token) == ["AWSCURRENT"],
        90,
    )
    return before


def test_a_secret_rotates_twice_under_load_without_one_failed_request(
    cloud: LocalCloud, tracking: Tracking, server: Container
) -> None:
    uri = f"http://{server.address}:{PORT}"
    with Load(uri) as load:
        until(lambda: load.answered, lambda count: count > 0, 60)
        first = rotate(cloud, tracking)
        second = rotate(cloud, tracking)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            log_in(cloud, first)
    assert load.failed == []
    assert load.answered > 0

    # With every connection of before cut while nothing is asked, what is answered next comes by a new one.
    master = {**second, **json.loads(master_of(cloud, second))}
    with log_in(cloud, master) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = any(%s)",
            ([first["username"], second["username"]],),
        )
    with Load(uri) as later:
        until(lambda: later.answered, lambda count: count > 0, 60)
    assert later.failed == []
    assert content_of(cloud, tracking.secret)["username"] == first["username"] != second["username"]
    log = Path(server.log).read_text(errors="replace")
    assert f"new connections to the database are {second['username']}'s" in log
    for content in (first, second, content_of(cloud, tracking.secret)):
        assert content["password"] not in log


def master_of(cloud: LocalCloud, content: dict[str, Any]) -> str:
    """Return the administrator's secret."""
    return str(cloud.client("secretsmanager").get_secret_value(SecretId=content["masterarn"])["SecretString"])
