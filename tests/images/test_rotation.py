"""The rotation's image: its steps on a real server, each killed at every call and asked for again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from rehearsal.cloud import dockerfile
from rehearsal.cloud.server import LocalCloud
from tests.images.rotating import DATABASES, IMAGE, Function, content_of, database_instance, load, log_in, user_secret
from tests.rehearsal.cloud.waiting import until

roles = load("roles")
rotation = load("rotation")


class Killed(BaseException):
    """The process ended here."""


class Fuse:
    """Counts calls of services and statements, and kills before or after the one that it was told."""

    def __init__(self) -> None:
        self.calls = 0
        self.at: tuple[int, str] | None = None

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.at == (self.calls, "before"):
                raise Killed
            number = self.calls
            try:
                return call(*arguments, **named)
            finally:
                if self.at == (number, "after"):
                    raise Killed

        return counted


class Wired:
    """A client of Secrets Manager on a fuse."""

    def __init__(self, client: Any, fuse: Fuse) -> None:
        self._client, self._fuse = client, fuse

    def __getattr__(self, name: str) -> Any:
        return self._fuse.around(getattr(self._client, name))


class Statements(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose statements are on a fuse."""

    fuse: Fuse

    def execute(self, *arguments: Any, **named: Any) -> Any:
        return self.fuse.around(super().execute)(*arguments, **named)


class Setting:
    """One secret on the shared instance, with its rotation enabled and a pending version begun."""

    def __init__(self, cloud: LocalCloud, instance: dict[str, Any]) -> None:
        self.cloud, self.instance = cloud, instance
        self.secrets = cloud.client("secretsmanager")
        self.username = f"user_{uuid.uuid4().hex[:8]}"
        self.databases = [f"{name}_{self.username}" for name in DATABASES]
        self.secret = user_secret(cloud, instance, self.username)
        self.token = uuid.uuid4().hex
        self.slept: list[float] = []

    def rotation(self, fuse: Fuse | None = None) -> Any:
        fuse = fuse or Fuse()
        authorities = str(self.cloud.context.authority.certificate_file)

        def connect(credentials: Any) -> AbstractContextManager[Any]:
            opened = Statements.connect(
                host=credentials.host,
                port=credentials.port,
                user=credentials.username,
                password=credentials.password,
                dbname=credentials.database,
                sslmode="verify-full",
                sslrootcert=authorities,
                autocommit=True,
            )
            opened.fuse = fuse
            return opened

        return rotation.Rotation(
            Wired(self.secrets, fuse), self.secret, connect=connect, settle_seconds=30.0, sleep=self.slept.append
        )

    def begin(self) -> None:
        """Do what Secrets Manager does before it invokes the first step."""
        from moto.secretsmanager.models import secretsmanager_backends

        from rehearsal.cloud.services.secretsmanager_rotation import stages

        secret: Any = secretsmanager_backends[self.cloud.account_id][self.cloud.region].secrets[self.secret]
        secret.rotation_requested = secret.rotation_enabled = True
        stages.add_pending(secret, self.token, datetime.now(UTC))


@pytest.fixture(scope="module")
def instance(cloud: LocalCloud) -> Iterator[dict[str, Any]]:
    with database_instance(cloud) as described:
        yield described


@pytest.fixture
def setting(cloud: LocalCloud, instance: dict[str, Any]) -> Setting:
    return Setting(cloud, instance)


def whole(setting: Setting, fuse: Fuse | None = None) -> None:
    """Prepare and rotate once."""
    setting.rotation(fuse).prepare(setting.databases)
    for step in ("create_secret", "set_secret", "test_secret", "finish_secret"):
        getattr(setting.rotation(fuse), step)(setting.token)


def test_the_two_users_take_turns_and_share_what_they_make(setting: Setting) -> None:
    first = content_of(setting.cloud, setting.secret)
    setting.begin()
    whole(setting)
    second = content_of(setting.cloud, setting.secret)

    assert second["username"] == f"{first['username']}_clone"
    assert second["password"] != first["password"]
    place = {"dbname": setting.databases[0]}
    with log_in(setting.cloud, second, **place) as new, log_in(setting.cloud, first, **place) as old:
        new.execute("create table made_by_the_clone (number int)")
        old.execute("insert into made_by_the_clone values (1)")
        old.execute("alter table made_by_the_clone add column word text")

    setting.token = uuid.uuid4().hex
    setting.begin()
    for step in ("create_secret", "set_secret", "test_secret", "finish_secret"):
        getattr(setting.rotation(), step)(setting.token)
    third = content_of(setting.cloud, setting.secret)
    assert third["username"] == first["username"]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        log_in(setting.cloud, first, **place)
    for content in (second, third):
        with log_in(setting.cloud, content, **place) as connection:
            assert connection.execute("select count(*) from made_by_the_clone").fetchone() == (1,)


