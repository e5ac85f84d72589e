"""Multi-AZ: where an instance's other half lies, and what becomes of it when the first is given up.

Storage is replicated synchronously below PostgreSQL, so that the other half is the same data: what a failover does to
clients is to cut them off, to recover, and to answer at the same endpoint.
Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
"""

from __future__ import annotations

from typing import Any

from rehearsal.cloud.services.rds.requests import refuse


def secondary_zone(database: Any) -> str | None:
    """Return the zone of the standby that answers nobody, None where there is none."""
    if not database.multi_az:
        return None
    zones = zones_of(getattr(database, "db_subnet_group", None)) or {f"{database.region}{zone}" for zone in "abc"}
    return min(zones - {database.availability_zone}, default=None)


def zones_of(subnet_group: Any) -> set[str]:
    """Return the zones that a DB subnet group covers, none where there is no group."""
    return {str(one["SubnetAvailabilityZone"]["Name"]) for one in subnet_group.subnets} if subnet_group else set()


def check_failover(database: Any) -> None:
    """Refuse a failover where there is nothing to fail over to. Raises RDSClientError."""
    if not database.multi_az:
        name = database.db_instance_identifier
        raise refuse("InvalidParameterCombination", f"ForceFailover: instance {name} isn't configured for Multi-AZ.")
