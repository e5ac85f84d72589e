"""What a bucket's policy denies, asked before anything is done."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from moto.s3.models import s3_backends

from rehearsal.cloud.services.s3 import policies
from rehearsal.cloud.services.s3.errors import S3Error, access_denied
from rehearsal.cloud.services.s3.exchange import Exchange, copy_source

_log = logging.getLogger(__name__)
_DAY_SECONDS = 86400


def check(exchange: Exchange, now: datetime) -> None:
    """Raise S3's AccessDenied if a bucket policy denies the request to its caller.

    The endpoint is plain HTTP on the loopback interface, which no one else can listen to: it stands for AWS's TLS
    endpoint, and aws:SecureTransport is true.
    """
    if exchange.operation.name == "CreateBucket":
        return
    _check_owner(exchange, exchange.bucket_name)
    if exchange.bucket is None or exchange.operation.name == "DeleteObjects":
        return
    if exchange.operation.name == "CopyObject" or "x-amz-copy-source" in exchange.headers:
        bucket, key, version = copy_source(exchange)
        _check_owner(exchange, bucket)
        _check_one(exchange, bucket, key, "s3:GetObjectVersion" if version else "s3:GetObject", now)
    key = exchange.form("key") if exchange.operation.name == "PostObject" else exchange.key
    for permission in exchange.operation.permissions:
        _check_one(exchange, exchange.bucket_name, key, permission, now)


def denial_message(
    exchange: Exchange, bucket_name: str, key: str, permissions: Sequence[str], now: datetime
) -> str | None:
    """Return what S3 says when the bucket's policy denies one of the permissions, or None where it does not."""
    for permission in permissions:
        try:
            _check_one(exchange, bucket_name, key, permission, now)
        except S3Error as denied:
            return str(denied.message)
    return None


def _check_owner(exchange: Exchange, bucket_name: str) -> None:
    # Across accounts a policy has to allow, and what one allows is not evaluated here.
    if bucket_name in s3_backends.bucket_accounts and bucket_name not in exchange.response.backend.buckets:
        raise access_denied()


def _check_one(exchange: Exchange, bucket_name: str, key: str, permission: str, now: datetime) -> None:
    bucket = exchange.response.backend.buckets.get(bucket_name)
    if bucket is None or not bucket.policy:
        return
    resource = f"{bucket.arn}/{key}" if key else bucket.arn
    caller = exchange.caller
    request = policies.Request(
        principal_arn=caller.principal_arn,
        caller_arn=caller.arn,
        account_id=caller.account_id,
        permission=permission,
        resource=resource,
        values=_values(exchange, permission, now),
    )
    sid = policies.denial(bucket.policy, request)
    if sid is not None:
        _log.info("%s denies %s on %s to %s: %s", bucket_name, permission, resource, caller.arn, sid)
        raise access_denied(
            f'User: {caller.arn} is not authorized to perform: {permission} on resource: "{resource}" '
            "with an explicit deny in a resource-based policy"
        )


def _values(exchange: Exchange, permission: str, now: datetime) -> dict[str, list[str]]:
    caller, headers = exchange.caller, exchange.headers
    values = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:principalaccount": caller.account_id,
        "aws:principalarn": caller.principal_arn,
        "aws:principalisawsservice": "false",
        "aws:principaltype": caller.kind,
        "aws:requestedregion": exchange.response.region,
        "aws:resourceaccount": s3_account_of(exchange.bucket_name),
        "aws:securetransport": "true",
        "aws:sourceip": exchange.response.request.remote_addr or "127.0.0.1",
        "aws:useragent": headers.get("user-agent", ""),
        "aws:userid": caller.user_id,
        "aws:viaawsservice": "false",
        "s3:authtype": "REST-HEADER" if "authorization" in headers else "REST-QUERY-STRING",
        "s3:resourceaccount": s3_account_of(exchange.bucket_name),
        "s3:signatureversion": "AWS4-HMAC-SHA256",
        "s3:tlsversion": "1.3",
    }
    if caller.kind == "User":
        values["aws:username"] = caller.arn.rpartition("/")[2]
    if permission == "s3:PutObject":
        values["s3:objectcreationoperation"] = str(exchange.operation.creates_object).lower()
    # A form's upload takes no conditions, so none that it carries may satisfy a policy.
    conditions = () if exchange.operation.name == "PostObject" else ("if-match", "if-none-match")
    optional = {f"s3:{name}": headers.get(name) for name in conditions}
    optional |= {f"s3:{name}": exchange.query.get(name) for name in ("prefix", "delimiter", "max-keys")}
    optional |= {"s3:versionid": exchange.version_id, "aws:referer": headers.get("referer")}
    optional |= {f"s3:{name}": value for name, value in headers.items() if name.startswith("x-amz-")}
    optional |= _lock_values(exchange, now)
    values |= {name: value for name, value in optional.items() if value is not None}
    return {name: [value] for name, value in values.items()}


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
