"""Who may: what a bucket's policy denies, and what it allows to other accounts; asked before anything is done."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from moto.s3.models import s3_backends

from rehearsal.cloud.callers import Caller
from rehearsal.cloud.policies import Request, caller_values, judge
from rehearsal.cloud.services.s3.errors import S3Error, access_denied
from rehearsal.cloud.services.s3.exchange import Exchange, copy_source

_log = logging.getLogger(__name__)
_DAY_SECONDS = 86400
_PARTITION = "aws"
_OWNERS_ONLY = {"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"}
"""What no bucket policy can allow to another account."""


def check(exchange: Exchange, now: datetime) -> None:
    """Raise S3's AccessDenied if the bucket's owner denies the request, or does not allow it to another account.

    A request that passes is answered from the owner's part of S3.
    """
    exchange.response.current_account = exchange.caller.account_id
    if exchange.operation.name == "CreateBucket":
        return
    owner = s3_account_of(exchange.bucket_name)
    wanted = exchange.headers.get("x-amz-expected-bucket-owner")
    if owner and wanted not in (None, owner):
        raise access_denied()
    if owner not in ("", exchange.caller.account_id) and exchange.operation.name in _OWNERS_ONLY:
        raise S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if exchange.operation.name == "CopyObject" or "x-amz-copy-source" in exchange.headers:
        bucket, key, version = copy_source(exchange)
        _check_one(exchange, bucket, key, "s3:GetObjectVersion" if version else "s3:GetObject", now)
    key = exchange.form("key") if exchange.operation.name == "PostObject" else exchange.key
    for permission in exchange.operation.permissions:
        _check_one(exchange, exchange.bucket_name, key, permission, now)
    if owner:
        exchange.response.current_account = owner


def denial_message(
    exchange: Exchange, bucket_name: str, key: str, permissions: Sequence[str], now: datetime
) -> str | None:
    """Return what S3 says when the caller lacks one of the permissions on the bucket's object, None if it has all."""
    for permission in permissions:
        try:
            _check_one(exchange, bucket_name, key, permission, now)
        except S3Error as denied:
            return str(denied.message)
    return None


def _check_one(exchange: Exchange, bucket_name: str, key: str, permission: str, now: datetime) -> None:
    owner = s3_account_of(bucket_name)
    if not owner:
        return
    bucket = s3_backends[owner][_PARTITION].buckets[bucket_name]
    resource = f"{bucket.arn}/{key}" if key else bucket.arn
    caller = exchange.caller
    verdict = judge(bucket.policy, Request(caller, permission, resource, _values(exchange, permission, now)))
    if verdict.denied_by is not None:
        _log.info("%s denies %s on %s to %s: %s", bucket_name, permission, resource, caller.arn, verdict.denied_by)
        raise _refusal(caller, permission, resource, "with an explicit deny in a resource-based policy")
    if owner != caller.account_id and not verdict.allowed:
        raise _refusal(caller, permission, resource, f"because no resource-based policy allows the {permission} action")


def _refusal(caller: Caller, permission: str, resource: str, why: str) -> S3Error:
    return access_denied(
        f'User: {caller.arn} is not authorized to perform: {permission} on resource: "{resource}" {why}'
    )


def _values(exchange: Exchange, permission: str, now: datetime) -> dict[str, list[str]]:
    caller, headers = exchange.caller, exchange.headers
    values = {
        "aws:resourceaccount": s3_account_of(exchange.bucket_name),
        "aws:sourceip": exchange.response.request.remote_addr or "127.0.0.1",
        "aws:useragent": headers.get("user-agent", ""),
        "s3:authtype": "REST-HEADER" if "authorization" in headers else "REST-QUERY-STRING",
        "s3:resourceaccount": s3_account_of(exchange.bucket_name),
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
    values |= {name: value for name, value in optional.items() if value is not None}
    return caller_values(caller, exchange.response.region, now) | {name: [value] for name, value in values.items()}


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
