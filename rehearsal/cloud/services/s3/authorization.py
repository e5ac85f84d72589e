"""Who may do what with buckets and objects, asked before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moto.s3.models import s3_backends

from rehearsal.cloud.authorization.authorizer import has_ended
from rehearsal.cloud.authorization.deciding import caller_values
from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.services.s3.errors import S3Error, access_denied
from rehearsal.cloud.services.s3.exchange import Exchange, copy_source

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_DAY_SECONDS = 86400
_PARTITION = "aws"
_SCOPE_SLASHES = 4
"""A credential is a key id, then date, region, service and `aws4_request`."""
_OWNERS_ONLY = {"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"}
"""What no bucket policy can allow to another account."""


def check(exchange: Exchange, cloud: CloudContext) -> None:
    """Raise S3's AccessDenied if the caller may not do all that the request takes.

    A request that passes is answered from the part of S3 that belongs to the bucket's owner.
    """
    if not exchange.caller.is_known:
        raise S3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    if has_ended(exchange.caller):
        raise S3Error("ExpiredToken", "The provided token has expired.", 400)
    exchange.response.current_account = exchange.caller.account_id
    if exchange.operation.name == "CreateBucket":
        _check_creation(exchange, cloud)
        return
    owner = s3_account_of(exchange.bucket_name)
    wanted = exchange.headers.get("x-amz-expected-bucket-owner")
    if owner and wanted not in (None, owner):
        raise access_denied()
    if owner not in ("", exchange.caller.account_id) and exchange.operation.name in _OWNERS_ONLY:
        raise S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if exchange.operation.name == "CopyObject" or "x-amz-copy-source" in exchange.headers:
        bucket, key, version = copy_source(exchange)
        _check_one(exchange, bucket, key, "s3:GetObjectVersion" if version else "s3:GetObject", cloud)
    key = exchange.form("key") if exchange.operation.name == "PostObject" else exchange.key
    for permission in exchange.operation.permissions:
        _check_one(exchange, exchange.bucket_name, key, permission, cloud)
    if owner:
        exchange.response.current_account = owner


def denial_message(
    exchange: Exchange, bucket_name: str, key: str, permissions: Sequence[str], cloud: CloudContext
) -> str | None:
    """Return what S3 says when the caller lacks one of the permissions on the bucket's object, None if it has all."""
    for permission in permissions:
        try:
            _check_one(exchange, bucket_name, key, permission, cloud)
        except S3Error as denied:
            return str(denied.message)
    return None


def _check_creation(exchange: Exchange, cloud: CloudContext) -> None:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, "Permissions"."""
    _check_need(exchange, exchange.bucket_name, "", "s3:CreateBucket", exchange.caller.account_id, cloud)
    if exchange.headers.get("x-amz-bucket-object-lock-enabled", "").lower() == "true":
        for permission in ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"):
            _check_need(exchange, exchange.bucket_name, "", permission, exchange.caller.account_id, cloud)
    if "x-amz-object-ownership" in exchange.headers:
        permission = "s3:PutBucketOwnershipControls"
        _check_need(exchange, exchange.bucket_name, "", permission, exchange.caller.account_id, cloud)


def _check_one(exchange: Exchange, bucket_name: str, key: str, permission: str, cloud: CloudContext) -> None:
    owner = s3_account_of(bucket_name)
    if owner:
        _check_need(exchange, bucket_name, key, permission, owner, cloud)


def _check_need(
    exchange: Exchange, bucket_name: str, key: str, permission: str, owner: str, cloud: CloudContext
) -> None:
    arn = f"arn:{_PARTITION}:s3:::{bucket_name}"
    resource = f"{arn}/{key}" if key else arn
    need = Need(permission, resource, _values(exchange, permission, owner, cloud.now()), owner=owner)
    standard = caller_values(exchange.caller, "s3", _asked_region(exchange, bucket_name), cloud.now())
    refused = cloud.authorizer.refusal_of_need(need, exchange.caller, standard)
    if refused is not None:
        raise access_denied(refused.replace(f"resource: {resource}", f'resource: "{resource}"', 1))


def _asked_region(exchange: Exchange, bucket_name: str) -> str:
    """Return the region that was asked: the signature's, and where it names none the bucket's, which alone answers."""
    if "authorization" in exchange.headers:
        return str(exchange.response.region)
    credential = exchange.query.get("X-Amz-Credential") or exchange.form("x-amz-credential")
    if credential.count("/") >= _SCOPE_SLASHES:
        return credential.split("/")[-3]
    owner = s3_account_of(bucket_name) or exchange.caller.account_id
    bucket = s3_backends[owner][_PARTITION].buckets.get(bucket_name)
    return str(bucket.region_name if bucket is not None else exchange.response.region)


def _values(exchange: Exchange, permission: str, owner: str, now: datetime) -> dict[str, str]:
    headers = exchange.headers
    values = {
        "aws:sourceip": exchange.response.request.remote_addr or "127.0.0.1",
        "aws:useragent": headers.get("user-agent", ""),
        "s3:authtype": "REST-HEADER" if "authorization" in headers else "REST-QUERY-STRING",
        "s3:resourceaccount": owner,
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "s3:tlsversion": "1.3",
    }
    if permission == "s3:PutObject":
        values["s3:objectcreationoperation"] = str(exchange.operation.creates_object).lower()
    # A form's upload takes no conditions, so none that it carries may satisfy a policy.
    conditions = () if exchange.operation.name == "PostObject" else ("if-match", "if-none-match")
    optional = {f"s3:{name}": headers.get(name) for name in conditions}
    optional |= {f"s3:{name}": exchange.query.get(name) for name in ("prefix", "delimiter", "max-keys")}
    optional |= {"s3:versionid": exchange.version_id, "aws:referer": headers.get("referer")}
    optional |= {f"s3:{name}": value for name, value in headers.items() if name.startswith("x-amz-")}
    optional |= _lock_values(exchange, now)
    return values | {name: value for name, value in optional.items() if value is not None}


def _lock_values(exchange: Exchange, now: datetime) -> dict[str, str | None]:
    """Return the condition keys of the lock that a request asks for, in its headers or in its body."""
    mode = exchange.headers.get("x-amz-object-lock-mode")
    until = exchange.headers.get("x-amz-object-lock-retain-until-date")
    hold = exchange.headers.get("x-amz-object-lock-legal-hold")
    if exchange.operation.name == "PutObjectRetention":
        asked = exchange.xml("Retention")
        mode, until = asked.get("Mode"), asked.get("RetainUntilDate")
    if exchange.operation.name == "PutObjectLegalHold":
        hold = exchange.xml("LegalHold").get("Status")
    return {
        "s3:object-lock-mode": mode,
        "s3:object-lock-retain-until-date": until,
        "s3:object-lock-remaining-retention-days": _whole_days(until, now),
        "s3:object-lock-legal-hold": hold,
    }


def _whole_days(until: str | None, now: datetime) -> str | None:
    if until is None:
        return None
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        # S3 refuses such a date later; no policy may take it for a long one.
        return "0"
    remaining = (end if end.tzinfo else end.replace(tzinfo=UTC)) - now
    return str(int(remaining.total_seconds() // _DAY_SECONDS))


def s3_account_of(bucket_name: str) -> str:
    """Return the account that owns a bucket."""
    _, account_id = s3_backends.bucket_accounts.get(bucket_name, ("", ""))
    return str(account_id)
