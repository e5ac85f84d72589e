"""S3's replication: what is noticed, what becomes of it, and how it is measured."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import xmltodict
from moto.s3.exceptions import ReplicationConfigurationNotFoundError
from moto.s3.models import FakeBucket, FakeKey, S3Backend
from moto.s3.responses import S3Response

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.cloudwatch import CloudWatch
from rehearsal.cloud.services.s3 import versions
from rehearsal.cloud.services.s3.errors import S3Error, malformed_xml
from rehearsal.cloud.services.s3.exchange import Answer, Exchange, guarded
from rehearsal.cloud.services.s3_replication import copying
from rehearsal.cloud.services.s3_replication.configuration import Configuration, Rule, governing, read, with_ids
from rehearsal.cloud.services.s3_replication.copying import ReplicationFailure, bucket_named, tags_of, version_of
from rehearsal.cloud.services.s3_replication.noticing import MadeVersions, noticing, noticing_markers, remembering
from rehearsal.cloud.services.s3_replication.tasks import DELAY_SECONDS, Change, Task
from rehearsal.cloud.worker import Worker

_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
_API = "https://docs.aws.amazon.com/AmazonS3/latest/API"
_NOT_REPLICATED = {"GLACIER", "DEEP_ARCHIVE"}
_log = logging.getLogger(__name__)


class ObjectReplication(Service):
    """Replication of Amazon S3's objects between buckets of any region and account."""

    name: ClassVar[str] = "s3-replication"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._made = MadeVersions()
        self._worker: Worker[Task] = Worker("s3-replication", self._carry_out, DELAY_SECONDS)

    def start(self) -> None:
        """Start the worker."""
        self._worker.start()

    def stop(self) -> None:
        """Stop the worker."""
        self._worker.stop()

    @correction("s3-replication.configuration", f"{_API}/API_PutBucketReplication.html")
    def check_configurations(self, patches: Patches) -> None:
        """A configuration is checked against its schema and its destinations, and read back as it was put."""
        patches.replace(S3Response, "_replication_config_from_xml", lambda _, body: _parsed(body))
        patches.replace(S3Backend, "put_bucket_replication", _put_configuration)
        patches.replace(S3Response, "get_bucket_replication", _get_configuration)
        for name in ("_key_response", "_bucket_response"):
            patches.replace(S3Response, name, guarded(getattr(S3Response, name), _check_versioning))

    @correction("s3-replication.objects", f"{_GUIDE}/replication-what-is-isnot-replicated.html")
    def replicate_objects(self, patches: Patches) -> None:
        """What is written after a rule was made is copied by it, with its version id, metadata, tags and lock."""
        patches.replace(S3Backend, "put_object", remembering(S3Backend.put_object, self._made))
        patches.replace(versions, "delete", noticing_markers(versions.delete, self._notice_marker))
        patches.replace(FakeKey, "response_dict", _telling_status(FakeKey.response_dict))
        for name in ("_key_response", "_bucket_response"):
            original = getattr(S3Response, name)
            patches.replace(
                S3Response, name, noticing(original, self._made, self._notice_version, self._notice_metadata)
            )

    def _notice_version(self, version: FakeKey) -> None:
        if version.storage_class in _NOT_REPLICATED:
            return
        is_kms = version.encryption == "aws:kms"
        self._notice(
            Change.VERSION, bucket_named(version.bucket_name), version, lambda rule: rule.with_kms_objects or not is_kms
        )

    def _notice_metadata(self, version: FakeKey) -> None:
        status = _status(version)
        if status is None:
            return
        self._notice(
            Change.METADATA,
            bucket_named(version.bucket_name),
            version,
            lambda rule: status != "REPLICA" or rule.with_replica_modifications,
        )

    def _notice_marker(self, bucket: FakeBucket, key: str, version_id: str) -> None:
        marker = version_of(bucket, key, version_id)
        if marker is not None:
            self._notice(Change.DELETE_MARKER, bucket, marker, lambda rule: rule.with_delete_markers)

    def _notice(self, change: Change, bucket: FakeBucket | None, version: Any, suits: Any) -> None:
        configuration = _configuration(bucket)
        if bucket is None or configuration is None:
            return
        is_object = isinstance(version, FakeKey)
        rules = governing(configuration, version.name, tags_of(version) if is_object else {}, suits)
        if not rules:
            return
        if _status(version) != "REPLICA":
            version.replication_status = "PENDING"
        task = Task(
            change=change,
            bucket_name=bucket.name,
            key=version.name,
            version_id=version.version_id,
            size=version.size if change is Change.VERSION else 0,
            role_arn=configuration.role_arn,
            rules=rules,
            noticed_at=self.cloud.now(),
        )
        self._worker.add(task)
        for rule in rules:
            self._measure(task, rule)

    def _carry_out(self, task: Task) -> None:
        with self.cloud.turn("s3"):
            source = bucket_named(task.bucket_name)
            version = version_of(source, task.key, task.version_id) if source is not None else None
            if source is None or version is None:
                return
            outcomes = [self._replicated(task, rule, source, version) for rule in task.rules]
            if _status(version) != "REPLICA":
                version.replication_status = "COMPLETED" if all(outcomes) else "FAILED"

    def _replicated(self, task: Task, rule: Rule, source: FakeBucket, version: Any) -> bool:
        failed = False
        try:
            copying.replicate(self.cloud, task, rule, source, version)
        except ReplicationFailure as problem:
            failed = True
            _log.warning("%s/%s is not replicated: %s", task.bucket_name, task.key, problem)
        self._measure(task, rule, done=True)
        if rule.destination.is_measured:
            self._publish(source, source.region_name, rule, [("OperationsFailedReplication", float(failed), "Count")])
        return not failed

    def _measure(self, task: Task, rule: Rule, done: bool = False) -> None:
        """Publish what a rule still has to do, in the destination's region, and how far behind it is.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
        """
        source, destination = bucket_named(task.bucket_name), bucket_named(rule.destination.bucket_name)
        if not rule.destination.is_measured or source is None or destination is None:
            return
        pending = [
            one
            for one in self._worker.pending()
            if one.bucket_name == task.bucket_name
            and rule.rule_id in {other.rule_id for other in one.rules}
            and not (done and one is task)
        ]
        behind = [task] if done else pending
        latency = max((self.cloud.now() - one.noticed_at).total_seconds() for one in behind)
        values = [
            ("OperationsPendingReplication", float(len(pending)), "Count"),
            ("BytesPendingReplication", float(sum(one.size for one in pending)), "Bytes"),
            ("ReplicationLatency", latency, "Seconds"),
        ]
        self._publish(source, destination.region_name, rule, values)

    def _publish(self, source: FakeBucket, region: str, rule: Rule, values: list[tuple[str, float, str]]) -> None:
        dimensions = [
            ("SourceBucket", source.name),
            ("DestinationBucket", rule.destination.bucket_name),
            ("RuleId", rule.rule_id),
        ]
        self.cloud.service(CloudWatch).record(source.account_id, region, "AWS/S3", dimensions, values)


