"""Steps about the second region and the third account: what stands by there, and a secret that changes under load."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from botocore.exceptions import ClientError

from interlock.aws.runner import RunnerClient
from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.duties.duty import Role
from interlock.duties.prefixes import RECOVERY
from interlock.manifest_parts import DatabasePart, RecoveryPart, VaultPart
from rehearsal.story.context import REGISTERED_MODEL, Context
from rehearsal.story.registration import as_user_of
from rehearsal.story.step import Seen, Unexpected

REPLAY_SECONDS = 30.0
REPLICATION_SECONDS = 60.0
ROTATION_SECONDS = 90.0
OUTSIDE_SECONDS = 3
"""Longer than a database on this machine takes to answer whoever it answers."""

USERS_OF_THE_LOAD = 2
PAUSE_SECONDS = 0.2
"""Between two requests of a user, so that the load leaves the processors to the other steps."""


def read_from_standby(context: Context) -> Seen:
    """Read in the recovery region, from inside its network, what was registered in the primary one."""
    recovery = _recovery(context)
    assert recovery.runner is not None
    clients = context.clients
    runner = RunnerClient(clients.ecs(recovery.region), clients.logs(recovery.region), recovery.runner)
    deadline = time.monotonic() + REPLAY_SECONDS
    row = {"table": "registered_models", "where": {"name": REGISTERED_MODEL}}
    while True:
        context.busy(f"ask the runner in {recovery.region}")
        answer = runner.run("database-probe", database="mlflow", row=row)
        if answer["role"] != "standby":
            raise Unexpected("a standby", str(answer["role"]))
        if answer["row"]:
            break
        if time.monotonic() > deadline:
            raise Unexpected(f"the model {REGISTERED_MODEL} on the standby", f"no row for {REPLAY_SECONDS:.0f} s")
    return Seen(
        f"the standby in {recovery.region} has {REGISTERED_MODEL}; it replayed its last write "
        f"{float(answer['lag_seconds']):.1f} s ago",
        {"standing_by": "the database's standby", "region": recovery.region, "answer": answer},
    )


def refused_outside(context: Context) -> Seen:
    """Knock at both databases from this machine, which lies in neither network."""
    database, recovery = _database(context), _recovery(context)
    doors = {"primary": (database.address, database.port)}
    if recovery.database is not None:
        doors["standby"] = (recovery.database.address, recovery.database.port)
    for name, (host, port) in doors.items():
        try:
            psycopg.connect(host=host, port=port, user="mlflow", connect_timeout=OUTSIDE_SECONDS).close()
        except psycopg.OperationalError as refusal:
            # A server that answers at all, if only to ask for a password, was reached.
            if "password" in str(refusal) or "FATAL" in str(refusal):
                raise Unexpected(f"nobody to answer at the {name} database", str(refusal)) from refusal
        else:
            raise Unexpected(f"nobody to answer at the {name} database", "a connection")
    return Seen(
        f"no answer from {' or '.join(doors)} to whoever is outside of the networks",
        {"standing_by": "the databases' doors", "doors": sorted(doors)},
    )


def replicate(context: Context) -> Seen:
    """Find every pinned object in the other half of the vault, locked; and write there what must come back here."""
    assert context.manifest is not None
    here, there = context.manifest.vault, _recovery(context).vault
    pinned = [stored for pin in context.pins for stored in (*pin.files, pin.statement)]
    seconds = max(_await_copy(context, there, one.key, one.version_id) for one in pinned)
    note = json.dumps({"written_in": _recovery(context).region, "at": datetime.now(UTC).isoformat()}).encode()
    digest = hashlib.sha256(note).hexdigest()
    writer = S3VaultWriter(_s3(context, there, Role.RECOVERY_RUNNER), there.bucket_name)
    written = writer.put(f"{RECOVERY}drills/{digest}.json", note, digest)
    back = _await_copy(context, here, written.key, written.version_id)
    return Seen(
        f"{len(pinned)} objects in {there.bucket_name}, locked, the last after {seconds:.1f} s more; "
        f"one written there was in {here.bucket_name} after {back:.1f} s",
        {"standing_by": "the vault's other half", "objects": len(pinned), "seconds": seconds, "seconds_back": back},
    )


def _await_copy(context: Context, vault: VaultPart, key: str, version_id: str) -> float:
    """Return the seconds until the version is in `vault`; its lock must hold as long as the vault says."""
    s3, begun = _s3(context, vault), time.monotonic()
    while True:
        try:
            status = s3.head_object(Bucket=vault.bucket_name, Key=key, VersionId=version_id)["ReplicationStatus"]
        except ClientError as missing:
            if missing.response["ResponseMetadata"]["HTTPStatusCode"] != http.HTTPStatus.NOT_FOUND:
                raise
        else:
            break
        if time.monotonic() - begun > REPLICATION_SECONDS:
            raise Unexpected(f"{key} in {vault.bucket_name}", f"nothing for {REPLICATION_SECONDS:.0f} s")
        time.sleep(0.2)
    lock = S3VaultReader(s3, vault.bucket_name).lock(key, version_id)
    if lock is None or lock.mode != "COMPLIANCE" or status != "REPLICA":
        raise Unexpected(f"{key} as a locked replica in {vault.bucket_name}", f"{status}, {lock}")
    return time.monotonic() - begun


def rotate(context: Context) -> Seen:
    """Change the password of MLflow's database user twice while clients ask MLflow, and count failures: none."""
    assert context.manifest is not None
    arn, uri = _database(context).secret_arn, context.manifest.tracking.uri
    if arn is None:
        raise Unexpected("a secret of MLflow's database user", "none in the stack manifest")
    # Whoever may rotate it does not read it.
    rotating, secrets = context.clients_of(Role.PLATFORM).secrets, context.clients.secrets
    before = _current(secrets, arn)
    with as_user_of(context, Role.CREATOR):
        load = _Load(uri)
        with load:
            users = [before]
            for _ in range(2):
                context.busy("rotate the database's secret")
                rotating.rotate_secret(SecretId=arn)
                users.append(_await_next(secrets, arn, users[-1]))
    if load.failures:
        raise Unexpected("every request to be answered", f"{len(load.failures)} were not: {load.failures[0]}")
    if not load.answered:
        raise Unexpected("requests beside the rotation", "none")
    names = [name for _, name in users]
    return Seen(
        f"{load.answered} requests to MLflow beside two rotations, none failed; its user went {' → '.join(names)}",
        {"standing_by": "the database's other user", "answered": load.answered, "users": names},
    )


