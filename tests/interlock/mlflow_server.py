"""An MLflow server with users, as a process of its own, for the tests that need a registry."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interlock.mlflow.registry import Credentials
from rehearsal.warden import Ward

START_SECONDS = 120


@dataclass(frozen=True)
class RunningServer:
    """Where the server answers, who may use it, and where its artifacts lie."""

    uri: str
    admin: Credentials
    artifacts: Path


@contextlib.contextmanager
def mlflow_server(directory: Path) -> Iterator[RunningServer]:
    """Run a server until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri, admin = f"http://127.0.0.1:{port}", Credentials("admin", "a-password-for-tests")
    users = directory / "auth.ini"
    users.write_text(
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{directory}/users.db\nadmin_username = {admin.username}\nadmin_password = unused\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        # A password check takes a tenth of a second of a processor, at each request.
        "auth_cache_ttl_seconds = 60\n"
    )
    environment = {
        **os.environ,
        "MLFLOW_AUTH_CONFIG_PATH": str(users),
        "MLFLOW_AUTH_ADMIN_USERNAME": admin.username,
        "MLFLOW_AUTH_ADMIN_PASSWORD": admin.password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for-tests",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--app-name", "basic-auth", "--backend-store-uri", f"sqlite:///{directory}/mlflow.db",
        "--artifacts-destination", str(directory / "artifacts"),
    ]  # fmt: skip
    with (directory / "server.log").open("wb") as log:
        # It ends with this process, also when that is killed.
        ward = Ward(command, environment=environment, directory=directory, output=log)
    try:
        _wait(uri, ward.process, directory / "server.log")
        yield RunningServer(uri, admin, directory / "artifacts")
    finally:
        ward.stop()


def _wait(uri: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=5):
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
