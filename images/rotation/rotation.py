"""The steps of a rotation. Two users take turns: while one is used, the other gets a new password.

A secret without `masterarn` is the administrator's own, who has nobody to take turns with and is used by nobody else.

A step that was done does nothing when it is asked for again, and one that was killed goes on where it stopped.
Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_strategies.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import roles
from botocore.exceptions import ClientError
from roles import Connect, Credentials

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
CLONE_SUFFIX = "_clone"
PASSWORD_LENGTH = 40


class RotationError(RuntimeError):
    """A step cannot be done; the message says why and holds no secret."""


def alternate_username(username: str) -> str:
    """Return the name of the other of the two users."""
    return username.removesuffix(CLONE_SUFFIX) if username.endswith(CLONE_SUFFIX) else username + CLONE_SUFFIX


def begin_secret(secrets: Any, secret_id: str, content: dict[str, Any]) -> None:
    """Give a secret its first value, with a drawn password unless `content` has one; later only correct its place."""
    try:
        known = json.loads(secrets.get_secret_value(SecretId=secret_id)["SecretString"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        drawn = secrets.get_random_password(PasswordLength=PASSWORD_LENGTH, ExcludePunctuation=True)
        known = {"password": drawn["RandomPassword"], **content}
    else:
        own = {name: known[name] for name in ("username", "password") if name in known}
        if known == {**known, **content, **own}:
            return
        known = {**known, **content, **own}
    secrets.put_secret_value(SecretId=secret_id, SecretString=json.dumps(known))


class Rotation:
    """Rotates one secret, a JSON of host, port, dbname, username, password and masterarn as AWS structures it.

    `settle_seconds` is how long a rotation leaves the one before to be noticed: only then does it take a password
    from the user that clients may still know.
    """

    def __init__(
        self,
        secrets: Any,
        secret_id: str,
        *,
        connect: Connect,
        settle_seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._secrets = secrets
        self._secret_id = secret_id
        self._connect = connect
        self._settle_seconds = settle_seconds
        self._now = now
        self._sleep = sleep

    def prepare(self, databases: list[str]) -> dict[str, Any]:
        """Make the databases, the role that owns them and the current user, as far as they are absent."""
        current = self._current()
        master = self._master(current)
        with self._connect(master) as connection:
            owner = roles.owner_of(_base(current))
            roles.ensure_owner(connection, owner)
            roles.ensure_user(connection, current.username, owner)
            if not roles.can_log_in(self._connect, current):
                roles.set_password(connection, current.username, current.password)
            made = [name for name in databases if roles.ensure_database(connection, name, owner)]
        for name in databases:
            with self._connect(master.to(name)) as inside:
                roles.hand_over(inside, name, owner)
        return {"owner": owner, "user": current.username, "databases": databases, "made": made}

    def create_secret(self, token: str) -> dict[str, Any]:
        """Put the other user with a new password into the pending version, unless it is there."""
        if self._is_done(token):
            return {"already": "current"}
        if self._pending_or_none(token) is not None:
            return {"already": "created"}
        current = self._current()
        self._await_settlement()
        drawn = self._secrets.get_random_password(PasswordLength=PASSWORD_LENGTH, ExcludePunctuation=True)
        content = {**current.content, "username": _next_user(current), "password": drawn["RandomPassword"]}
        self._secrets.put_secret_value(
            SecretId=self._secret_id,
            ClientRequestToken=token,
            SecretString=json.dumps(content),
            VersionStages=[PENDING],
        )
        return {"user": content["username"]}

    def set_secret(self, token: str) -> dict[str, Any]:
        """Give the pending version's user, made if it is absent, its password in the database."""
        if self._is_done(token):
            return {"already": "current"}
        current, pending = self._current(), self._pending(token)
        _demand_next(current, pending)
        if roles.can_log_in(self._connect, pending):
            return {"already": "set", "user": pending.username}
        with self._connect(self._master(current)) as master:
            if current.has_master:
                roles.ensure_user(master, pending.username, roles.owner_of(_base(current)))
            roles.set_password(master, pending.username, pending.password)
        return {"user": pending.username}

    def test_secret(self, token: str) -> dict[str, Any]:
        """Log in to the database as the pending version's user, and have its rights there."""
        pending = self._pending(token)
        with self._connect(pending) as connection:
            acting = roles.acting_as(connection)
        expected = roles.owner_of(_base(pending)) if pending.has_master else pending.username
        if acting != expected:
            raise RotationError(f"{pending.username} acts as {acting} in the database, not as {expected}")
        return {"user": pending.username}

    def finish_secret(self, token: str) -> dict[str, Any]:
        """Make the pending version the current one."""
        stages = self._stages()
        current = next((version for version, labels in stages.items() if CURRENT in labels), None)
        if current == token:
            return {"already": "current"}
        if PENDING not in stages.get(token, []):
            raise RotationError(f"version {token} of the secret is not pending")
        self._secrets.update_secret_version_stage(
            SecretId=self._secret_id, VersionStage=CURRENT, MoveToVersionId=token, RemoveFromVersionId=current
        )
        return {"current": token}

    def _is_done(self, token: str) -> bool:
        """Return whether the version is current already. Raises RotationError if it is none of a rotation's."""
        stages = self._stages()
        if token not in stages:
            raise RotationError(f"the secret has no version {token} to rotate to")
        if CURRENT in stages[token]:
            return True
        if PENDING not in stages[token]:
            raise RotationError(f"version {token} of the secret is not pending")
        return False

    def _stages(self) -> dict[str, list[str]]:
        described = self._secrets.describe_secret(SecretId=self._secret_id)
        if not described.get("RotationEnabled"):
            raise RotationError(f"the secret {described['Name']} is not enabled for rotation")
        return dict(described["VersionIdsToStages"])

    def _await_settlement(self) -> None:
        rotated = self._secrets.describe_secret(SecretId=self._secret_id).get("LastRotatedDate")
        if rotated is not None:
            left = self._settle_seconds - (self._now() - rotated).total_seconds()
            if left > 0:
                self._sleep(left)

    def _current(self) -> Credentials:
        return self._read(VersionStage=CURRENT)

    def _pending(self, token: str) -> Credentials:
        return self._read(VersionId=token, VersionStage=PENDING)

    def _pending_or_none(self, token: str) -> Credentials | None:
        try:
            return self._pending(token)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None

    def _read(self, **which: str) -> Credentials:
        answer = self._secrets.get_secret_value(SecretId=self._secret_id, **which)
        try:
            return Credentials.of(json.loads(answer["SecretString"]))
        except (ValueError, TypeError, KeyError) as problem:
            told = problem.args[0] if isinstance(problem, KeyError) else "its form"
            raise RotationError(
                f"the secret {answer['Name']}: {told} is missing or wrong; accepted: a JSON object with host, port, "
                "dbname, username and password"
            ) from None

    def _master(self, current: Credentials) -> Credentials:
        """Return how the administrator logs in. While its own secret rotates, the pending version may be the right one.

        Raises RotationError if neither is.
        """
        if not current.has_master:
            return current
        for stage in (CURRENT, PENDING):
            try:
                answer = self._secrets.get_secret_value(SecretId=current.content["masterarn"], VersionStage=stage)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                continue
            # RDS keeps name and password alone in a secret that it manages.
            known = json.loads(answer["SecretString"])
            content = {**current.content, "username": known["username"], "password": known["password"]}
            master = Credentials.of(content)
            if roles.can_log_in(self._connect, master):
                return master
        raise RotationError(f"the server {current.host} refuses its administrator")


def _base(credentials: Credentials) -> str:
    return credentials.username.removesuffix(CLONE_SUFFIX)


def _next_user(current: Credentials) -> str:
    return alternate_username(current.username) if current.has_master else current.username


def _demand_next(current: Credentials, pending: Credentials) -> None:
    # Whoever may write the secret must not have the administrator change another user's password, or another server's.
    expected = _next_user(current)
    if pending.username != expected:
        raise RotationError(f"the pending version names user {pending.username}, not {expected}")
    if (pending.host, pending.port) != (current.host, current.port):
        raise RotationError(f"the pending version names host {pending.host}, not {current.host}")
