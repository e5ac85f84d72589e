"""Brings the databases to this version's schema, and the users to what the secrets say."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from access import TRACKING, USERS, uri
from users import settle

# Any number does, as long as every task of the service locks the same one.
_LOCK = 5_000_317_002


def connect(seconds: float) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the database of runs, waiting `seconds` while it starts. Raises psycopg.OperationalError."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return psycopg.connect(service=TRACKING, connect_timeout=10, autocommit=True)
        except psycopg.OperationalError as problem:
            if time.monotonic() > deadline or "authentication failed" in str(problem):
                raise
            time.sleep(1.0)


@contextmanager
def only_one(seconds: float) -> Iterator[None]:
    """Let one task at a time change the databases: migrations that run twice at once break each other."""
    with connect(seconds) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        yield


def upgrade(administrator: str, password: str, passwords: Mapping[str, str]) -> None:
    """Migrate both databases; make the administrator, or give it its password, and settle the duties' users."""
    # MLflow reads its configuration while it is imported, hence not at the top.
    from mlflow.db import commands
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    commands(["upgrade", uri(TRACKING)], standalone_mode=False)
    users = SqlAlchemyStore()
    users.init_db(uri(USERS))
    if not users.has_user(administrator):
        users.create_user(administrator, password, is_admin=True)
    elif not users.authenticate_user(administrator, password):
        users.update_user(administrator, password=password)
    settle(users, passwords)
    users.engine.dispose()
