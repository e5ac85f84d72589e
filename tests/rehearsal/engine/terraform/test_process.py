"""A provider binary is started, spoken to, and ends with whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest

from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.engine.terraform.client import ProviderClient
from rehearsal.engine.terraform.pool import Pool, ProcessDiedError
from rehearsal.engine.terraform.process import LaunchError, ProviderProcess
from rehearsal.setup.tools import Tools

OWNER = """
import sys, time
from pathlib import Path
from rehearsal.engine.terraform.process import ProviderProcess
print(ProviderProcess(Path(sys.argv[1]), {}).pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_provider_does_not_outlive_an_owner_that_is_killed(tools: Tools) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tools.provider)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_running(pid)
        owner.kill()
    deadline = time.monotonic() + 60
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def test_what_is_no_provider_is_refused_with_what_it_said() -> None:
    with pytest.raises(LaunchError, match="does not speak Terraform's protocol 5"):
        ProviderProcess(Path("/bin/echo"), {})


def test_the_log_that_a_provider_writes_is_no_part_of_its_last_words(tmp_path: Path) -> None:
    binary = tmp_path / "provider"
    log = '{"@level":"debug","http.request.body":"hunter2"}'
    binary.write_text(f"#!/bin/sh\necho '{log}' >&2\necho '2026-11-21T23:57:01Z [TRACE] hunter2' >&2\necho boom >&2\n")
    binary.chmod(0o755)
    with pytest.raises(LaunchError, match="boom") as refused:
        ProviderProcess(binary, {})
    assert "hunter2" not in str(refused.value)


def test_a_missing_binary_is_named() -> None:
    with pytest.raises(LaunchError, match="/no/such/provider"):
        ProviderProcess(Path("/no/such/provider"), {})


def test_the_schemas_are_asked_for_once_and_read_from_the_cache_then(tools: Tools, tmp_path: Path) -> None:
    began = time.monotonic()
    asked = Catalogue(tools.provider, tmp_path)
    asking, began = time.monotonic() - began, time.monotonic()
    read = Catalogue(tools.provider, tmp_path)
    assert time.monotonic() - began < asking
    assert asked.get("resource", "aws_s3_bucket") == read.get("resource", "aws_s3_bucket")
    assert asked.names("data") == read.names("data") != frozenset()


class _CutOff(grpc.RpcError):
    """What gRPC says when the other end goes in the middle of an answer."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN


def test_a_provider_that_dies_is_replaced_for_questions_and_named_for_changes(
    tools: Tools, environment: dict[str, str]
) -> None:
    catalogue = Catalogue(tools.provider, tools.cache / "schemas")
    pool = Pool(tools.provider, catalogue.provider())
    schema = catalogue.provider().block
    try:
        lease = pool.lease("me", environment, {**schema.empty(), "region": "eu-west-1"})
        block = catalogue.get("resource", "aws_sqs_queue").block
        assert lease.ask(lambda client: client.validate("aws_sqs_queue", block, block.empty())) == []
        (pid,) = pool.processes()
        os.kill(pid, signal.SIGKILL)
        assert lease.ask(lambda client: client.validate("aws_sqs_queue", block, block.empty())) == []
        (other,) = pool.processes()
        assert other != pid
        os.kill(other, signal.SIGKILL)
        answers = iter([_CutOff()])

        def be_cut_off_once(client: ProviderClient) -> str:
            for cut in answers:
                raise cut
            return "answered"

        assert lease.ask(be_cut_off_once) == "answered"
        (other,) = pool.processes()

        def die(client: ProviderClient) -> None:
            os.kill(other, signal.SIGKILL)
            client.validate("aws_sqs_queue", block, block.empty())

        with pytest.raises(ProcessDiedError, match="ended during the change") as died:
            lease.change(die)
        assert "pulumi refresh" in str(died.value)
    finally:
        pool.close()
    assert not is_running(other)
