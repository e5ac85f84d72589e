"""Replicas: what a version, a delete marker or a change of either becomes in the destination bucket.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
Reasons of failure: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.kms.models import Key
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend, s3_backends

from rehearsal.cloud.authorization.keys import key_values
from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.services.s3 import lock_operations, locks
from rehearsal.cloud.services.s3.encryption import DEFAULT, check_usable, key_of
from rehearsal.cloud.services.s3.errors import S3Error
from rehearsal.cloud.services.s3.versions import Version
from rehearsal.cloud.services.s3_replication import permissions
from rehearsal.cloud.services.s3_replication.configuration import Rule
from rehearsal.cloud.services.s3_replication.tasks import Change, Task

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_PARTITION = "aws"


class ReplicationFailure(Exception):
    """S3 would not replicate; the message begins with the reason that S3 names."""


def bucket_named(name: str) -> FakeBucket | None:
    """Return a bucket of any account."""
    _, account_id = s3_backends.bucket_accounts.get(name, (None, None))
    return s3_backends[account_id][_PARTITION].buckets.get(name) if account_id else None


def version_of(bucket: FakeBucket, key: str, version_id: str) -> Version | None:
    """Return a version or delete marker of a bucket."""
    return next((one for one in bucket.keys.getlist(key, []) if one.version_id == version_id), None)


def tags_of(version: FakeKey) -> dict[str, str]:
    """Return an object's tags."""
    tags: dict[str, str] = _backend(version.account_id).tagger.get_tag_dict_for_resource(version.arn)
    return tags


def replicate(cloud: CloudContext, task: Task, rule: Rule, source: FakeBucket, version: Version) -> None:
    """Carry out a task for one destination. Raises ReplicationFailure."""
    now = cloud.now()
    destination = _destination(rule, source, version)
    try:
        _check_keys(rule, source, destination, version)
    except S3Error as problem:
        raise ReplicationFailure(f"KmsKeyInvalidState: {problem.message}") from problem
    needs = list(_needed(task, rule, source, destination, version))
    refusal = permissions.refusal(cloud, task.role_arn, source, needs)
    if refusal:
        raise ReplicationFailure(refusal)
    existing = version_of(destination, task.key, task.version_id)
    if task.change is Change.METADATA:
        if not isinstance(existing, FakeKey) or not isinstance(version, FakeKey):
            raise ReplicationFailure("DstVersionNotFound: the version is not in the destination bucket")
        _update(existing, version, now)
    elif existing is None:
        made = _marker(version) if isinstance(version, FakeDeleteMarker) else _copy(version, rule, destination, now)
        made.replication_status = "REPLICA"
        _insert(destination, task.key, made)
        existing = made
    if isinstance(version, FakeKey) and _may_tag(cloud, task, source, destination):
        _tag(existing, tags_of(version))


def _destination(rule: Rule, source: FakeBucket, version: Version) -> FakeBucket:
    found = bucket_named(rule.destination.bucket_name)
    if found is None or rule.destination.account_id not in (None, found.account_id):
        raise ReplicationFailure("DstBucketNotFound: the destination bucket is not there, or not that account's")
    if not found.is_versioned:
        raise ReplicationFailure("DstBucketUnversioned: the destination bucket is not versioned")
    locked = source.object_lock_enabled or getattr(version, "lock_mode", None)
    if locked and not found.object_lock_enabled:
        raise ReplicationFailure("DstBucketObjectLockConfigMissing: the destination bucket has no Object Lock")
    return found


def _check_keys(rule: Rule, source: FakeBucket, destination: FakeBucket, version: Version) -> None:
    if _is_under_kms(version):
        check_usable(key_of(source, version.kms_key_id))
        check_usable(key_of(destination, rule.destination.key_arn))


def _written_with(task: Task, rule: Rule) -> Iterator[str]:
    if task.change is Change.DELETE_MARKER:
        yield "s3:ReplicateDelete"
        return
    yield "s3:ReplicateObject"
    if rule.destination.takes_ownership:
        yield "s3:ObjectOwnerOverrideToBucketOwner"


def _needed(task: Task, rule: Rule, source: FakeBucket, destination: FakeBucket, version: Version) -> Iterator[Need]:
    """Yield all that the role has to be granted.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    """
    original, replica = f"{source.arn}/{task.key}", f"{destination.arn}/{task.key}"
    here, there = _in_account(source.account_id), _in_account(destination.account_id)
    yield Need("s3:GetReplicationConfiguration", source.arn, **here)
    yield Need("s3:ListBucket", source.arn, **here)
    for action in _written_with(task, rule):
        yield Need(action, replica, **there)
    if not isinstance(version, FakeKey):
        return
    yield Need("s3:GetObjectVersionForReplication", original, **here)
    yield Need("s3:GetObjectVersionAcl", original, **here)
    if source.object_lock_enabled:
        yield Need("s3:GetObjectRetention", original, **here)
        yield Need("s3:GetObjectLegalHold", original, **here)
    if _is_under_kms(version):
        # With a bucket key, S3 encrypts for the bucket and not for each object.
        read = source.arn if _is_true(version.bucket_key_enabled) else original
        written = destination.arn if _uses_bucket_key(destination) else replica
        yield _of_key("kms:Decrypt", key_of(source, version.kms_key_id), read)
        yield _of_key("kms:Encrypt", key_of(destination, rule.destination.key_arn), written)


