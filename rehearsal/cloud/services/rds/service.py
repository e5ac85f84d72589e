"""The RDS service: moto's records of DB instances, with real servers behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.models import DBInstance, MasterUserSecret, RDSBackend, rds_backends
from moto.rds.responses import RDSResponse

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.rds import failover, parameter_groups, replica_requests, requests
from rehearsal.cloud.services.rds.fleet import Fleet
from rehearsal.cloud.services.rds.instance import Instance
from rehearsal.cloud.services.rds.parameters import catalogue
from rehearsal.cloud.services.rds.postgres import POSTGRES
from rehearsal.cloud.services.rds.replicas import status_infos_of

TRUST_BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""Where AWS publishes the certificates of RDS's authorities; an image that has a copy gets this cloud's."""

_API = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/"
_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"


_RECORD: Any = RDSBackend.create_db_instance
"""Moto's own, whatever stands in its place later."""


class Rds(Service):
    """DB instances that are PostgreSQL servers."""

    name = "rds"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self.fleet = Fleet(cloud)

    def start(self) -> None:
        """Have images trust this cloud's servers as they trust RDS's."""
        self.cloud.containers.downloads[TRUST_BUNDLE] = self.cloud.authority.certificate_file

    def stop(self) -> None:
        """Stop every server."""
        self.fleet.close()

    def inventory(self) -> Sequence[str]:
        """Return DB instances, manual snapshots, parameter groups and subnet groups."""
        with self.cloud.turn("rds"):
            return [str(resource.arn) for _, backend in visited(rds_backends) for resource in _made(backend)]

    @correction("rds.instance-is-a-server", f"{_GUIDE}accessing-monitoring.html#Overview.DBInstance.Status")
    def _run_instances(self, patches: Patches) -> None:
        """An instance is `creating` until its server answers at its endpoint, and `deleting` until it is gone."""
        fleet = self.fleet

        def delete(
            backend: Any,
            db_instance_identifier: str,
            final_db_snapshot_identifier: str | None = None,
            skip_final_snapshot: bool | None = False,
            delete_automated_backups: bool | None = True,
        ) -> Any:
            database, instance = fleet.find(backend, db_instance_identifier)
            snapshots = backend.database_snapshots
            requests.check_deletion(database, final_db_snapshot_identifier, skip_final_snapshot, snapshots)
            replica_requests.check_final_snapshot(database, final_db_snapshot_identifier)
            if final_db_snapshot_identifier:
                backend.create_db_snapshot(db_instance_identifier, final_db_snapshot_identifier)
            database.status = "deleting"

            def forget() -> None:
                forgotten_by_moto(backend, db_instance_identifier, None, True, delete_automated_backups is not False)

            instance.submit(lambda: fleet.remove(backend, instance, forget))
            return database

        def endpoint(database: Any) -> dict[str, Any] | None:
            instance = fleet.of(database)
            if instance is None or database.status == "creating":
                return None
            return {"Address": instance.server.address, "Port": database.port}

        def create(backend: Any, request: dict[str, Any]) -> Any:
            return fleet.create(backend, request, made_by_moto)

        def refuse(*_: Any) -> Any:
            raise requests.refuse("InvalidParameterCombination", "This cloud runs DB instances, and no clusters.")

        patches.replace(RDSBackend, "create_db_cluster", refuse)
        made_by_moto: Any = patches.replace(RDSBackend, "create_db_instance", create)
        forgotten_by_moto: Any = patches.replace(RDSBackend, "delete_db_instance", delete)
        patches.replace(DBInstance, "endpoint", property(endpoint))
        patches.replace(DBInstance, "save_automated_backup", lambda _: None)

    @correction("rds.restart", f"{_API}API_RebootDBInstance.html")
    def _restart_instances(self, patches: Patches) -> None:
        """A reboot, a stop and a start go through their statuses while the server does what they say."""
        fleet = self.fleet

        def reboot(backend: Any, identifier: str) -> Any:
            return fleet.change(backend, identifier, ("available", "rebooting", "available"), Instance.restart)

        def stop(backend: Any, identifier: str, snapshot: str | None = None) -> Any:
            replica_requests.check_stop(fleet.find(backend, identifier)[0])
            if snapshot:
                backend.create_db_snapshot(identifier, snapshot)
            states = ("available", "stopping", "stopped")
            return fleet.change(backend, identifier, states, lambda instance: instance.server.stop())

        def start(backend: Any, identifier: str) -> Any:
            return fleet.change(backend, identifier, ("stopped", "starting", "available"), Instance.start)

        patches.replace(RDSBackend, "reboot_db_instance", reboot)
        patches.replace(RDSBackend, "stop_db_instance", stop)
        patches.replace(RDSBackend, "start_db_instance", start)

    @correction("rds.failover", f"{_GUIDE}Concepts.MultiAZ.Failover.html")
    def _fail_over(self, patches: Patches) -> None:
        """A Multi-AZ instance names its second zone, and a reboot with failover crashes and recovers it there."""
        fleet = self.fleet

        def reboot(response: Any) -> ActionResult:
            backend, name = response.backend, response.params["DBInstanceIdentifier"]
            if not response.params.get("ForceFailover"):
                return ActionResult({"DBInstance": backend.reboot_db_instance(name)})
            failover.check_failover(fleet.find(backend, name)[0])
            states = ("available", "rebooting", "available")
            return ActionResult({"DBInstance": fleet.change(backend, name, states, Instance.fail_over)})

        patches.replace(RDSResponse, "reboot_db_instance", reboot)
        patches.replace(DBInstance, "secondary_availability_zone", property(failover.secondary_zone))

    @correction("rds.modification", f"{_GUIDE}USER_ModifyInstance.ApplyImmediately.html")
    def _modify_instances(self, patches: Patches) -> None:
        """What may interrupt waits for the maintenance window unless applied at once; a new password is really one."""

        def modify(backend: Any, identifier: str, request: dict[str, Any]) -> Any:
            database, instance = self.fleet.find(backend, identifier)
            if database.status not in {"available", "stopped"}:
                raise requests.refuse("InvalidDBInstanceState", "Database instance is not in available state.")
            requests.check_password(request, creating=False)
            requests.check_modification(request, database, backend.subnet_groups)
            replica_requests.check_modification(request, database)
            now, later = requests.split_modification(request, database)
            if "rotate_master_user_password" in now:
                now["apply_immediately"] = request.get("apply_immediately")
            pending = {} if request.get("apply_immediately") else getattr(database, "pending_modified_values", {})
            modified_by_moto(backend, identifier, now)
            database.pending_modified_values = {**pending, **later}
            self.fleet.carry_out(database, instance, now)
            return database

        modified_by_moto = patches.replace(RDSBackend, "modify_db_instance", modify)

    @correction("rds.subnet-group", f"{_API}API_ModifyDBSubnetGroup.html")
    def _keep_subnet_groups(self, patches: Patches) -> None:
        """A subnet group that is modified stays."""

        def modify(backend: Any, subnet_name: str, description: str, subnets: list[Any]) -> Any:
            backend.describe_db_subnet_groups(subnet_name)
            group = modified_by_moto(backend, subnet_name, description, subnets)
            backend.subnet_groups[subnet_name] = group
            return group

        modified_by_moto = patches.replace(RDSBackend, "modify_db_subnet_group", modify)

    @correction("rds.read-replica", f"{_API}API_CreateDBInstanceReadReplica.html")
    def _run_replicas(self, patches: Patches) -> None:
        """A read replica is a streaming standby of its source, in its own region, with what it does not inherit."""
        replicas = self.fleet.replicas

        def create(backend: Any, request: dict[str, Any]) -> Any:
            return replicas.create(backend, request, _RECORD)

        patches.replace(RDSBackend, "create_db_instance_read_replica", create)

    @correction("rds.promotion", f"{_API}API_PromoteReadReplica.html")
    def _promote_replicas(self, patches: Patches) -> None:
        """A promoted replica is rebooted onto a timeline of its own, follows nobody and takes backups; but once."""
        replicas = self.fleet.replicas

        def promote(backend: Any, request: dict[str, Any]) -> Any:
            return replicas.promote(backend, request)

        patches.replace(RDSBackend, "promote_read_replica", promote)

    @correction("rds.replication-status", f"{_API}API_DBInstanceStatusInfo.html")
    def _report_replication(self, patches: Patches) -> None:
        """A read replica says whether it follows its source, or what keeps it from that."""

        def status_infos(database: Any) -> list[dict[str, Any]] | None:
            instance = self.fleet.of(database)
            return status_infos_of(instance) if instance is not None else None

        patches.replace(DBInstance, "status_infos", property(status_infos))

    @correction("rds.managed-master-secret", f"{_GUIDE}rds-secrets-manager.html")
    def _manage_secrets(self, patches: Patches) -> None:
        """A managed secret holds the master user's own name and a password that nobody else ever had."""

        def content(secret: Any) -> str:
            owner = secret.resource
            owner._master_user_password = requests.password()
            return json.dumps({"username": owner.master_username, "password": owner._master_user_password})

        def rotate(secret: Any) -> None:
            string = content(secret)
            with self.cloud.turn("secretsmanager"):
                secret.secretsmanager.put_secret_value(secret.secret.arn, string, None, "", ["AWSCURRENT"])

        def status(secret: Any) -> str:
            return "creating" if secret.resource.status == "creating" else "active"

        patches.replace(MasterUserSecret, "_generate_secret_string", content)
        patches.replace(MasterUserSecret, "rotate_secret", rotate)
        patches.replace(MasterUserSecret, "secret_status", property(status))

    @correction("rds.parameters", f"{_GUIDE}USER_WorkingWithParamGroups.Modifying.html")
    def _check_parameters(self, patches: Patches) -> None:
        """A parameter must exist, be modifiable and take the value; what is dynamic changes running servers at once."""
        known = catalogue(POSTGRES)

        def modify(backend: Any, db_parameter_group_name: str, db_parameter_group_parameters: Any) -> Any:
            changes = list(db_parameter_group_parameters)
            parameter_groups.checked(known, changes)
            group = modified_by_moto(backend, db_parameter_group_name, changes)
            self.fleet.apply_parameters(group, known)
            return group

        def reset(response: Any) -> ActionResult:
            group = parameter_groups.reset(response.backend, known, response.params)
            self.fleet.apply_parameters(group, known)
            return ActionResult({"DBParameterGroupName": group.name})

        modified_by_moto = patches.replace(RDSBackend, "modify_db_parameter_group", modify)
        patches.replace(RDSResponse, "reset_db_parameter_group", reset)

    @correction("rds.parameters-described", f"{_API}API_DescribeDBParameters.html")
    def _describe_parameters(self, patches: Patches) -> None:
        """DescribeDBParameters lists all of the engine's parameters and says which of them a user has set."""
        known = catalogue(POSTGRES)

        def describe(response: Any) -> ActionResult:
            return parameter_groups.describe(response.backend, known, response.params)

        patches.replace(RDSResponse, "describe_db_parameters", describe)

    @correction("rds.parameter-apply-status", f"{_API}API_DBParameterGroupStatus.html")
    def _report_parameters(self, patches: Patches) -> None:
        """An instance says whether its parameter group's values are in force or wait for a reboot."""

        def statuses(database: Any) -> list[dict[str, str]]:
            instance = self.fleet.of(database)
            status = instance.parameter_apply_status() if instance else "in-sync"
            names = [group.name for group in database.db_parameter_groups()]
            return [{"DBParameterGroupName": name, "ParameterApplyStatus": status} for name in names]

        patches.replace(DBInstance, "db_parameter_group_status_list", property(statuses))

    @correction("rds.snapshots", f"{_API}API_CreateDBSnapshot.html")
    def _keep_snapshots(self, patches: Patches) -> None:
        """A snapshot holds the data of its moment, and a restored instance has it."""
        fleet = self.fleet

        def create(backend: Any, db_instance_identifier: str, *rest: Any, **options: Any) -> Any:
            database, instance = fleet.find(backend, db_instance_identifier)
            if database.status not in {"available", "backing-up", "stopped"}:
                raise requests.refuse("InvalidDBInstanceState", f"Instance {db_instance_identifier} is not available.")
            snapshot = made_by_moto(backend, db_instance_identifier, *rest, **options)
            fleet.fill(instance, snapshot)
            return snapshot

        def copy(backend: Any, source_db_snapshot_identifier: str, *rest: Any, **options: Any) -> Any:
            source = backend.get_db_snapshot(source_db_snapshot_identifier)
            snapshot = copied_by_moto(backend, source_db_snapshot_identifier, *rest, **options)
            fleet.snapshots.copy(source, snapshot)
            return snapshot

        def delete(backend: Any, db_snapshot_identifier: str) -> Any:
            snapshot = deleted_by_moto(backend, db_snapshot_identifier)
            fleet.snapshots.delete(snapshot)
            return snapshot

        def restore(backend: Any, from_snapshot_id: str, overrides: dict[str, Any]) -> Any:
            snapshot = backend.get_db_snapshot(from_snapshot_id)
            if snapshot.status != "available":
                raise requests.refuse("InvalidDBSnapshotState", f"The snapshot {from_snapshot_id} is not available.")
            fleet.restoring = fleet.snapshots.path(snapshot)
            try:
                return restored_by_moto(backend, from_snapshot_id, overrides)
            finally:
                fleet.restoring = None

        def restore_to_time(*_: Any) -> Any:
            message = "This cloud keeps no write-ahead log to restore from; restore a snapshot instead."
            raise requests.refuse("PointInTimeRestoreNotEnabled", message)

        made_by_moto = patches.replace(RDSBackend, "create_db_snapshot", create)
        copied_by_moto = patches.replace(RDSBackend, "copy_db_snapshot", copy)
        deleted_by_moto = patches.replace(RDSBackend, "delete_db_snapshot", delete)
        restored_by_moto = patches.replace(RDSBackend, "restore_db_instance_from_db_snapshot", restore)
        patches.replace(RDSBackend, "restore_db_instance_to_point_in_time", restore_to_time)


def _made(backend: Any) -> Iterator[Any]:
    yield from backend.databases.values()
    yield from (snapshot for snapshot in backend.database_snapshots.values() if snapshot.snapshot_type == "manual")
    yield from (group for group in backend.db_parameter_groups.values() if not group.name.startswith("default."))
    yield from backend.subnet_groups.values()
