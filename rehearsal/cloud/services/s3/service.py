"""S3's corrections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.parsers.expat import ExpatError

import moto.s3.models
import moto.s3.responses
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.s3.responses import S3Response

from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.s3 import (
    access_logs,
    authorization,
    checksums,
    deletions,
    encryption,
    lock_operations,
    ownership,
    payment,
    policies,
    preconditions,
    signatures,
    uploads,
    versions,
)
from rehearsal.cloud.services.s3.errors import S3Error, invalid_argument, malformed_xml
from rehearsal.cloud.services.s3.exchange import Answer, Exchange, Handler, guarded
from rehearsal.cloud.services.s3.operations import is_handled, subresources

_API = "https://docs.aws.amazon.com/AmazonS3/latest/API"
_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"


class ObjectStorage(Service):
    """Amazon S3."""

    name = "s3"

    def inventory(self) -> Sequence[str]:
        """Return the buckets."""
        return [bucket.arn for _, _, backend in s3_backends.iter_backends() for bucket in backend.buckets.values()]

    @correction("s3.suspended-versioning", f"{_GUIDE}/AddingObjectstoVersionSuspendedBuckets.html")
    def keep_versions_while_suspended(self, patches: Patches) -> None:
        """A PUT while versioning is suspended replaces the null version and no other."""
        original = patches.replace(S3Backend, "put_object", None)
        patches.replace(
            S3Backend,
            "put_object",
            lambda backend, bucket_name, key_name, *arguments, **named: versions.put(
                backend, original, bucket_name, key_name, *arguments, **named
            ),
        )

    @correction("s3.version-listing", f"{_API}/API_ListObjectVersions.html")
    def list_versions(self, patches: Patches) -> None:
        """Pages of versions follow on each other without gap or repetition."""
        patches.replace(S3Backend, "list_object_versions", _list_object_versions)

    @correction("s3.delete-objects", f"{_API}/API_DeleteObjects.html")
    def delete_each_object(self, patches: Patches) -> None:
        """Deleting makes a marker or removes one version; several are answered one by one, with the version refused."""
        self._guard(patches, lambda exchange: _delete(exchange, self))

    @correction("s3.encryption", f"{_GUIDE}/default-bucket-encryption.html")
    def encrypt_by_default(self, patches: Patches) -> None:
        """Every bucket and object is encrypted, and KMS keys have to be usable."""
        patches.replace(S3Backend, "put_object", encryption.encrypting(S3Backend.put_object))
        original = patches.replace(S3Backend, "get_bucket_encryption", None)
        patches.replace(
            S3Backend, "get_bucket_encryption", lambda backend, name: original(backend, name) or encryption.DEFAULT
        )
        self._guard(patches, lambda exchange: encryption.check(exchange, self.cloud))

    @correction("s3.checksums", f"{_GUIDE}/checking-object-integrity.html")
    def sum_every_upload(self, patches: Patches) -> None:
        """Each object has a checksum, which a wrong one sent along fails."""
        patches.replace(S3Response, "_get_checksum", checksums.of_upload)
        patches.replace(S3Backend, "put_object", checksums.typing(S3Backend.put_object))
        patches.replace(S3Response, "head_object", checksums.told_by_head(S3Response.head_object))
        for module in (moto.s3.models, moto.s3.responses):
            patches.replace(module, "compute_checksum", checksums.compute)
        # A checksum that does not match is found deep inside, and answered here.
        self._guard(patches, lambda _: None)

    @correction("s3.object-lock-uploads", f"{_GUIDE}/object-lock-configure.html")
    def lock_uploads(self, patches: Patches) -> None:
        """Each new version gets the lock it asks for or else the bucket's, however it is uploaded."""
        patches.replace(S3Backend, "put_object", lock_operations.lock_new_version(S3Backend.put_object, self.cloud.now))
        patches.replace(
            S3Response,
            "_get_lock_details",
            lambda response, bucket, _: lock_operations.lock_details(response, bucket, self.cloud.now()),
        )
        patches.replace(
            S3Response,
            "_key_response_post",
            uploads.locking_creation(S3Response._key_response_post, self.cloud.now),
        )
        patches.replace(
            S3Backend,
            "complete_multipart_upload",
            uploads.locking_completion(S3Backend.complete_multipart_upload),
        )
        patches.replace(S3Response, "_key_response_put", uploads.put)
        self._guard(patches, lambda exchange: uploads.remember_lock(exchange, self.cloud.now()))
        self._guard(patches, lock_operations.check_integrity)

    @correction("s3.object-retention", f"{_API}/API_PutObjectRetention.html")
    def keep_retention(self, patches: Patches) -> None:
        """A compliance lock is only ever prolonged; a governance lock takes a bypass to be weakened."""
        answers = {
            ("PUT", "retention"): lambda exchange: lock_operations.put_retention(exchange, self.cloud.now()),
            ("GET", "retention"): lock_operations.get_retention,
            ("PUT", "legal-hold"): lock_operations.put_legal_hold,
            ("GET", "legal-hold"): lock_operations.get_legal_hold,
        }
        self._guard(patches, lambda exchange: _answer(exchange, answers, on_object=True))

    @correction("s3.object-lock-configuration", f"{_API}/API_PutObjectLockConfiguration.html")
    def keep_lock_configuration(self, patches: Patches) -> None:
        """A lock can be turned on for any versioned bucket, and neither it nor its versioning turned off."""
        answers = {("PUT", "object-lock"): lock_operations.put_configuration}
        self._guard(patches, lambda exchange: _answer(exchange, answers, on_object=False))
        self._guard(
            patches,
            lambda exchange: (
                lock_operations.check_versioning(exchange) if exchange.operation.name == "PutBucketVersioning" else None
            ),
        )

    @correction("s3.unknown-upload", f"{_API}/API_UploadPart.html")
    def refuse_unknown_uploads(self, patches: Patches) -> None:
        """A part, or a completion, of an upload that is not under way is refused."""
        self._guard(patches, uploads.check_upload)

    @correction("s3.conditional-writes", f"{_GUIDE}/conditional-writes.html")
    def check_conditions(self, patches: Patches) -> None:
        """PUT, copy and completion heed If-None-Match and If-Match."""
        self._guard(patches, preconditions.check)

    @correction("s3.access-logs", f"{_GUIDE}/enable-server-access-logging.html")
    def choose_log_targets(self, patches: Patches) -> None:
        """Logs go to a bucket without a default lock whose policy, however written, lets them in."""
        patches.replace(
            FakeBucket,
            "_log_permissions_enabled_policy",
            staticmethod(lambda target_bucket, target_prefix: access_logs.lets_deliver(target_bucket, target_prefix)),
        )
        patches.replace(FakeBucket, "set_logging", access_logs.refusing_locked_targets(FakeBucket.set_logging))
        # A locked target is found inside moto, and refused here.
        self._guard(patches, lambda _: None)

    @correction("s3.missing-objects", f"{_API}/API_GetObjectTagging.html")
    def refuse_missing_objects(self, patches: Patches) -> None:
        """Tags and permissions are those of an object that exists."""
        self._guard(patches, _check_exists)

    @correction("s3.malformed-xml", f"{_API}/ErrorResponses.html")
    def refuse_malformed_bodies(self, patches: Patches) -> None:
        """A body that is no XML, or lacks what its operation needs, is refused as such."""
        for name in ("_key_response", "_bucket_response"):
            patches.replace(S3Response, name, _refusing_malformed(getattr(S3Response, name)))
        # The refusal is raised past moto, and answered here.
        self._guard(patches, lambda _: None)

    @correction("s3.unknown-subresources", f"{_API}/ErrorResponses.html")
    def refuse_unknown_subresources(self, patches: Patches) -> None:
        """What is not provided, or names two subresources, is refused; moto takes it for something else."""
        self._guard(patches, _check_subresource)
        answers = {
            ("GET", "requestPayment"): payment.get,
            ("PUT", "requestPayment"): payment.put,
        }
        self._guard(patches, lambda exchange: _answer(exchange, answers, on_object=False))

    @correction("s3.object-ownership", f"{_GUIDE}/about-object-ownership.html")
    def keep_ownership(self, patches: Patches) -> None:
        """A bucket is made without access lists, and refuses to have any set."""
        patches.replace(S3Backend, "create_bucket", ownership.enforcing(S3Backend.create_bucket))
        self._guard(patches, ownership.check)

    @correction("s3.bucket-policy", f"{_GUIDE}/bucket-policies.html")
    def enforce_policies(self, patches: Patches) -> None:
        """A bucket's policy and the caller's own decide each request; a policy that cannot be held is not stored."""
        patches.replace(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
        self._guard(patches, _check_policy)
        self._guard(patches, lambda exchange: authorization.check(exchange, self.cloud))

    @correction("s3.signed-requests", f"{_GUIDE}/using-presigned-url.html")
    def check_signatures(self, patches: Patches) -> None:
        """A presigned URL or form works as signed, until it expires."""
        self._guard(patches, lambda exchange: signatures.check(exchange, self.cloud.now()))

    def _guard(self, patches: Patches, guard: Callable[[Exchange], Answer | None]) -> None:
        for name in ("_key_response", "_bucket_response"):
            patches.replace(S3Response, name, guarded(getattr(S3Response, name), guard))


def _answer(
    exchange: Exchange, answers: Mapping[tuple[str, str], Callable[[Exchange], Answer]], *, on_object: bool
) -> Answer | None:
    for (method, parameter), answer in answers.items():
        if exchange.method == method and parameter in exchange.query and bool(exchange.key) == on_object:
            return answer(exchange)
    return None


def _check_exists(exchange: Exchange) -> None:
    of_existing = exchange.key and {"acl", "tagging"} & exchange.query.keys()
    if of_existing and exchange.bucket is not None and exchange.current() is None:
        if exchange.version_id:
            raise S3Error("NoSuchVersion", "The specified version does not exist.", 404)
        raise S3Error("NoSuchKey", "The specified key does not exist.", 404)


def _refusing_malformed(original: Handler) -> Handler:
    def handler(response: S3Response, request: Any, full_url: str) -> Any:
        try:
            return original(response, request, full_url)
        except ExpatError as problem:
            raise malformed_xml() from problem

    return handler


def _check_subresource(exchange: Exchange) -> None:
    of_object = bool(exchange.key)
    named = subresources(exchange.query, of_object=of_object)
    for name in named:
        if not is_handled(name, exchange.method, of_object=of_object):
            raise S3Error("NotImplemented", f"The local cloud does not provide the subresource {name} of S3", 501)
    if len(named) > 1:
        # Permission would be asked for one of them, and another be done.
        raise invalid_argument(f"Conflicting query string parameters: {', '.join(sorted(named))}")
    if exchange.method == "PUT" and "uploadId" in named and not exchange.query.get("partNumber"):
        raise invalid_argument("Part number must be an integer between 1 and 10000, inclusive")


def _delete(exchange: Exchange, service: ObjectStorage) -> Answer | None:
    if exchange.operation.name == "DeleteObject":
        return deletions.delete_object(exchange)
    if exchange.method == "POST" and not exchange.key and "delete" in exchange.query:
        return deletions.delete_objects(exchange, service.cloud)
    return None


def _check_policy(exchange: Exchange) -> None:
    if exchange.operation.name != "PutBucketPolicy":
        return
    try:
        policies.checked(exchange.body, exchange.bucket_name)
    except policies.MalformedPolicy as problem:
        raise S3Error("MalformedPolicy", str(problem), 400) from problem


def _list_object_versions(
    backend: S3Backend,
    bucket_name: str,
    delimiter: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = 1000,
    prefix: str = "",
    version_id_marker: str | None = None,
) -> tuple[Any, ...]:
    return versions.page(
        backend.get_bucket(bucket_name),
        prefix=prefix,
        delimiter=delimiter,
        key_marker=key_marker,
        version_id_marker=version_id_marker,
        limit=min(max_keys if max_keys is not None else 1000, 1000),
    )
