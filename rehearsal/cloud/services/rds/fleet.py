"""The DB instances of a cloud: what each request makes their servers do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends
from moto.rds.exceptions import DBInstanceNotFoundError

from rehearsal.cloud.network.topology import Interface, default_subnet_ids, interfaces
from rehearsal.cloud.places import Place
from rehearsal.cloud.services.rds import requests
from rehearsal.cloud.services.rds.empty_cluster import EmptyCluster
from rehearsal.cloud.services.rds.failover import zones_of
from rehearsal.cloud.services.rds.instance import Instance
from rehearsal.cloud.services.rds.measurements import Measurements
from rehearsal.cloud.services.rds.parameters import Parameter
from rehearsal.cloud.services.rds.postgres import PostgresServer
from rehearsal.cloud.services.rds.replicas import Replicas
from rehearsal.cloud.services.rds.snapshots import Snapshots

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
# Arguments that moto's DB instance drops although DescribeDBInstances shows them.
_DROPPED = (
    "dedicated_log_volume",
    "engine_lifecycle_support",
    "network_type",
    "performance_insights_enabled",
    "performance_insights_kms_key_id",
    "performance_insights_retention_period",
)


class Fleet:
    """All DB instances by their resource ids. `backend` and `database` are moto's records, touched in RDS's turn."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._instances: dict[str, Instance] = {}
        self._measurements = Measurements(cloud)
        self.replicas = Replicas(self)
        self.snapshots = Snapshots(cloud.directory / "rds" / "snapshots")
        self._empty = EmptyCluster(cloud.processes, cloud.directory / "rds" / "empty")
        self.restoring: Path | None = None
        """The data that the instance being created starts from."""

    def of(self, database: Any) -> Instance | None:
        """Return the data plane of a DB instance, None if moto made it without one."""
        return self._instances.get(database.dbi_resource_id)

    def find(self, backend: Any, identifier: str) -> tuple[Any, Instance]:
        """Return a DB instance and its data plane. Raises DBInstanceNotFoundError."""
        database = backend.describe_db_instances(identifier)[0]
        instance = self.of(database)
        if instance is None:
            raise DBInstanceNotFoundError(identifier)
        return database, instance

    def turn(self) -> AbstractContextManager[Any]:
        """Return the lock under which moto's records are read and changed."""
        return self._cloud.turn("rds")

    def instances(self) -> list[Instance]:
        """Return the data planes of all DB instances."""
        return list(self._instances.values())

    def close(self) -> None:
        """Stop every server."""
        with ThreadPoolExecutor() as pool:
            for closed in [pool.submit(instance.close) for instance in self._instances.values()]:
                closed.result()
        self._instances.clear()

    def create(self, backend: Any, request: Mapping[str, Any], record: Callable[[Any, dict[str, Any]], Any]) -> Any:
        """Record a new DB instance and have its server made. Raises RDSClientError."""
        wanted = {**request, "engine_version": requests.engine_version(request.get("engine_version"))}
        if self.restoring is None:
            requests.check_creation(wanted)
        # What is restored from a replica's snapshot follows nobody.
        wanted["source_db_instance_identifier"] = None
        instance = self.admit(backend, wanted, record)
        password, source = instance.database._master_user_password, self.restoring
        if source is None:
            instance.submit(lambda: instance.create(self._empty, password))
        else:
            instance.submit(lambda: instance.restore(source, password))
        instance.submit(lambda: self.back_up(backend, instance))
        return instance.database

    def admit(self, backend: Any, request: Mapping[str, Any], record: Callable[[Any, dict[str, Any]], Any]) -> Instance:
        """Record a DB instance that is being created, with a data plane that does not do anything yet.

        Raises RDSClientError.
        """
        wanted = dict(request)
        wanted["ca_certificate_identifier"] = wanted.get("ca_certificate_identifier") or _CERTIFICATE_AUTHORITY
        if wanted.get("storage_encrypted"):
            wanted["kms_key_id"] = backend._validate_kms_key(wanted.get("kms_key_id") or "alias/aws/rds")
        wanted |= _placed(backend, wanted)
        database = record(backend, wanted)
        database.dbi_resource_id = requests.resource_id()
        database.status = "creating"
        for name in _DROPPED:
            if wanted.get(name) is not None:
                setattr(database, name, wanted[name])
        instance = Instance(self._cloud, database, self._server(database), self._observe)
        self._instances[database.dbi_resource_id] = instance
        return instance

    def remove(self, backend: Any, instance: Instance, forget: Callable[[], None]) -> None:
        """Take a DB instance away, and its record after it; on the instance's own thread."""
        self.replicas.release(instance)
        self._measurements.forget(instance)
        instance.remove()
        with self._cloud.turn("rds"), self._cloud.turn("secretsmanager"):
            database = instance.database
            database.deletion_protection = False
            self._instances.pop(database.dbi_resource_id, None)
            if database.db_instance_identifier in backend.databases:
                forget()
        instance.retire()

    def change(
        self, backend: Any, identifier: str, states: tuple[str, str, str], work: Callable[[Instance], None]
    ) -> Any:
        """Do `work` to an instance; `states` are its statuses before (demanded), meanwhile and after."""
        before, meanwhile, after = states
        database, instance = self.find(backend, identifier)
        if database.status != before:
            raise requests.refuse("InvalidDBInstanceState", f"Instance {identifier} is not in {before} state.")
        database.status = meanwhile
        instance.submit(lambda: work(instance))
        instance.submit(lambda: instance.mark(after))
        return database

    def carry_out(self, database: Any, instance: Instance, changes: Mapping[str, Any]) -> None:
        """Make a modification that moto recorded true of the server."""
        was = database.status
        password = changes.get("master_user_password")
        if changes.get("manage_master_user_password") or changes.get("rotate_master_user_password"):
            password = database._master_user_password
        database.status = "modifying" if was == "available" else was
        if password is not None:
            instance.submit(lambda: instance.server.change_password(database.master_username, password))
        if was == "available" and requests.RESTARTING & changes.keys():
            instance.submit(instance.restart)
            for replica in self.replicas.of(instance):
                instance.submit(lambda replica=replica: replica.submit(replica.reconfigure))  # type: ignore[misc]
        instance.submit(lambda: instance.mark(was))

    def apply_parameters(self, group: Any, known: Mapping[str, Parameter]) -> None:
        """Have every instance of a changed parameter group apply what needs no reboot."""
        for instance in list(self._instances.values()):
            if group in instance.database.db_parameter_groups() and instance.database.status == "available":
                instance.submit(lambda instance=instance: instance.apply_dynamic(known))  # type: ignore[misc]

    def fill(self, instance: Instance, snapshot: Any) -> None:
        """Have a recorded snapshot filled with the instance's data of now."""

        def copy() -> None:
            instance.server.copy_to(self.snapshots.path(snapshot))
            with self._cloud.turn("rds"):
                snapshot.status = "available"

        snapshot.status = "creating"
        instance.submit(copy)

    def back_up(self, backend: Any, instance: Instance) -> None:
        """Take the first automated backup, unless none are kept, then let the instance be used."""
        with self._cloud.turn("rds"):
            database = instance.database
            if database.status not in {"creating", "rebooting"}:
                return
            if database.backup_retention_period:
                database.status = "backing-up"
                name = f"rds:{database.db_instance_identifier}-{self._cloud.now():%Y-%m-%d-%H-%M}"
                backend.create_auto_snapshot(database.db_instance_identifier, name)
        instance.submit(instance.mark_usable)

    def _observe(self, instance: Instance) -> None:
        self._measurements.take(instance, self.replicas.of(instance))

    def _server(self, database: Any) -> PostgresServer:
        directory = self._cloud.directory / "rds" / database.dbi_resource_id
        address = self._cloud.addresses.allocate(f"rds {database.db_instance_identifier}")
        self._cloud.network.protect(address, lambda: _interfaces(database))
        cloud = self._cloud
        return PostgresServer(cloud.processes, cloud.authority, directory, address, database.port, cloud.network.gate)


