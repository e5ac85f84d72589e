"""Server-side encryption: every object has it, and a KMS key that cannot be used opens and closes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, FakeKey, S3Backend

from rehearsal.cloud.authorization.deciding import caller_values
from rehearsal.cloud.authorization.keys import is_managed_by_aws, key_values
from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.places import Place, place_of
from rehearsal.cloud.services.s3.errors import S3Error, access_denied
from rehearsal.cloud.services.s3.exchange import Exchange

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

DEFAULT: dict[str, Any] = {
    "Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}
}
"""What a bucket has until it is told otherwise, in moto's form."""


def encrypting(original: Callable[..., FakeKey]) -> Callable[..., FakeKey]:
    """Return moto's put_object, where an object without a wish of its own is encrypted by S3's keys.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """

    def put_object(backend: S3Backend, bucket_name: str, *arguments: Any, **named: Any) -> FakeKey:
        version = original(backend, bucket_name, *arguments, **named)
        version.encryption = version.encryption or "AES256"
        if version.encryption == "aws:kms":
            bucket = backend.get_bucket(bucket_name)
            version.kms_key_id = key_of(bucket, version.kms_key_id).arn
        elif version.encryption == "AES256":
            version.kms_key_id = None
        return version

    return put_object


def check(exchange: Exchange, cloud: CloudContext) -> None:
    """Raise S3's error for a write or a read that needs a KMS key which does not exist or is not enabled."""
    bucket = exchange.bucket
    if bucket is None or not exchange.key:
        return
    if exchange.operation.name == "GetObject":
        version = exchange.current()
        if version is not None and version.encryption == "aws:kms":
            key = key_of(bucket, version.kms_key_id)
            check_usable(key)
            _check_allowed(key, exchange, "kms:Decrypt", cloud)
    elif exchange.operation.creates_object or exchange.operation.name == "CreateMultipartUpload":
        wanted = exchange.headers.get("x-amz-server-side-encryption")
        if wanted not in (None, "AES256", "aws:kms", "aws:kms:dsse"):
            raise S3Error("InvalidArgument", "The encryption method specified is not supported", 400)
        rule = (bucket.encryption or DEFAULT)["Rule"]["ApplyServerSideEncryptionByDefault"]
        if (wanted or rule["SSEAlgorithm"]) == "aws:kms":
            named = exchange.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
            key = key_of(bucket, named or (rule.get("KMSMasterKeyID") if wanted != "AES256" else None))
            check_usable(key)
            _check_allowed(key, exchange, "kms:GenerateDataKey", cloud)


def key_of(bucket: FakeBucket, identifier: str | None) -> Key:
    """Return the KMS key by id, alias or ARN: of any account, in the bucket's region. Raises KMS.NotFoundException."""
    place = Place(bucket.account_id, bucket.region_name)
    if identifier and identifier.startswith("arn:"):
        place = place_of(identifier)
    if place.region != bucket.region_name:
        raise S3Error("KMS.NotFoundException", f"Invalid arn {place.region}", 400)
    backend = place.backend(kms_backends)
    name = backend.get_alias_name(identifier or "alias/aws/s3")
    known = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(name)
    if known not in backend.keys:
        raise S3Error("KMS.NotFoundException", f"Key '{identifier}' does not exist", 400)
    found: Key = backend.keys[known]
    return found


def check_usable(key: Key) -> None:
    """Raise S3's error for a key that is not enabled."""
    if key.key_state == "Disabled":
        raise S3Error("KMS.DisabledException", f"{key.arn} is disabled.", 400)
    if key.key_state != "Enabled":
        raise S3Error("KMS.KMSInvalidStateException", f"{key.arn} is pending deletion.", 400)


def _check_allowed(key: Key, exchange: Exchange, permission: str, cloud: CloudContext) -> None:
    """Raise AccessDenied unless the caller may use the key: S3 asks in the caller's name."""
    caller = exchange.caller
    if is_managed_by_aws(key) and key.account_id == caller.account_id:
        return
    bucket = f"arn:aws:s3:::{exchange.bucket_name}"
    via = {
        "kms:viaservice": f"s3.{key.region}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"{bucket}/{exchange.key}",
    }
    standard = caller_values(caller, "kms", key.region, cloud.now())
    need = Need(permission, key.arn, {**key_values(key.arn), **via})
    refused = cloud.authorizer.refusal_of_need(need, caller, standard)
    if refused is not None:
        raise access_denied(refused)