def _in_account(account_id: str) -> dict[str, Any]:
    return {"values": {"s3:resourceaccount": account_id}, "owner": account_id}


def _of_key(action: str, key: Key, context: str) -> Need:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html"""
    via = f"s3.{key.region}.amazonaws.com"
    said = {"kms:viaservice": via, "kms:EncryptionContext:aws:s3:arn": context}
    return Need(action, key.arn, {**key_values(key.arn), **said})


def _copy(version: FakeKey, rule: Rule, destination: FakeBucket, now: datetime) -> FakeKey:
    is_kms = _is_under_kms(version)
    replica = FakeKey(
        name=version.name,
        value=version.value,
        account_id=destination.account_id,
        region_name=destination.region_name,
        storage=rule.destination.storage_class or version.storage_class,
        etag=version.etag.strip('"'),
        is_versioned=True,
        version_id=version.version_id,
        multipart=version.multipart,
        bucket_name=destination.name,
        encryption=version.encryption,
        kms_key_id=key_of(destination, rule.destination.key_arn).arn if is_kms else None,
        bucket_key_enabled=_uses_bucket_key(destination) if is_kms else None,
        checksum_value=version.checksum_value,
        checksum_type=version.checksum_type,
        checksum_parts=version.checksum_parts,
    )
    replica.checksum_algorithm = version.checksum_algorithm
    replica.last_modified = version.last_modified
    replica.website_redirect_location = version.website_redirect_location
    replica.set_metadata(dict(version.metadata))
    if not rule.destination.takes_ownership:
        replica.acl = version.acl
    replica.lock_legal_status = version.lock_legal_status
    retention = lock_operations.held_by(version) or lock_operations.default_retention(destination, now)
    lock_operations.hold(replica, retention)
    return replica


def _marker(version: FakeDeleteMarker) -> FakeDeleteMarker:
    replica = FakeDeleteMarker(version)
    replica._version_id = version.version_id
    replica.last_modified = version.last_modified
    return replica


def _update(replica: FakeKey, version: FakeKey, now: datetime) -> None:
    """Bring over what can change of a version besides its tags: retention, legal hold and access list."""
    held, asked = lock_operations.held_by(replica), lock_operations.held_by(version)
    if held != asked:
        try:
            locks.check_change(held, asked, now, bypass=True)
        except S3Error as problem:
            raise ReplicationFailure("DstPutObjectNotPermitted: the replica's lock is stronger") from problem
        lock_operations.hold(replica, asked)
    replica.lock_legal_status = version.lock_legal_status
    replica.acl = version.acl if replica.account_id == version.account_id else replica.acl


def _may_tag(cloud: CloudContext, task: Task, source: FakeBucket, destination: FakeBucket) -> bool:
    """Say whether tags come along: without the permission to read or to write them, a replica has none.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    """
    needs = [
        Need("s3:GetObjectVersionTagging", f"{source.arn}/{task.key}", owner=source.account_id),
        Need("s3:ReplicateTags", f"{destination.arn}/{task.key}", owner=destination.account_id),
    ]
    return permissions.refusal(cloud, task.role_arn, source, needs) is None


def _tag(replica: FakeKey, tags: dict[str, str]) -> None:
    tagger = _backend(replica.account_id).tagger
    tagger.delete_all_tags_for_resource(replica.arn)
    tagger.tag_resource(replica.arn, [{"Key": name, "Value": value} for name, value in tags.items()])


def _insert(bucket: FakeBucket, key: str, version: Version) -> None:
    """Put a replica among the versions of its key by when the original was made."""
    versions: list[Any] = [*bucket.keys.getlist(key, []), version]
    bucket.keys.setlist(key, sorted(versions, key=lambda one: one.last_modified))


def _uses_bucket_key(bucket: FakeBucket) -> bool:
    return _is_true((bucket.encryption or DEFAULT)["Rule"].get("BucketKeyEnabled"))


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _is_under_kms(version: Version) -> bool:
    return isinstance(version, FakeKey) and version.encryption == "aws:kms"


def _backend(account_id: str) -> S3Backend:
    return s3_backends[account_id][_PARTITION]
