"""The MLflow image's entrypoint: what it demands, and what it gives away to no argument, log or file."""

from __future__ import annotations

import configparser
import importlib.util
import os
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

IMAGE = Path(__file__).parents[2] / "images" / "mlflow"
SECRETS = {
    "DATABASE_USERNAME": "kee/per",
    "DATABASE_PASSWORD": "data base#secret",
    "ADMIN_USERNAME": "admin",
    "ADMIN_PASSWORD": "admin%secret",
    "FLASK_SECRET_KEY": "flask-secret",
}
ARGUMENTS = [
    *("--port", "5000", "--workers", "2", "--database-host", "db.example.com", "--database-name", "mlflow"),
    *("--auth-database-name", "mlflow_auth", "--artifacts-destination", "s3://artifacts/mlflow"),
    *("--allowed-hosts", "mlflow.example.com"),
]


@pytest.fixture(scope="module")
def entrypoint() -> ModuleType:
    specification = importlib.util.spec_from_file_location("mlflow_entrypoint", IMAGE / "entrypoint.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    authorities = tmp_path / "authorities.pem"
    authorities.touch()
    return {**SECRETS, "DATABASE_CA": str(authorities), "AWS_REGION": "eu-west-1"}


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(IMAGE / "entrypoint.py"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_everything_that_is_wrong_is_told_at_once_and_no_secret_with_it() -> None:
    environment = {name: value for name, value in SECRETS.items() if name not in {"ADMIN_PASSWORD", "FLASK_SECRET_KEY"}}
    wrong = ["s3:/artifacts" if word.startswith("s3:") else word for word in ARGUMENTS]
    ended = run(["0" if word == "2" else word for word in wrong], environment)

    assert ended.returncode == 2
    for expected in (
        "ADMIN_PASSWORD: not set",
        "FLASK_SECRET_KEY: not set",
        "DATABASE_CA: ''",
        "'s3:/artifacts'",
        "--workers: 0",
    ):
        assert expected in ended.stderr
    assert not any(value in ended.stderr for value in environment.values() if "secret" in value)
    assert "Traceback" not in ended.stderr


def test_a_database_that_refuses_is_the_outside_world_s_failure(environment: dict[str, str]) -> None:
    class Refusal(BaseHTTPRequestHandler):
        pass

    # What answers in another protocol can never authenticate; nor is it a reason to wait for two minutes.
    server = HTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arguments = ["127.0.0.1" if word == "db.example.com" else word for word in ARGUMENTS]
    ended = run([*arguments, "--database-port", str(server.server_port), "--database-seconds", "1"], environment)
    server.shutdown()

    assert ended.returncode == 3
    assert "the database 127.0.0.1 failed" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert SECRETS["DATABASE_PASSWORD"] not in ended.stderr


def test_no_secret_is_in_the_server_s_arguments(entrypoint: ModuleType, environment: dict[str, str]) -> None:
    arguments = entrypoint.server_arguments(entrypoint.read_settings(ARGUMENTS, environment))
    told = " ".join(arguments)

    assert "postgresql+psycopg://kee%2Fper@db.example.com:5432/mlflow" in arguments
    assert "--allowed-hosts mlflow.example.com" in told
    assert not any(value in told for value in SECRETS.values() if "secret" in value)


def test_the_server_verifies_the_database_and_keeps_no_secret_under_our_name(
    entrypoint: ModuleType, environment: dict[str, str]
) -> None:
    given = entrypoint.server_environment(entrypoint.read_settings(ARGUMENTS, environment), environment, "/x.ini")

    assert (given["PGSSLMODE"], given["PGSSLROOTCERT"]) == ("verify-full", environment["DATABASE_CA"])
    assert given["PGPASSWORD"] == SECRETS["DATABASE_PASSWORD"]
    assert given["AWS_REGION"] == "eu-west-1"
    assert not SECRETS.keys() & given.keys()


def test_users_may_nothing_until_granted_and_only_we_read_the_configuration(
    entrypoint: ModuleType, environment: dict[str, str]
) -> None:
    path = Path(entrypoint.write_auth_config(entrypoint.read_settings(ARGUMENTS, environment)))
    config = configparser.ConfigParser(interpolation=None)
    config.read(path)

    assert config["mlflow"]["default_permission"] == "NO_PERMISSIONS"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(value in path.read_text() for value in SECRETS.values() if "secret" in value)
    path.unlink()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_a_server_that_answers_from_one_that_does_not(status: int, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [sys.executable, "-I", str(IMAGE / "health.py"), f"http://127.0.0.1:{server.server_port}/health"]
    ended = subprocess.run(command, check=False, capture_output=True, env={"PATH": os.environ["PATH"]})
    server.shutdown()

    assert ended.returncode == code


def test_the_image_runs_as_nobody_in_particular_and_loads_no_model() -> None:
    from rehearsal.cloud import dockerfile

    image = dockerfile.read(IMAGE / "Dockerfile")
    assert image.user == "10001"
    assert image.entry_point == ("python", "-I", "/opt/mlflow/entrypoint.py")
    assert image.environment["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert image.environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert image.environment["DATABASE_CA"] in image.downloads
    assert all(file.is_file() for file in image.files.values())
