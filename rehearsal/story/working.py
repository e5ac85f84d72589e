"""The step in which every duty does its own work, with the credentials that it gives and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3

from components.live_state import PARTITION_KEY, SORT_KEY
from interlock.aws.kms import KmsSigner, fetch_public_key
from interlock.aws.manifest import fetch_manifest
from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.duties.boundaries import DEPLOYING
from interlock.duties.duty import Role, SigningDuty
from interlock.duties.landscape import MANIFEST_PREFIX
from interlock.duties.matrix import MATRIX
from interlock.duties.prefixes import OWN_NAME, OWN_SUBMISSIONS, RELEASES, SUBMISSIONS, TRUST
from interlock.duties.rights import Kind, Task
from interlock.manifest import StackManifest
from interlock.release.digests import Sha256
from rehearsal.boto_session import boto_session
from rehearsal.story.context import ENDPOINT, Context
from rehearsal.story.step import Seen

ELSEWHERE: Final = (*DEPLOYING, Role.BREAK_GLASS)
"""Roles whose work is a step of its own, or none of an ordinary day."""
_CONTENT: Final = b'{"rehearsed": true}'
_SHA256: Final = hashlib.sha256(_CONTENT)


@dataclass(frozen=True)
class Doing:
    """One task of a role in a session of it; `written` are keys and versions by prefix, for others to read."""

    role: Role
    task: Task
    session: boto3.Session
    manifest: StackManifest
    approver_key_arn: str
    name: str
    """The source identity of whoever does it."""
    written: dict[str, tuple[str, str]]

    @property
    def table(self) -> str:
        assert self.manifest.live_state is not None
        return self.manifest.live_state.table_name

    @property
    def parameter(self) -> str:
        return f"/interlock/{self.manifest.stack}/manifest"

    @property
    def key_arn(self) -> str:
        """Of the key that the task is about."""
        own = self.task.name == "approver-*"
        return self.approver_key_arn if own else self.manifest.signing_keys[SigningDuty(self.task.name)].key_arn

    @property
    def own_key(self) -> str:
        """Where in a bucket the role puts what it writes."""
        return f"{self.prefix}rehearsed/{self.role.value}.json"

    @property
    def prefix(self) -> str:
        """Under which the task is done: where it is each person's own, under the name of whoever does it."""
        return self.task.name.replace(OWN_NAME, self.name)

    @property
    def staging(self) -> str:
        """The name of the bucket beside the vault."""
        return self.manifest.vault.staging_bucket_name

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]


def work(context: Context) -> Seen:
    """Have every role do those of its tasks that are one call, each of which has to succeed."""
    assert context.manifest is not None
    manifest = context.manifest
    approver = manifest.approver_keys[context.people.bearer(Role.APPROVER)].key_arn
    written = {MANIFEST_PREFIX: _published(manifest), RELEASES: _pinned(context), **_trusted(context)}
    done = []
    for role, task in tasks():
        if task.name == TRUST and TRUST not in written:
            continue  # Nobody has published a trust root yet.
        context.busy(f"{role}: {task.words}")
        doing = Doing(role, task, context.people.as_(role), manifest, approver, _name(context, role), written)
        WAYS[task.action, task.kind](doing)
        done.append({"duty": role.value, "who": context.people.bearer(role), "did": task.words})
    return Seen(f"{len(done)} tasks done under {len({one['duty'] for one in done})} roles", {"work": done})


def tasks() -> Iterator[tuple[Role, Task]]:
    """Yield what is done under which role: what is written before what is read."""
    found = [
        (role, task)
        for role, row in MATRIX.items()
        if role not in ELSEWHERE
        for task in row.tasks
        # A release is pinned whole or not at all.
        if (task.action, task.kind) in WAYS and (task.action, task.name) != ("s3:PutObject", RELEASES)
    ]
    yield from sorted(found, key=lambda one: one[1].action != "s3:PutObject")


def _published(manifest: StackManifest) -> tuple[str, str]:
    ssm = boto_session(region_name=manifest.region).client("ssm")
    pointer = json.loads(ssm.get_parameter(Name=f"/interlock/{manifest.stack}/manifest")["Parameter"]["Value"])
    return pointer["uri"].split("/", 3)[3], pointer["version_id"]


def _pinned(context: Context) -> tuple[str, str]:
    file = context.pins[0].files[0]
    return file.key, file.version_id


def _trusted(context: Context) -> dict[str, tuple[str, str]]:
    """Return the first object of the published trust root, if there is one."""
    clients = context.clients
    found = next(iter(S3VaultReader(clients.s3, clients.manifest.vault.bucket_name).versions(TRUST)), None)
    return {TRUST: (found.key, found.version_id)} if found is not None else {}


def _name(context: Context, role: Role) -> str:
    """Return the source identity of whoever comes as a role; a pipeline's or a service's session bears none."""
    who = context.people.bearer(role)
    return next((one.source_identity for one in context.people.assignments.people if one.name == who), who)


def _find(doing: Doing) -> None:
    fetch_manifest(doing.parameter, doing.session)


def _add(doing: Doing) -> None:
    writer = S3VaultWriter(doing.client("s3"), doing.manifest.vault.bucket_name)
    stored = writer.put(doing.own_key, _CONTENT, _SHA256.hexdigest())
    doing.written.setdefault(doing.task.name, (stored.key, stored.version_id))