def _placed(backend: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the zone and the security group that an instance of a subnet group has unless it names others."""
    group = backend.subnet_groups.get(wanted.get("db_subnet_group_name") or "")
    if group is None:
        return {}
    placed: dict[str, Any] = {}
    if not wanted.get("availability_zone"):
        placed["availability_zone"] = min(zones_of(group))
    if not wanted.get("vpc_security_group_ids"):
        network = Place(backend.account_id, backend.region_name).backend(ec2_backends)
        placed["vpc_security_group_ids"] = [network.get_default_security_group(group.vpc_id).id]
    return placed


def _interfaces(database: Any) -> tuple[Interface, ...]:
    """Return where an instance stands: in the subnets of its group that it may be moved to."""
    # Without a group, moto's record lacks the attribute too.
    group, place = getattr(database, "db_subnet_group", None), Place(database.account_id, database.region)
    subnets = list(group.subnets) if group is not None else []
    # One that is in one zone alone stays in it.
    here = [one for one in subnets if one["SubnetAvailabilityZone"]["Name"] == database.availability_zone]
    chosen = subnets if database.multi_az or not here else here
    subnet_ids = [one["SubnetIdentifier"] for one in chosen] or default_subnet_ids(place)
    is_public = bool(database.publicly_accessible)
    return interfaces(place, subnet_ids, database.vpc_security_group_ids, has_public_address=is_public)
