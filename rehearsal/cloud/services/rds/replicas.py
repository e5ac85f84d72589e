"""Read replicas: which DB instances follow which, and what the requests about them make their servers do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from moto.rds.exceptions import DBInstanceNotFoundError
from moto.rds.models import rds_backends

from rehearsal.cloud.places import Place
from rehearsal.cloud.services.rds import replica_requests
from rehearsal.cloud.services.rds.instance import Instance

if TYPE_CHECKING:
    from rehearsal.cloud.services.rds.fleet import Fleet

_DAYS_AFTER_PROMOTION = 1
_MESSAGES = {
    "error": "Streaming replication has stopped.",
    "terminated": "The source DB instance was deleted; promote the read replica or delete it.",
}


class Replicas:
    """The read replicas among a fleet's DB instances."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def of(self, source: Instance) -> list[Instance]:
        """Return the data planes of a source's replicas."""
        return [instance for instance in self._fleet.instances() if instance.source is source]

    def create(self, backend: Any, request: Mapping[str, Any], record: Callable[[Any, dict[str, Any]], Any]) -> Any:
        """Record a new replica and have its server follow its source's. Raises RDSClientError."""
        origin, source = self._source(backend, str(request.get("source_db_instance_identifier")))
        same_region = origin.region == backend.region_name
        replica_requests.check_replica(request, origin, same_region=same_region)
        wanted = replica_requests.inherited(request, origin, same_region=same_region)
        wanted["source_db_instance_identifier"] = origin.db_instance_identifier if same_region else origin.arn
        instance = self._fleet.admit(backend, wanted, record)
        database = instance.database
        database.is_replica = True
        instance.source = source
        origin.replicas.append(database.db_instance_identifier if same_region else database.arn)
        instance.submit(instance.replicate)
        instance.submit(instance.mark_usable)
        return database

    def promote(self, backend: Any, request: Mapping[str, Any]) -> Any:
        """Have a replica become a DB instance like any other. Raises RDSClientError."""
        database, instance = self._fleet.find(backend, str(request["db_instance_identifier"]))
        replica_requests.check_promotion(database)
        self._begin_promotion(instance, request)
        return database

    def release(self, instance: Instance) -> None:
        """Part an instance that is deleted from its source and from its replicas; on the instance's own thread.

        Replicas in the region are promoted, those in another only follow no more.
        Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.XRgn.html
        """
        # A server that is stopped in order sends its standbys the last of its log.
        instance.server.stop()
        with self._fleet.turn():
            self._part(instance)
            for replica in self.of(instance):
                if replica.database.region != instance.database.region:
                    replica.submit(replica.orphan)
                elif replica.database.status != "deleting":
                    self._begin_promotion(replica, {})

    def _begin_promotion(self, instance: Instance, request: Mapping[str, Any]) -> None:
        instance.database.status = "modifying"
        instance.submit(lambda: self._promote(instance, request))

    def _promote(self, instance: Instance, request: Mapping[str, Any]) -> None:
        instance.mark("rebooting")
        instance.promote()
        database = instance.database
        with self._fleet.turn():
            self._part(instance)
            days = request.get("backup_retention_period")
            database.backup_retention_period = _DAYS_AFTER_PROMOTION if days is None else days
            if request.get("preferred_backup_window"):
                database.preferred_backup_window = request["preferred_backup_window"]
        instance.restart()
        self._fleet.back_up(database.backend, instance)

    def _part(self, instance: Instance) -> None:
        """Make the records say that an instance follows nobody; in RDS's turn."""
        database = instance.database
        named = database.source_db_instance_identifier
        if named is None:
            return
        database.is_replica, database.source_db_instance_identifier = False, None
        try:
            origin, _ = self._source(database.backend, named)
        except DBInstanceNotFoundError:
            return
        gone = {database.db_instance_identifier, database.arn}
        origin.replicas = [name for name in origin.replicas if name not in gone]

    def _source(self, backend: Any, named: str) -> tuple[Any, Instance]:
        """Return the DB instance that an identifier or an ARN names. Raises DBInstanceNotFoundError."""
        parts = named.split(":")
        if len(parts) != 7:
            return self._fleet.find(backend, named)
        _, _, service, region, account_id, kind, identifier = parts
        # A replica lies in its source's account.
        if (service, account_id, kind) != ("rds", backend.account_id, "db"):
            raise DBInstanceNotFoundError(named)
        try:
            lies_in = Place(account_id, region).backend(rds_backends)
        except KeyError:
            raise DBInstanceNotFoundError(named) from None
        return self._fleet.find(lies_in, identifier)


def status_infos_of(instance: Instance) -> list[dict[str, Any]] | None:
    """Return what DescribeDBInstances says of a read replica's replication, None of what is none or not made yet."""
    if not instance.database.is_replica or instance.database.status == "creating":
        return None
    is_normal = instance.replication == "replicating"
    status = {"StatusType": "read replication", "Normal": is_normal, "Status": instance.replication}
    return [status if is_normal else {**status, "Message": _MESSAGES[instance.replication]}]