def _read(doing: Doing) -> None:
    reader = S3VaultReader(doing.client("s3"), doing.manifest.vault.bucket_name)
    key, version = doing.written[doing.task.name]
    assert any(one.key == key for one in reader.versions(key))
    reader.read(key, version)
    assert reader.lock(key, version) is not None


def _read_lock(doing: Doing) -> None:
    reader = S3VaultReader(doing.client("s3"), doing.manifest.vault.bucket_name)
    assert reader.lock(*doing.written[doing.task.name]) is not None


def _lock(doing: Doing) -> None:
    s3, bucket = doing.client("s3"), doing.manifest.vault.bucket_name
    key, version = doing.written[doing.task.name]
    lock = S3VaultReader(s3, bucket).lock(key, version)
    assert lock is not None
    longer = {"Mode": lock.mode, "RetainUntilDate": lock.until + timedelta(days=1)}
    s3.put_object_retention(Bucket=bucket, Key=key, VersionId=version, Retention=longer)


def _submit(doing: Doing) -> None:
    answer = doing.client("s3").put_object(Bucket=doing.staging, Key=doing.own_key, Body=_CONTENT)
    doing.written[doing.task.name] = (doing.own_key, answer["VersionId"])
    if doing.task.name == OWN_SUBMISSIONS:
        doing.written[SUBMISSIONS] = doing.written[OWN_SUBMISSIONS]


def _see_staged(doing: Doing) -> None:
    prefix = doing.task.context["s3:prefix"][0].replace(OWN_NAME, doing.name).rpartition("/")[0]
    found = doing.client("s3").list_object_versions(Bucket=doing.staging, Prefix=f"{prefix}/")
    assert found["Versions"]


def _take_away(doing: Doing) -> None:
    key, version = doing.written[doing.task.name]
    doing.client("s3").delete_object(Bucket=doing.staging, Key=key, VersionId=version)


def _read_staged(doing: Doing) -> None:
    key, version = doing.written[doing.task.name]
    doing.client("s3").get_object(Bucket=doing.staging, Key=key, VersionId=version)["Body"].read()


def _sign(doing: Doing) -> None:
    KmsSigner(doing.client("kms"), doing.key_arn).sign(Sha256(_SHA256.digest()))


def _verify(doing: Doing) -> None:
    fetch_public_key(doing.client("kms"), doing.key_arn)


def _read_password(doing: Doing) -> None:
    secret = doing.manifest.tracking.user_secret_arns[doing.task.name]
    doing.client("secretsmanager").get_secret_value(SecretId=secret)


def _measure(doing: Doing) -> None:
    now = datetime.now(UTC)
    measured = {"Metric": {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"}, "Period": 60, "Stat": "Sum"}
    doing.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "invocations", "MetricStat": measured}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now,
    )


def _look(doing: Doing) -> None:
    sagemaker = doing.client("sagemaker")
    endpoint = doing.manifest.endpoints[ENDPOINT]
    sagemaker.describe_endpoint(EndpointName=endpoint.endpoint_name)
    sagemaker.describe_endpoint_config(EndpointConfigName=endpoint.holding_configuration_name)
    sagemaker.describe_model(ModelName=endpoint.holding_model_name)


def _hold(doing: Doing) -> None:
    dynamodb, key = doing.client("dynamodb"), {PARTITION_KEY: {"S": "rehearsed"}, SORT_KEY: {"S": doing.role.value}}
    dynamodb.put_item(TableName=doing.table, Item=key)
    added = {":one": {"N": "1"}}
    dynamodb.update_item(
        TableName=doing.table, Key=key, UpdateExpression="ADD fence :one", ExpressionAttributeValues=added
    )
    assert dynamodb.get_item(TableName=doing.table, Key=key)["Item"]["fence"] == {"N": "1"}


WAYS: Final[Mapping[tuple[str, Kind], Callable[[Doing], None]]] = {
    ("ssm:GetParameter", Kind.PARAMETER): _find,
    ("s3:PutObject", Kind.OBJECTS): _add,
    ("s3:GetObjectVersion", Kind.OBJECTS): _read,
    ("s3:GetObjectRetention", Kind.OBJECTS): _read_lock,
    ("s3:PutObjectRetention", Kind.OBJECTS): _lock,
    ("s3:PutObject", Kind.STAGED): _submit,
    ("s3:ListBucketVersions", Kind.STAGING): _see_staged,
    ("s3:DeleteObjectVersion", Kind.STAGED): _take_away,
    ("s3:GetObjectVersion", Kind.STAGED): _read_staged,
    ("kms:Sign", Kind.SIGNING_KEY): _sign,
    ("kms:GetPublicKey", Kind.SIGNING_KEY): _verify,
    ("secretsmanager:GetSecretValue", Kind.SECRET): _read_password,
    ("cloudwatch:GetMetricData", Kind.ANY): _measure,
    ("sagemaker:DescribeEndpoint", Kind.ENDPOINT): _look,
    ("dynamodb:PutItem", Kind.TABLE): _hold,
    ("dynamodb:UpdateItem", Kind.TABLE): _hold,
}
"""How a task is done, by what it takes. The others move traffic, run a plan or change a database: no rehearsal of a
right is worth that beside the steps that are about it."""
