"""Signatures in a URL or in a browser's form: theirs, in force, and over what is asked for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import HmacV1QueryAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from rehearsal.cloud.services.s3.errors import S3Error, access_denied
from rehearsal.cloud.services.s3.exchange import Exchange

_LONGEST_VALIDITY = 604800
_FREE_FIELDS = {"x-amz-signature", "file", "policy", "x-amz-ignore", "awsaccesskeyid", "signature"}


def check(exchange: Exchange, now: datetime) -> None:
    """Raise S3's error for a presigned URL or form that is expired, altered, or signed by nobody known here.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    if "authorization" in exchange.headers:
        return
    if exchange.operation.name == "PostObject":
        _check_form(exchange, now)
    elif "X-Amz-Signature" in exchange.query:
        _check_version_4(exchange, now)
    elif "Signature" in exchange.query:
        _check_version_2(exchange, now)
    elif exchange.method != "OPTIONS":
        raise access_denied()


def _check_version_4(exchange: Exchange, now: datetime) -> None:
    query = exchange.query
    try:
        signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        seconds = int(query["X-Amz-Expires"])
        _, _, region, _, _ = query["X-Amz-Credential"].split("/")
        signed_headers = query["X-Amz-SignedHeaders"].split(";")
    except (KeyError, ValueError) as problem:
        raise S3Error("AuthorizationQueryParametersError", "Error parsing the X-Amz-* parameters", 400) from problem
    if seconds > _LONGEST_VALIDITY:
        message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less"
        raise S3Error("AuthorizationQueryParametersError", f"{message} than 604800 seconds", 400)
    if not signed_at - timedelta(minutes=15) <= now <= signed_at + timedelta(seconds=seconds):
        raise access_denied("Request has expired")
    auth = S3SigV4QueryAuth(_credentials(exchange), "s3", region, expires=seconds)
    request = _signed_request(exchange, leaving_out="X-Amz-Signature=")
    request.context["timestamp"] = query["X-Amz-Date"]
    for name in signed_headers:
        request.headers[name] = exchange.headers.get(name, "")
    wanted = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    _compare(wanted, query["X-Amz-Signature"])


def _check_version_2(exchange: Exchange, now: datetime) -> None:
    query = exchange.query
    expires = query.get("Expires", "")
    if not expires.isdigit():
        raise access_denied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
    if now.timestamp() > int(expires):
        raise access_denied("Request has expired")
    auth = HmacV1QueryAuth(_credentials(exchange))
    url = urlsplit(str(_signed_request(exchange, leaving_out="Signature=").url))
    # A session's token is signed as the header that it would be, but travels in the URL.
    amazon = {name: value for name, value in (exchange.headers | query).items() if name.startswith("x-amz-")}
    custom = "".join(f"{name}:{amazon[name].strip()}\n" for name in sorted(amazon))
    standard = "\n".join(exchange.headers.get(name, "") for name in ("content-md5", "content-type"))
    canonical = f"{exchange.method}\n{standard}\n{expires}\n{custom}{auth.canonical_resource(url)}"
    _compare(auth.sign_string(canonical), query["Signature"])


def _signed_request(exchange: Exchange, *, leaving_out: str) -> AWSRequest:
    environ = exchange.response.request.environ
    path, _, query = environ["RAW_URI"].partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith(leaving_out))
    url = f"http://{exchange.headers.get('host', '')}{path}"
    return AWSRequest(method=exchange.method, url=f"{url}?{kept}" if kept else url)


def _check_form(exchange: Exchange, now: datetime) -> None:
    policy, signature = exchange.form("policy"), exchange.form("x-amz-signature")
    if not policy or not (signature or exchange.form("signature")):
        raise access_denied()
    secret = _credentials(exchange).secret_key
    if signature:
        scope = exchange.form("x-amz-credential").split("/")
        key = f"AWS4{secret}".encode()
        for part in scope[1:]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        _compare(hmac.new(key, policy.encode(), hashlib.sha256).hexdigest(), signature)
    else:
        digest = hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()
        _compare(base64.b64encode(digest).decode(), exchange.form("signature"))
    _check_form_policy(exchange, json.loads(base64.b64decode(policy)), now)


def _check_form_policy(exchange: Exchange, policy: Mapping[str, Any], now: datetime) -> None:
    if datetime.fromisoformat(policy["expiration"]) < now:
        raise access_denied("Invalid according to Policy: Policy expired.")
    fields = {name.lower(): value for name, value in exchange.response.request.form.items()}
    fields["bucket"] = exchange.bucket_name
    allowed = set(_FREE_FIELDS)
    for condition in policy["conditions"]:
        rule = next(iter(condition.items())) if isinstance(condition, dict) else condition
        operator, name, wanted = rule if isinstance(rule, list) else ("eq", f"${rule[0]}", rule[1])
        if operator == "content-length-range":
            _check_length(exchange, int(name), int(wanted))
            continue
        field = name.removeprefix("$").lower()
        allowed.add(field)
        value = str(fields.get(field, ""))
        if not (value.startswith(wanted) if operator == "starts-with" else value == wanted):
            raise access_denied(f"Invalid according to Policy: Policy Condition failed: {json.dumps(condition)}")
    if extra := sorted(set(fields) - allowed - {"bucket"}):
        raise access_denied(f"Invalid according to Policy: Extra input fields: {extra[0]}")


def _check_length(exchange: Exchange, least: int, most: int) -> None:
    if len(exchange.body) > most:
        raise S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400)
    if len(exchange.body) < least:
        raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400)


def _credentials(exchange: Exchange) -> Credentials:
    secret = exchange.caller.secret_access_key
    if secret is None:
        raise S3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    return Credentials(exchange.access_key_id, secret)


def _compare(wanted: str, given: str) -> None:
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise S3Error(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
            403,
        )