class _Load:
    """Asks MLflow over and over on threads of its own, as long as it is open."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(USERS_OF_THE_LOAD)]
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> _Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        from mlflow import MlflowClient

        client = MlflowClient(self._uri, self._uri)
        while not self._ended.wait(PAUSE_SECONDS):
            try:
                client.get_registered_model(REGISTERED_MODEL)
            except Exception as failure:
                self.failures.append(f"{type(failure).__name__}: {failure}")
            else:
                self.answered += 1


def _current(secrets: Any, arn: str) -> tuple[str, str]:
    """Return the version of the secret that counts, and the user it names."""
    value = secrets.get_secret_value(SecretId=arn)
    return value["VersionId"], json.loads(value["SecretString"])["username"]


def _await_next(secrets: Any, arn: str, before: tuple[str, str]) -> tuple[str, str]:
    deadline = time.monotonic() + ROTATION_SECONDS
    while True:
        now = _current(secrets, arn)
        pending = any(
            "AWSPENDING" in stages and "AWSCURRENT" not in stages
            for stages in secrets.describe_secret(SecretId=arn)["VersionIdsToStages"].values()
        )
        if now[0] != before[0] and not pending:
            return now
        if time.monotonic() > deadline:
            raise Unexpected("the secret to have rotated", f"still version {now[0]} after {ROTATION_SECONDS:.0f} s")
        time.sleep(0.5)


def _recovery(context: Context) -> RecoveryPart:
    assert context.manifest is not None
    if context.manifest.recovery is None:
        raise Unexpected("a recovery region in the stack manifest", "none")
    return context.manifest.recovery


def _database(context: Context) -> DatabasePart:
    assert context.manifest is not None
    if context.manifest.tracking.database is None:
        raise Unexpected("MLflow's database in the stack manifest", "none")
    return context.manifest.tracking.database


def _s3(context: Context, vault: VaultPart, role: Role = Role.AUDITOR) -> Any:
    region = _recovery(context).region if vault == _recovery(context).vault else None
    return context.clients_of(role).s3_in(region)
