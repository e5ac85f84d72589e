"""The host serves an instance for every connection, and none for longer."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from rehearsal.setup.tools import Tools
from tests.rehearsal.engine.aws.caller import Caller


@pytest.fixture
def address(tools: Tools, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "engine.sock"
    arguments = ["--socket", str(path), "--provider", str(tools.provider), "--cache", str(tools.cache / "schemas")]
    with subprocess.Popen([sys.executable, "-m", "rehearsal.engine.host", *arguments]) as process:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield path
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not path.exists()


def connect(address: Path, line: bytes) -> tuple[socket.socket, dict[str, object]]:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(address))
    connection.sendall(line)
    answer: dict[str, object] = json.loads(connection.makefile().readline())
    return connection, answer


def test_every_connection_is_an_instance_of_its_own_that_ends_with_it(
    address: Path, environment: dict[str, str]
) -> None:
    ports = []
    for region in ("eu-west-1", "us-east-1"):
        line = json.dumps({"environment": {**environment, "AWS_REGION": region}}).encode() + b"\n"
        connection, answer = connect(address, line)
        with connection:
            assert isinstance(answer["port"], int)
            caller = Caller(answer["port"], {})
            assert caller.check("aws:kms/key:Key", "k", {})["region"] == region
            ports.append(answer["port"])
        deadline = time.monotonic() + 60
        while _answers(answer["port"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _answers(answer["port"])
    assert len(set(ports)) == 2


@pytest.mark.parametrize("line", [b"hello\n", b"{}\n", b'{"environment": 3}\n'])
def test_a_caller_that_speaks_otherwise_is_told_so(address: Path, line: bytes) -> None:
    connection, answer = connect(address, line)
    connection.close()
    assert "not a request for an instance" in str(answer["error"])


def test_a_second_instance_costs_little(address: Path, environment: dict[str, str]) -> None:
    line = json.dumps({"environment": environment}).encode() + b"\n"
    first, answer = connect(address, line)
    assert isinstance(answer["port"], int)
    Caller(answer["port"], {}).check("aws:kms/key:Key", "k", {})
    started = time.monotonic()
    second, answer = connect(address, line)
    assert isinstance(answer["port"], int)
    Caller(answer["port"], {}).check("aws:kms/key:Key", "k", {})
    assert time.monotonic() - started < 5
    first.close()
    second.close()


def test_a_region_that_nothing_gives_is_asked_for(address: Path, environment: dict[str, str]) -> None:
    line = json.dumps({"environment": {**environment, "AWS_REGION": ""}}).encode() + b"\n"
    connection, answer = connect(address, line)
    assert isinstance(answer["port"], int)
    with connection, pytest.raises(grpc.RpcError) as failed:
        Caller(answer["port"], {})
    assert "aws:region" in str(failed.value.details())


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