def _status(version: Any) -> str | None:
    status: str | None = getattr(version, "replication_status", None)
    return status


def _telling_status(original: property) -> property:
    def response_dict(version: FakeKey) -> dict[str, Any]:
        assert original.fget is not None
        told: dict[str, Any] = original.fget(version)
        status = _status(version)
        return {**told, "x-amz-replication-status": status} if status else told

    return property(response_dict)


def _configuration(bucket: FakeBucket | None) -> Configuration | None:
    document: Mapping[str, Any] | None = getattr(bucket, "replication", None)
    return read(document) if document else None


def _parsed(body: str | bytes) -> dict[str, Any]:
    document = xmltodict.parse(body, force_list=("Rule", "Tag")).get("ReplicationConfiguration")
    if not document:
        raise malformed_xml()
    return with_ids(document)


def _put_configuration(backend: S3Backend, bucket_name: str, document: dict[str, Any]) -> None:
    configuration = read(document)
    for rule in configuration.rules:
        if rule.destination.bucket_name == bucket_name:
            raise _invalid_request("Destination bucket cannot be the same as the source bucket.")
        destination = bucket_named(rule.destination.bucket_name)
        if destination is None:
            raise _invalid_request("Destination bucket must exist.")
        if not destination.is_versioned:
            raise _invalid_request("Destination bucket must have versioning enabled.")
    backend.get_bucket(bucket_name).replication = document


def _get_configuration(response: S3Response) -> Answer:
    document = response.backend.get_bucket_replication(response.bucket_name)
    if not document:
        raise ReplicationConfigurationNotFoundError(bucket_name=response.bucket_name)
    return 200, {"content-type": "application/xml"}, xmltodict.unparse({"ReplicationConfiguration": document})


def _check_versioning(exchange: Exchange) -> None:
    if exchange.operation.name != "PutBucketVersioning" or _configuration(exchange.bucket) is None:
        return
    if exchange.xml("VersioningConfiguration").get("Status") != "Enabled":
        raise S3Error(
            "InvalidBucketState",
            "A replication configuration is present on this bucket, so you cannot change the versioning state. "
            "To change the versioning state, first delete the replication configuration.",
            409,
        )


def _invalid_request(message: str) -> S3Error:
    return S3Error("InvalidRequest", message, 400)
