"""A provider instance over the local cloud, both in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.server import LocalCloud
from rehearsal.engine.host import Host, Instance
from rehearsal.setup.tools import Tools
from tests.rehearsal.engine.aws.caller import Caller

OpenCaller = Callable[..., Caller]


@pytest.fixture(scope="session")
def host(tools: Tools) -> Iterator[Host]:
    running = Host(tools.provider, tools.cache / "schemas", quiet=0)
    yield running
    running.close()


@pytest.fixture(scope="session")
def environment(cloud: LocalCloud) -> dict[str, str]:
    """The variables that lead an AWS client to the local cloud."""
    return {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="session")
def open_caller(host: Host, environment: dict[str, str]) -> Iterator[OpenCaller]:
    """Open further instances, configured as given."""
    opened: list[tuple[Caller, Instance]] = []

    def open_one(configuration: Mapping[str, Any] | None = None) -> Caller:
        instance = host.open(environment, Path.cwd())
        caller = Caller(instance.port, configuration or {})
        opened.append((caller, instance))
        return caller

    yield open_one
    for caller, instance in opened:
        caller.channel.close()
        instance.close()


@pytest.fixture(scope="session")
def aws(open_caller: OpenCaller) -> Caller:
    """The instance that most tests share."""
    return open_caller()