def test_the_administrator_rotates_its_own_password_and_is_found_in_the_midst_of_it(
    cloud: LocalCloud, instance: dict[str, Any]
) -> None:
    setting = Setting(cloud, instance)
    user = content_of(cloud, setting.secret)
    managed = user.pop("masterarn")
    first = json.loads(setting.secrets.get_secret_value(SecretId=managed)["SecretString"])
    master = user_secret(cloud, instance)
    setting.secrets.put_secret_value(SecretId=master, SecretString=json.dumps({**user, **first}))
    setting.secrets.put_secret_value(SecretId=setting.secret, SecretString=json.dumps({**user, "masterarn": master}))
    administrator = Setting(cloud, instance)
    administrator.secret = master
    administrator.begin()
    administrator.rotation().create_secret(administrator.token)
    administrator.rotation().set_secret(administrator.token)
    setting.rotation().prepare(setting.databases)
    administrator.rotation().test_secret(administrator.token)
    administrator.rotation().finish_secret(administrator.token)

    after = content_of(cloud, master)
    assert after["username"] == first["username"]
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        log_in(cloud, {**user, **first})
    with log_in(cloud, after):
        setting.secrets.put_secret_value(SecretId=managed, SecretString=json.dumps(after))


def test_a_preparation_fills_the_secrets_once_and_later_only_moves_them(cloud: LocalCloud) -> None:
    secrets = cloud.client("secretsmanager")
    empty = secrets.create_secret(Name=f"empty-{uuid.uuid4().hex}")["ARN"]
    rotation.begin_secret(secrets, empty, {"host": "one.example.com", "username": "mlflow"})
    first = content_of(cloud, empty)
    rotation.begin_secret(secrets, empty, {"host": "one.example.com", "username": "mlflow"})
    rotation.begin_secret(secrets, empty, {"host": "two.example.com", "username": "other"})

    assert len(first["password"]) == 40
    assert content_of(cloud, empty) == {**first, "host": "two.example.com"}
    assert len(secrets.list_secret_version_ids(SecretId=empty)["Versions"]) == 2


