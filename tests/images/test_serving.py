"""The serving image's entrypoint as a process, and what its Dockerfile promises."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow.pyfunc
import pytest
import requests

IMAGE = Path(__file__).parents[2] / "images" / "serving"
LIBRARY = Path(__file__).parents[2] / "interlock"
Start = Callable[[Path], tuple[str, "subprocess.Popen[str]"]]


TELLTALE = """
import os

import mlflow.models
import mlflow.pyfunc


class Credentials(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return [name for name in os.environ if name.startswith("AWS_")]


mlflow.models.set_model(Credentials())
"""
"""A model that tells what of AWS its environment shows it."""


THREADS = """
import mlflow.models
import mlflow.pyfunc
import numpy
import sklearn.ensemble
from threadpoolctl import threadpool_info


class Threads(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return [library["num_threads"] for library in threadpool_info()]


mlflow.models.set_model(Threads())
"""
"""A model that tells how many threads each numeric library would use."""


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(directory: Path) -> tuple[str, subprocess.Popen[str]]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        trust = [
            "--library", str(LIBRARY), "--fingerprint-file", str(IMAGE / "trust-root.fingerprint"),
            "--environment-file", str(IMAGE / "environment"),
        ]  # fmt: skip
        arguments = [*trust, "--host", "127.0.0.1", "--port", str(port), "--model-dir", str(directory), "serve"]
        process = subprocess.Popen(
            [sys.executable, "-I", str(IMAGE / "entrypoint.py"), *arguments],
            env={**os.environ, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return f"http://127.0.0.1:{port}", process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


def healthy(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{url}/ping", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail("not healthy within two minutes")


def test_without_model_data_it_holds(start: Start, tmp_path: Path) -> None:
    url, process = start(tmp_path)
    healthy(url, process)
    refused = requests.post(f"{url}/invocations", json={}, timeout=60)
    assert (refused.status_code, refused.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert re.fullmatch(r"\d+\.\d+\.\d+", requests.get(f"{url}/version", timeout=60).text)


def test_it_serves_the_models_files_and_shows_it_no_credential(start: Start, tmp_path: Path) -> None:
    directory = tmp_path / "model"
    code = tmp_path / "telltale.py"
    code.write_text(TELLTALE)
    mlflow.pyfunc.save_model(str(directory), python_model=str(code), pip_requirements=[])
    url, process = start(directory)
    healthy(url, process)
    answered = requests.post(f"{url}/invocations", json={"inputs": [[1.0]]}, timeout=60)
    assert answered.json() == {"predictions": []}


def test_a_request_keeps_to_one_core(start: Start, tmp_path: Path) -> None:
    directory = tmp_path / "model"
    code = tmp_path / "threads.py"
    code.write_text(THREADS)
    mlflow.pyfunc.save_model(str(directory), python_model=str(code), pip_requirements=[])
    url, process = start(directory)
    healthy(url, process)
    threads = requests.post(f"{url}/invocations", json={"inputs": [[1.0]]}, timeout=60).json()["predictions"]
    assert len(threads) >= 2
    assert set(threads) == {1}


@pytest.mark.parametrize("content", ["flavors: {}\n", "not: [yaml\n"])
def test_a_model_that_does_not_load_ends_it_with_one_line(start: Start, tmp_path: Path, content: str) -> None:
    (tmp_path / "MLmodel").write_text(content)
    _, process = start(tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("the model does not load: ")
    assert "Traceback" not in said


def test_files_that_are_no_model_are_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"")
    _, process = start(tmp_path)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, "holds no file MLmodel, only weights.bin" in said) == (1, True)


def test_the_image_is_pinned_isolated_and_does_not_run_as_root() -> None:
    dockerfile = (IMAGE / "Dockerfile").read_text()
    assert re.search(r"^FROM python:\d+\.\d+\.\d+-\S+$", dockerfile, re.M)
    assert re.search(r"^USER (?!0\b|root\b)\d+$", dockerfile, re.M)
    entry_point = json.loads(re.search(r"^ENTRYPOINT (.*)$", dockerfile, re.M)[1])  # type: ignore[index]
    assert entry_point[:2] == ["python", "-I"]
    for option, name in (("--fingerprint-file", "trust-root.fingerprint"), ("--environment-file", "environment")):
        assert entry_point[entry_point.index(option) + 1] == f"/opt/interlock/{name}"
        assert f"COPY {name} /opt/interlock/{name}" in dockerfile
        assert (IMAGE / name).read_text() == "none\n"
    assert "--require-hashes" in dockerfile
    locked = (IMAGE / "requirements.lock").read_text()
    assert locked.count("==") > 50
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", locked) if "==" in entry)
