"""The MLflow image's entrypoint: what it demands, and what it gives away to no argument, log or file."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

IMAGE = Path(__file__).parents[2] / "images" / "mlflow"
SECRETS = {
    "ADMIN_USERNAME": "admin",
    "ADMIN_PASSWORD": "admin%secret",
    "FLASK_SECRET_KEY": "flask-secret",
}
DATABASE_SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:tracking-AbCdEf"
ARGUMENTS = [
    "serve",
    *("--port", "5000", "--workers", "2", "--database-host", "db.example.com", "--database-name", "mlflow"),
    *("--auth-database-name", "mlflow_auth", "--artifacts-destination", "s3://artifacts/mlflow"),
    *("--allowed-hosts", "mlflow.example.com", "--database-secret", DATABASE_SECRET),
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


class Secrets:
    """Secrets Manager with one secret, on loopback."""

    def __init__(self, value: str | None) -> None:
        self.value = value
        secrets = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                missing = {"__type": "ResourceNotFoundException", "message": "there is none"}
                body = missing if secrets.value is None else {"SecretString": secrets.value}
                self.send_response(400 if secrets.value is None else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    running = Secrets(json.dumps({"username": "mlflow", "password": "data#base secret"}))
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    yield running
    running.server.shutdown()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "ResourceNotFoundException"),
        ("top secret", "no JSON with username and password"),
        ('{"username": "mlflow", "password": "two\\nlines secret"}', "a password that no service file can hold"),
    ],
)
def test_a_secret_that_is_none_is_the_outside_world_s_failure_and_not_told(
    environment: dict[str, str], secrets: Secrets, value: str | None, words: str
) -> None:
    secrets.value = value
    ended = run(ARGUMENTS, {**environment, **secrets.environment()})
    assert ended.returncode == 3
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "lines secret" not in ended.stderr
    assert "top secret" not in ended.stderr


def test_a_database_that_refuses_is_the_outside_world_s_failure(environment: dict[str, str], secrets: Secrets) -> None:
    # What answers in another protocol can never authenticate; nor is it a reason to wait for two minutes.
    arguments = ["127.0.0.1" if word == "db.example.com" else word for word in ARGUMENTS]
    arguments += ["--database-port", str(secrets.server.server_port), "--database-seconds", "1"]
    ended = run(arguments, {**environment, **secrets.environment()})

    assert ended.returncode == 3
    assert "the database 127.0.0.1 failed" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "data#base secret" not in ended.stderr + ended.stdout


def test_no_secret_is_in_the_server_s_arguments(entrypoint: ModuleType, environment: dict[str, str]) -> None:
    arguments = entrypoint.server_arguments(entrypoint.read_settings(ARGUMENTS, environment))
    told = " ".join(arguments)

    assert "postgresql+psycopg:///?service=tracking" in arguments
    assert "--allowed-hosts mlflow.example.com" in told
    assert not any(value in told for value in SECRETS.values() if "secret" in value)


def test_the_service_file_verifies_the_server_and_follows_the_secret(
    entrypoint: ModuleType, environment: dict[str, str], secrets: Secrets
) -> None:
    settings = entrypoint.read_settings(ARGUMENTS, environment)
    access = entrypoint.DatabaseAccess(settings.server, settings.database_secret)
    assert access.refresh()
    assert not access.refresh()
    file = configparser.ConfigParser(interpolation=None)
    file.read(access.path)
    assert {name: file[name]["dbname"] for name in file.sections()} == {"tracking": "mlflow", "users": "mlflow_auth"}
    assert dict(file["users"]) == {
        "host": "db.example.com",
        "port": "5432",
        "dbname": "mlflow_auth",
        "user": "mlflow",
        "password": "data#base secret",
        "sslmode": "verify-full",
        "sslrootcert": environment["DATABASE_CA"],
    }
    assert stat.S_IMODE(os.stat(access.path).st_mode) == 0o600

    secrets.value = json.dumps({"username": "mlflow_clone", "password": "another"})
    assert access.refresh()
    file.read(access.path)
    assert file["tracking"]["user"] == "mlflow_clone"
    secrets.value = None
    with pytest.raises(entrypoint.NoCredentials):
        access.refresh()
    assert "mlflow_clone" in Path(access.path).read_text()


def test_the_server_gets_no_variable_that_it_does_not_need(entrypoint: ModuleType, environment: dict[str, str]) -> None:
    foreign = {"PYTHONPATH": "/x", "PGHOST": "x", "MLFLOW_TRACKING_URI": "x", "HTTPS_PROXY": "x"}
    settings = entrypoint.read_settings(ARGUMENTS, environment)
    given = entrypoint.server_environment(settings, {**environment, **foreign}, "/pg.conf", "/x.ini")

    assert given["PGSERVICEFILE"] == "/pg.conf"
    assert given["AWS_REGION"] == "eu-west-1"
    assert given["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert given["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert not {*SECRETS, *foreign} & given.keys()


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
    assert image.environment["DATABASE_CA"] in image.downloads
    assert all(file.is_file() for file in image.files.values())
    assert set(image.files) >= {f"/opt/mlflow/{file.name}" for file in IMAGE.glob("*.py")}
