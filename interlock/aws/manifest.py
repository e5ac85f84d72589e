"""Fetches a stack manifest from S3: by the pointer that an SSM parameter holds, or by its own address."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import outside
from interlock.failures import NotPermitted


def fetch_manifest(parameter: str, session: boto3.Session | None = None) -> str:
    """Return the text of the manifest that SSM parameter `parameter` points to.

    The parameter holds JSON {"uri": "s3://bucket/key", "version_id", "sha256": hex}; the bytes are fetched by
    VersionId and must have that SHA-256. Raises LookupError when AWS has or gives nothing, NotPermitted when whoever
    asks may not read it, ValueError when the pointer or the bytes are not what they should be.
    """
    session = session or boto3.Session()
    try:
        value = session.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        bucket, key, version_id, sha256 = _pointer(value)
        answer = session.client("s3").get_object(Bucket=bucket, Key=key, VersionId=version_id)
        content = answer["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise _lookup(parameter, error) from error
    found = hashlib.sha256(content).hexdigest()
    if not hmac.compare_digest(found, sha256):
        raise ValueError(f"s3://{bucket}/{key} (version {version_id}) has SHA-256 {found}, the parameter says {sha256}")
    return content.decode("utf-8")


def fetch_document(uri: str, session: boto3.Session | None = None) -> str:
    """Return the text of the newest manifest at `uri`, s3://bucket/key: for roles of an account without the pointer.

    Raises LookupError, NotPermitted and ValueError as `fetch_manifest` does.
    """
    parts = urlsplit(uri)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    if parts.scheme != "s3" or not bucket or not key:
        raise ValueError(f"{uri!r} is no object; accepted is s3://<bucket>/stacks/<stack>/manifest.json")
    try:
        content = (session or boto3.Session()).client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise _lookup(uri, error) from error
    return str(content.decode("utf-8"))


def _lookup(where: str, error: ClientError | BotoCoreError) -> Exception:
    failure = outside(f"read the stack's manifest at {where}", error)
    return failure if isinstance(failure, NotPermitted) else LookupError(str(error))


def _pointer(value: str) -> tuple[str, str, str, str]:
    try:
        pointer: Any = json.loads(value)
        uri = urlsplit(pointer["uri"])
        bucket, key, version_id, sha256 = uri.netloc, uri.path.lstrip("/"), pointer["version_id"], pointer["sha256"]
        whole = uri.scheme == "s3" and all(isinstance(one, str) and one for one in (bucket, key, version_id, sha256))
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise ValueError(f'it holds {value!r}, not a pointer {{"uri": "s3://…", "version_id": …, "sha256": …}}')
    return bucket, key, version_id, sha256
