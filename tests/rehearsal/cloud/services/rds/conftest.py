"""What tests of RDS share: an instance for each file of tests, and a parameter group for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.rds.models import rds_backends

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.rds.database import Database
from tests.rehearsal.cloud.services.rds.replicas import Replica, backed_up


@pytest.fixture(scope="module")
def database(cloud: LocalCloud) -> Iterator[Database]:
    database = Database(cloud)
    database.available()
    yield database
    database.delete()


@pytest.fixture
def group(cloud: LocalCloud) -> str:
    name = f"group-{uuid.uuid4().hex[:8]}"
    cloud.client("rds").create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily="postgres17", Description="of a test"
    )
    return name


@pytest.fixture(scope="module")
def source(cloud: LocalCloud) -> Iterator[Database]:
    database = backed_up(cloud)
    yield database
    database.delete()


@pytest.fixture
def replicate(cloud: LocalCloud, source: Database, left_out_correction: str | None) -> Iterator[Callable[..., Replica]]:
    """Makes replicas of `source`, or of another instance, and takes them away."""
    made: list[Replica] = []

    def make(of: Database = source, region: str | None = None, **wanted: Any) -> Replica:
        made.append(Replica(of, region, **wanted))
        return made[-1]

    yield make
    for replica in reversed(made):
        if left_out_correction == "rds.read-replica":
            # Moto's replica is a second record of the source itself.
            records = rds_backends[cloud.account_id][replica.rds.meta.region_name].databases
            records.pop(replica.name)
            rds_backends[cloud.account_id][cloud.region].databases[replica.source.name].replicas.clear()
        elif replica.exists():
            replica.delete()
