"""The shim against a listening socket that stands for the provider host."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

SHIM = Path(__file__).resolve().parents[4] / "rehearsal" / "engine" / "plugin" / "shim.py"


class Host:
    """Takes one connection, reads its request, and answers what it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen()
        self.listening.settimeout(10)

    def accept(self, answer: Mapping[str, Any] | None) -> tuple[socket.socket, Any]:
        connection, _ = self.listening.accept()
        request = json.loads(connection.makefile().readline())
        if answer is not None:
            connection.sendall(json.dumps(answer).encode() + b"\n")
        return connection, request


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    listening = Host(tmp_path / "s")
    yield listening
    listening.listening.close()


def start(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(SHIM), "127.0.0.1:1"],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_line(shim: subprocess.Popen[str]) -> str:
    assert shim.stdout is not None
    return shim.stdout.readline().strip()


def test_the_engine_gets_the_port_of_the_instance(host: Host) -> None:
    shim = start(INTERLOCK_ENGINE_SOCKET=str(host.path))

    connection, _ = host.accept({"port": 4711})

    assert first_line(shim) == "4711"
    connection.close()
    shim.wait(10)


def test_the_host_learns_the_aws_settings_of_the_instance_and_nothing_else(host: Host) -> None:
    shim = start(INTERLOCK_ENGINE_SOCKET=str(host.path), AWS_REGION="eu-west-1", PULUMI_CONFIG_PASSPHRASE="secret")

    connection, request = host.accept({"port": 1})

    assert request == {"environment": {"AWS_REGION": "eu-west-1"}, "directory": str(Path.cwd())}
    connection.close()
    shim.wait(10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_shim_ends_the_instance_at_once(host: Host, number: signal.Signals) -> None:
    shim = start(INTERLOCK_ENGINE_SOCKET=str(host.path))
    connection, _ = host.accept({"port": 1})
    first_line(shim)
    started = time.monotonic()

    shim.send_signal(number)

    connection.settimeout(30)
    assert connection.recv(1) == b""
    assert shim.wait(30) == -number
    assert time.monotonic() - started < 10
    assert shim.stderr is not None
    assert shim.stderr.read() == ""


def test_a_shim_whose_engine_was_killed_ends(host: Host) -> None:
    engine = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", sys.executable, "-I", str(SHIM)],
        env={"PATH": os.environ["PATH"], "INTERLOCK_ENGINE_SOCKET": str(host.path)},
        stdout=subprocess.DEVNULL,
    )
    connection, _ = host.accept({"port": 1})

    engine.kill()
    engine.wait()

    connection.settimeout(10)
    assert connection.recv(1) == b""


def test_a_host_that_ends_takes_the_shim_with_it(host: Host) -> None:
    shim = start(INTERLOCK_ENGINE_SOCKET=str(host.path))
    connection, _ = host.accept({"port": 1})
    first_line(shim)

    connection.close()

    _, said = shim.communicate(timeout=60)
    assert shim.returncode == 1
    assert "the provider host has ended" in said


def test_what_the_host_refuses_reaches_the_user(host: Host) -> None:
    shim = start(INTERLOCK_ENGINE_SOCKET=str(host.path))

    host.accept({"error": "region: 'mars-1' is not a region"})

    _, said = shim.communicate(timeout=60)
    assert shim.returncode == 1
    assert "region: 'mars-1' is not a region" in said


@pytest.mark.parametrize("environment", [{}, {"INTERLOCK_ENGINE_SOCKET": "/nowhere/engine.sock"}])
def test_without_a_rehearsal_the_user_learns_how_to_start_one(environment: dict[str, str]) -> None:
    shim = start(**environment)

    output, said = shim.communicate(timeout=60)

    assert (shim.returncode, output) == (1, "")
    assert "scripts/rehearse --keep" in said
    assert environment.get("INTERLOCK_ENGINE_SOCKET", "INTERLOCK_ENGINE_SOCKET is not set") in said
    assert "Traceback" not in said
