"""How the server's processes reach the database: a service file of libpq, kept as fresh as the secret it is made from.

Every new connection reads the file, so that a rotation of the database's user needs no restart.
Source of the format: PostgreSQL documentation, "The Connection Service File".
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TRACKING, USERS = "tracking", "users"
"""Names of the services: the databases of runs and of users."""


class NoCredentials(Exception):
    """The secret cannot be read, or holds no user and password; the message says which, and no secret."""


@dataclass(frozen=True)
class Login:
    """A user of the database."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Server:
    """Where the databases are; `databases` holds their names by service, `authorities` is a file."""

    host: str
    port: int
    authorities: str
    databases: Mapping[str, str]


class DatabaseAccess:
    """Reads the secret `secret_arn` into the service file `path`, which only we can read, in a folder of its own."""

    def __init__(self, server: Server, secret_arn: str) -> None:
        self._server = server
        self._secret_arn = secret_arn
        self._folder = tempfile.mkdtemp(prefix="mlflow-access-")
        self._secrets: Any = boto3.client(
            "secretsmanager",
            region_name=secret_arn.split(":")[3],
            config=Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 3}),
        )
        self._login: Login | None = None

    @property
    def path(self) -> str:
        """Return what PGSERVICEFILE must name."""
        return os.path.join(self._folder, "pg_service.conf")

    def refresh(self) -> bool:
        """Read the secret and write the file if the user or the password is new; return that. Raises NoCredentials."""
        login = self._read()
        if login == self._login:
            return False
        descriptor, draft = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(descriptor, "w") as file:
            file.write(service_file(self._server, login))
        # In one step: whoever connects meanwhile reads the old file or the new one, and never a part.
        os.replace(draft, self.path)
        self._login = login
        print(f"entrypoint.py: new connections to the database are {login.username}'s", flush=True)
        return True

    def keep_fresh(self, seconds: float) -> None:
        """Refresh every so many seconds, in the background; what fails leaves the file as it is."""
        threading.Thread(target=self._refresh_for_ever, args=(seconds,), name="database-access", daemon=True).start()

    def _refresh_for_ever(self, seconds: float) -> None:
        pause = threading.Event()
        while not pause.wait(seconds):
            try:
                self.refresh()
            except (NoCredentials, OSError) as problem:
                print(f"entrypoint.py: the database's user stays as it is: {problem}", file=sys.stderr, flush=True)

    def _read(self) -> Login:
        try:
            answer = self._secrets.get_secret_value(SecretId=self._secret_arn)
        except ClientError as error:
            raise NoCredentials(f"secret {self._secret_arn}: {error.response['Error']['Code']}") from None
        except BotoCoreError as error:
            raise NoCredentials(f"secret {self._secret_arn}: {type(error).__name__}") from None
        try:
            content = json.loads(answer["SecretString"])
            login = Login(content["username"], content["password"])
        except (KeyError, TypeError, ValueError):
            raise NoCredentials(f"secret {self._secret_arn}: no JSON with username and password") from None
        for name, value in (("username", login.username), ("password", login.password)):
            if not isinstance(value, str) or not value or value != value.strip() or not value.isprintable():
                raise NoCredentials(f"secret {self._secret_arn}: a {name} that no service file can hold")
        return login


def service_file(server: Server, login: Login) -> str:
    """Return the file that lets libpq find each database by its service's name."""
    sections = []
    for service, database in server.databases.items():
        settings = {
            "host": server.host,
            "port": server.port,
            "dbname": database,
            "user": login.username,
            "password": login.password,
            "sslmode": "verify-full",
            "sslrootcert": server.authorities,
        }
        sections.append("\n".join([f"[{service}]", *(f"{key}={value}" for key, value in settings.items())]))
    return "\n\n".join(sections) + "\n"


def uri(service: str) -> str:
    """Return the URI by which SQLAlchemy reaches a service; it holds neither user nor password."""
    return f"postgresql+psycopg:///?service={service}"