def test_the_users_may_do_nothing_beyond_their_databases(setting: Setting) -> None:
    setting.rotation().prepare(setting.databases)
    content = content_of(setting.cloud, setting.secret)
    with log_in(setting.cloud, content, dbname=setting.databases[1]) as connection:
        for forbidden in ("create role other", "create database other", "select pg_read_file('PG_VERSION')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
    other = Setting(setting.cloud, setting.instance)
    other.rotation().prepare(other.databases)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        log_in(setting.cloud, content, dbname=other.databases[0])


def test_what_the_administrator_made_before_is_handed_over(setting: Setting) -> None:
    master = {**content_of(setting.cloud, setting.secret)}
    master |= json.loads(setting.secrets.get_secret_value(SecretId=master["masterarn"])["SecretString"])
    with log_in(setting.cloud, master) as connection:
        connection.execute(f"create database {setting.databases[0]}")
    with log_in(setting.cloud, master, dbname=setting.databases[0]) as connection:
        connection.execute("create table runs (id serial primary key); create view all_runs as select * from runs")
        connection.execute("create type status as enum ('new')")
    setting.rotation().prepare(setting.databases)

    content = content_of(setting.cloud, setting.secret)
    with log_in(setting.cloud, content, dbname=setting.databases[0]) as connection:
        connection.execute("insert into runs default values")
        connection.execute("alter table runs add column name text; drop view all_runs")
        connection.execute("alter type status add value 'old'")


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_call_it_goes_on_when_asked_again(cloud: LocalCloud, instance: dict[str, Any], when: str) -> None:
    counting, fuse = Setting(cloud, instance), Fuse()
    counting.begin()
    whole(counting, fuse)
    first = 1 if when == "before" else 3
    for number in range(first, fuse.calls + 1, 5):
        setting, killing = Setting(cloud, instance), Fuse()
        killing.at = (number, when)
        setting.begin()
        with pytest.raises(Killed):
            whole(setting, killing)
        whole(setting)
        for stage, username in (
            ("AWSCURRENT", f"{setting.username}_clone"),
            ("AWSPREVIOUS", setting.username),
        ):
            content = content_of(cloud, setting.secret, stage)
            assert content["username"] == username, number
            with log_in(cloud, content, dbname=setting.databases[0]) as connection:
                assert roles.acting_as(connection) == f"{setting.username}_owner"


def test_a_rotation_leaves_the_one_before_time_to_be_noticed(setting: Setting) -> None:
    from moto.secretsmanager.models import secretsmanager_backends

    setting.begin()
    setting.rotation().prepare(setting.databases)
    secret: Any = secretsmanager_backends[setting.cloud.account_id][setting.cloud.region].secrets[setting.secret]
    secret.last_rotation_date = (datetime.now(UTC) - timedelta(seconds=10)).timestamp()
    setting.rotation().create_secret(setting.token)
    assert len(setting.slept) == 1
    assert 15 < setting.slept[0] <= 20


@pytest.mark.parametrize(
    ("change", "words"),
    [({"username": "interlock"}, "names user interlock"), ({"host": "203.0.113.7"}, "names host 203.0.113.7")],
)
def test_a_pending_version_of_another_user_or_server_is_refused(
    setting: Setting, change: dict[str, str], words: str
) -> None:
    setting.begin()
    setting.rotation().prepare(setting.databases)
    content = content_of(setting.cloud, setting.secret)
    forged = {**content, "username": f"{setting.username}_clone", **change}
    setting.secrets.put_secret_value(
        SecretId=setting.secret,
        ClientRequestToken=setting.token,
        SecretString=json.dumps(forged),
        VersionStages=["AWSPENDING"],
    )
    with pytest.raises(rotation.RotationError, match=words):
        setting.rotation().set_secret(setting.token)


def test_a_name_is_never_taken_for_sql(setting: Setting, cloud: LocalCloud) -> None:
    odd = f'o"; drop role "interlock {uuid.uuid4().hex[:6]}'
    setting.secret = user_secret(cloud, setting.instance, odd)
    setting.begin()
    setting.rotation().prepare([f'a"b {odd}'[:60]])
    setting.databases = [f'a"b {odd}'[:60]]
    whole(setting)
    content = content_of(cloud, setting.secret)
    with log_in(cloud, content, dbname=setting.databases[0]) as connection:
        assert connection.execute("select session_user").fetchone() == (f"{odd}_clone",)


def test_in_lambda_a_rotation_runs_and_neither_log_holds_a_secret(cloud: LocalCloud, instance: dict[str, Any]) -> None:
    secret = user_secret(cloud, instance, f"user_{uuid.uuid4().hex[:8]}")
    function = Function(cloud, secret)
    function.prepare(secret)
    secrets = cloud.client("secretsmanager")
    before = content_of(cloud, secret)
    token = secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function.arn)["VersionId"]
    until(lambda: secrets.describe_secret(SecretId=secret).get("LastRotatedDate"), bool, 30)

    after = content_of(cloud, secret)
    assert after["username"] == f"{before['username']}_clone"
    assert secrets.describe_secret(SecretId=secret)["VersionIdsToStages"][token] == ["AWSCURRENT"]
    told, error = function.invoke({"Step": "setSecret", "SecretId": secret, "ClientRequestToken": "unknown"})
    assert error == "Unhandled"
    assert told["errorType"] == "RotationError"
    events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    logged = "\n".join(one["message"] for one in events)
    server = (cloud.directory / "rds").rglob("postgresql.log")
    assert '"did": "setSecret"' in logged
    for text in (logged, *(log.read_text(errors="replace") for log in server)):
        assert before["password"] not in text
        assert after["password"] not in text
    cloud.client("lambda").delete_function(FunctionName=function.name)


def test_the_image_runs_as_nobody_in_particular_from_pinned_parts() -> None:
    image = dockerfile.read(IMAGE / "Dockerfile")
    assert image.user == "10001"
    assert image.entry_point == ("python", "-I", "/opt/rotation/entrypoint.py")
    assert all(file.is_file() for file in image.files.values())
    assert set(image.files) >= {f"/opt/rotation/{file.name}" for file in IMAGE.glob("*.py")}
    assert "--hash=sha256:" in (IMAGE / "requirements.lock").read_text()
