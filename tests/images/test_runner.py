"""The runner's image: what its entrypoint runs, and what it leaves alone."""

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rehearsal.cloud.certificates import CertificateAuthority
from rehearsal.cloud.dockerfile import read

IMAGE = Path(__file__).parents[2] / "images" / "runner"
BODY = b"OK"


@pytest.fixture(scope="module")
def entrypoint() -> ModuleType:
    specification = importlib.util.spec_from_file_location("runner_entrypoint", IMAGE / "entrypoint.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"), lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def server(authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """An HTTPS server whose certificate is for mlflow.example.com alone."""
    issued = authority.issue("mlflow.example.com", ["mlflow.example.com"], [])
    folder = tmp_path_factory.mktemp("server")
    (folder / "key.pem").write_bytes(issued.private_key)
    (folder / "chain.pem").write_bytes(issued.certificate + issued.chain)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Host"] == "mlflow.example.com" else 403)
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are nobody's news."""

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield "127.0.0.1", listener.server_address[1]
    listener.shutdown()
    listener.server_close()


def run(
    targets: dict[str, Any], *operation: str, ca: str = "/none", **environment: str
) -> subprocess.CompletedProcess[str]:
    trusted = ["--targets", json.dumps(targets), "--database-ca", ca, "--http-ca", ca, "--"]
    return subprocess.run(
        [sys.executable, "-I", str(IMAGE / "entrypoint.py"), *trusted, *operation],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def http_target(server: tuple[str, int], server_name: str = "mlflow.example.com") -> dict[str, Any]:
    return {"http": {"tracking": {"address": server[0], "port": server[1], "server_name": server_name}}}


PROBE = json.dumps({"operation": "http-probe", "target": "tracking", "path": "/health"})


def test_a_server_is_verified_as_the_name_that_its_certificate_is_for(
    server: tuple[str, int], authority: CertificateAuthority
) -> None:
    ended = run(http_target(server), PROBE, ca=str(authority.certificate_file))
    answer = json.loads(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    assert (answer["operation"], answer["outcome"]) == ("http-probe", "done")
    assert answer["result"]["status"] == 200
    assert answer["result"]["body_sha256"] == hashlib.sha256(BODY).hexdigest()


def test_a_server_with_another_name_is_not_believed(server: tuple[str, int], authority: CertificateAuthority) -> None:
    ended = run(http_target(server, "other.example.com"), PROBE, ca=str(authority.certificate_file))
    assert ended.returncode == 3
    assert "CERTIFICATE_VERIFY_FAILED" in json.loads(ended.stdout)["reason"]


def test_authorities_of_the_environment_are_not_believed(
    server: tuple[str, int], authority: CertificateAuthority, tmp_path: Path
) -> None:
    other = CertificateAuthority(tmp_path, lambda: datetime.now(UTC))
    ended = run(
        http_target(server),
        PROBE,
        ca=str(other.certificate_file),
        SSL_CERT_FILE=str(authority.certificate_file),
        PYTHONHTTPSVERIFY="0",
    )
    assert ended.returncode == 3


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        ("?", 2, "is no JSON"),
        ("[]", 2, "one JSON object, not list"),
        ('{"operation": "eval"}', 1, "operation: received 'eval'; accepted: one of database-probe, http-probe"),
        ('{"operation": ["eval"]}', 2, "operation: received ['eval']"),
        ('{"operation": "http-probe", "target": "tracking", "path": "https://x"}', 2, "path: received 'https://x'"),
        ('{"operation": "http-probe", "target": "tracking", "path": "/\\r\\nHost: x"}', 2, "path: received"),
        ('{"operation": "http-probe", "url": "https://x"}', 2, "url: no such field of http-probe"),
        ('{"operation": "database-probe", "database": "mlflow"}', 1, "there is no database"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_one_line_of_json(operation: str, code: int, said: str) -> None:
    ended = run(http_target(("127.0.0.1", 1)), operation)
    assert ended.returncode == code
    assert said in json.loads(ended.stdout)["reason"]
    assert ended.stderr == ""


@pytest.mark.parametrize("more", [["--targets", "{}"], ["--http-ca", "/tmp/mine"], ["one", "two"], []])
def test_a_caller_adds_nothing_to_what_the_task_definition_says(more: list[str]) -> None:
    ended = run(http_target(("127.0.0.1", 1)), *([PROBE, *more] if more else []))
    assert ended.returncode == 2
    assert ended.stdout == ""


def test_a_row_is_asked_for_by_columns_that_are_named_and_by_values_that_are_bound(entrypoint: ModuleType) -> None:
    query, values = entrypoint._row_query({"table": "registered_models", "where": {"name": "x' or true --"}})
    assert values == ["x' or true --"]
    assert query.as_string(None) == (
        'select "name", "creation_time", "last_updated_time" from "registered_models" where "name"::text = %s limit 1'
    )


@pytest.mark.parametrize(
    "row",
    [
        "registered_models",
        {"table": "registered_models"},
        {"table": "registered_models", "where": {}},
        {"table": "registered_models", "where": {"description": "x"}},
        {"table": "registered_models", "where": {"name": 1}},
        {"table": "users; drop table users", "where": {"id": "1"}},
    ],
)
def test_a_row_that_may_not_be_read_is_not_asked_for(entrypoint: ModuleType, row: Any) -> None:
    with pytest.raises(entrypoint.Ended, match=r"^row"):
        entrypoint._row_query(row)


def test_the_image_trusts_no_variable_and_runs_as_nobody_in_particular() -> None:
    image = read(IMAGE / "Dockerfile")
    assert image.entry_point[:2] == ("python", "-I")
    assert image.user == "10001"
