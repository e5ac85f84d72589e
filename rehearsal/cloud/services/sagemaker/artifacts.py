"""A model's data: fetched from the cloud's own S3 with the credentials of the model's execution role."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.cloud.credentials import RoleNotFound, assume_as_service

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from rehearsal.cloud.context import CloudContext

_SERVICE = "sagemaker.amazonaws.com"


class NoModelData(Exception):
    """The data cannot be had; the message says why, in AWS's words where it has some."""


@dataclass(frozen=True)
class Source:
    """Where a model's data lies: one object, or (`whole_prefix`) every object below `uri`; `archive` is a tar.gz."""

    uri: str
    archive: bool
    whole_prefix: bool
    role_arn: str | None

    @property
    def bucket(self) -> str:
        """Return the bucket of `uri`, which may be `s3://bucket/key` or an HTTPS address of S3."""
        parts = urlsplit(self.uri)
        if parts.scheme == "s3":
            return parts.netloc
        host = parts.netloc.split(".")
        return host[0] if not host[0].startswith("s3") else parts.path.split("/")[1]

    @property
    def key(self) -> str:
        """Return the key, or the prefix, of `uri`."""
        parts = urlsplit(self.uri)
        path = parts.path.removeprefix("/")
        return path.partition("/")[2] if parts.scheme != "s3" and parts.netloc.startswith("s3") else path


def source_of(container: Mapping[str, Any], role_arn: str | None) -> Source | None:
    """Return where a ContainerDefinition's data lies, None for a container without."""
    if container.get("ModelDataUrl"):
        return Source(container["ModelDataUrl"], archive=True, whole_prefix=False, role_arn=role_arn)
    declared = (container.get("ModelDataSource") or {}).get("S3DataSource")
    return _source(declared, role_arn) if declared else None


def channels_of(container: Mapping[str, Any], role_arn: str | None) -> dict[str, Source]:
    """Return where a ContainerDefinition's additional data lie, by the names of their channels.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AdditionalModelDataSource.html
    """
    return {
        one["ChannelName"]: _source(one["S3DataSource"], role_arn)
        for one in container.get("AdditionalModelDataSources") or ()
    }


def _source(declared: Mapping[str, Any], role_arn: str | None) -> Source:
    return Source(
        declared["S3Uri"],
        archive=declared["CompressionType"] == "Gzip",
        whole_prefix=declared["S3DataType"] == "S3Prefix",
        role_arn=role_arn,
    )


def fetch(source: Source, target: Path, cloud: CloudContext, region: str) -> None:
    """Put the data into the folder `target`. Raises NoModelData."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        s3 = _client(source, cloud, region)
        if source.whole_prefix:
            _fetch_prefix(s3, source, target)
        elif source.archive:
            _fetch_archive(s3, source, target)
        else:
            s3.download_file(source.bucket, source.key, str(target / PurePosixPath(source.key).name))
    except (BotoCoreError, ClientError) as error:
        raise NoModelData(_unreachable(source)) from error


def _fetch_prefix(s3: S3Client, source: Source, target: Path) -> None:
    keys = list(_keys(s3, source))
    if not keys:
        raise NoModelData(f"Could not find model data at {source.uri}.")
    for key in keys:
        path = _inside(target, key.removeprefix(source.key))
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(source.bucket, key, str(path))


def _fetch_archive(s3: S3Client, source: Source, target: Path) -> None:
    archive = target.with_suffix(".tar.gz")
    try:
        s3.download_file(source.bucket, source.key, str(archive))
        with tarfile.open(archive, "r:gz") as tar:
            # The archive is somebody's upload: no links or absolute names that lead out of the folder.
            tar.extractall(target, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise NoModelData(f"Failed to extract model data archive from URL {source.uri}: {error}") from error
    finally:
        archive.unlink(missing_ok=True)


def _keys(s3: S3Client, source: Source) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=source.key):
        yield from (item["Key"] for item in page.get("Contents", []) if not item["Key"].endswith("/"))


def _inside(target: Path, relative: str) -> Path:
    path = (target / relative.lstrip("/")).resolve()
    if not path.is_relative_to(target.resolve()):
        raise NoModelData(f"The key {relative} leads out of the model's folder.")
    return path


def _client(source: Source, cloud: CloudContext, region: str) -> S3Client:
    """Return an S3 client with a session of the execution role, as SageMaker's own."""
    role_arn = source.role_arn
    if not role_arn:
        raise NoModelData("A model with data needs an ExecutionRoleArn.")
    try:
        session = assume_as_service(cloud, _SERVICE, role_arn, "SageMaker")
    except RoleNotFound as refused:
        raise NoModelData(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{_SERVICE}' to assume the role."
        ) from refused
    return boto3.session.Session().client(
        "s3",
        endpoint_url=cloud.endpoint_url,
        region_name=region,
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    )


def _unreachable(source: Source) -> str:
    return (
        f'Failed to download model data for container "container_1" from URL: "{source.uri}". Please ensure that '
        "there is an object located at the URL and that the role passed to CreateModel has permissions to download "
        "the object."
    )
