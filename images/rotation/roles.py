"""The roles and databases of a PostgreSQL instance, as its administrator, who need not be a superuser, makes them.

An owner that nobody logs in as owns the databases and all in them; each of the two users becomes it when it logs in,
so that what one of them creates, the other may change.
Every statement is composed (psycopg.sql); a password goes to the server as the SCRAM verifier it is stored as.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import DuplicateDatabase, DuplicateObject

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Credentials:
    """How to reach one database as one user; `content` is the secret that says so."""

    host: str
    port: int
    database: str
    username: str
    password: str
    content: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Credentials({self.username}@{self.host}:{self.port}/{self.database})"

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Credentials:
        """Return the credentials in a secret's JSON. Raises KeyError, ValueError, TypeError."""
        return cls(
            str(content["host"]),
            int(content["port"]),
            str(content["dbname"]),
            str(content["username"]),
            str(content["password"]),
            content,
        )

    @property
    def has_master(self) -> bool:
        """Return whether an administrator changes the password, and not the user itself."""
        return bool(self.content.get("masterarn"))

    def to(self, database: str) -> Credentials:
        """Return the same for another database of the instance."""
        return replace(self, database=database)


Connect = Callable[[Credentials], AbstractContextManager[Connection]]


def connector(authorities: str) -> Connect:
    """Return what connects, over TLS that `authorities` (a file) vouch for; each statement commits."""

    def connect(credentials: Credentials) -> AbstractContextManager[Connection]:
        return psycopg.connect(
            host=credentials.host,
            port=credentials.port,
            user=credentials.username,
            password=credentials.password,
            dbname=credentials.database,
            sslmode="verify-full",
            sslrootcert=authorities,
            connect_timeout=10,
            autocommit=True,
        )

    return connect


def can_log_in(connect: Connect, credentials: Credentials) -> bool:
    """Return whether these credentials are accepted. Raises OperationalError if the server cannot be asked."""
    try:
        with connect(credentials) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError as problem:
        if _is_refusal(problem):
            return False
        raise
    return True


def owner_of(username: str) -> str:
    """Return the name of the role that owns what the user `username` and its clone work with."""
    return f"{username}_owner"


def ensure_owner(master: Connection, owner: str) -> None:
    """Make the owner, and let the administrator act as it."""
    if not _exists(master, owner):
        _create(master, sql.SQL("create role {} nologin").format(sql.Identifier(owner)))
    # Since PostgreSQL 16, who makes a role is not thereby let act as it.
    manner = "with inherit true, set true" if master.info.server_version >= 160000 else ""
    master.execute(sql.SQL("grant {} to current_user {}").format(sql.Identifier(owner), sql.SQL(manner)))


def ensure_user(master: Connection, username: str, owner: str) -> None:
    """Make a user that acts as the owner; without a password nobody can log in as it yet."""
    name, group = sql.Identifier(username), sql.Identifier(owner)
    if not _exists(master, username):
        _create(master, sql.SQL("create role {} login").format(name))
    master.execute(sql.SQL("grant {} to {}").format(group, name))
    master.execute(sql.SQL("alter role {} set role to {}").format(name, group))


def set_password(master: Connection, username: str, password: str) -> None:
    """Store a password as its SCRAM-SHA-256 verifier, which is all that a log of statements can then hold."""
    verifier = master.pgconn.encrypt_password(password.encode(), username.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("alter role {} password {}").format(sql.Identifier(username), sql.Literal(verifier))
    master.execute(statement)


def ensure_database(master: Connection, name: str, owner: str) -> bool:
    """Make a database of the owner's; return whether it was absent."""
    if master.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None:
        return False
    try:
        master.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)))
    except DuplicateDatabase:
        return False
    return True


def hand_over(inside: Connection, name: str, owner: str) -> None:
    """Give a database, and what the administrator made in its schema public, to the owner; let no others in."""
    database, group = sql.Identifier(name), sql.Identifier(owner)
    with inside.transaction():
        inside.execute(sql.SQL("alter database {} owner to {}").format(database, group))
        for kind, found in _made_by_administrator(inside):
            inside.execute(
                sql.SQL("alter {} public.{} owner to {}").format(sql.SQL(kind), sql.Identifier(found), group)
            )
        inside.execute(sql.SQL("revoke all on database {} from public").format(database))


def acting_as(connection: Connection) -> str:
    """Return whose rights the session has."""
    row = connection.execute("select current_user").fetchone()
    assert row is not None
    return str(row[0])


def _made_by_administrator(inside: Connection) -> list[tuple[str, str]]:
    # A sequence that belongs to a column follows its table, and cannot go alone.
    return [
        (str(kind), str(name))
        for kind, name in inside.execute(
            """
            select case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                                else 'table' end, relname
            from pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
              and relowner = (select oid from pg_roles where rolname = current_user)
              and not exists (select 1 from pg_depend where objid = pg_class.oid and deptype in ('a', 'i', 'e')
                              and classid = 'pg_class'::regclass)
            union all
            select 'type', typname from pg_type
            where typnamespace = 'public'::regnamespace and typtype in ('e', 'd')
              and typowner = (select oid from pg_roles where rolname = current_user)
            """
        ).fetchall()
    ]


def _exists(master: Connection, role: str) -> bool:
    return master.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is not None


def _create(master: Connection, statement: sql.Composed) -> None:
    try:
        master.execute(statement)
    except DuplicateObject:
        # Another run of the same step was faster.
        return


def _is_refusal(problem: psycopg.OperationalError) -> bool:
    # libpq gives no SQLSTATE for what happens before a session exists.
    words = str(problem)
    return "authentication failed" in words or ("role" in words and "does not exist" in words) or "no password" in words
