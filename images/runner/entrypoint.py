"""Runs one allowed, named operation inside of a region's network, and answers on its standard output.

    entrypoint.py --targets JSON --database-ca FILE --http-ca FILE -- OPERATION

What stands before `--` is the task definition's, which names everything that may be reached; OPERATION, one JSON
object, is the caller's, and nothing else of the caller's is looked at. The answer is one line of JSON:
{"operation", "outcome": "done"|"refused"|"bad input"|"failed", "result"|"reason"}; exit codes 0, 1, 2 and 3.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

SECONDS = 10.0
READABLE: Mapping[str, Sequence[str]] = {
    "experiments": ("experiment_id", "name", "lifecycle_stage", "creation_time", "last_update_time"),
    "registered_models": ("name", "creation_time", "last_updated_time"),
    "model_versions": ("name", "version", "creation_time", "last_updated_time", "run_id", "status"),
}
"""The tables of MLflow that a row may be read of, and its columns: names, states and times, no parameters or tags."""


class Ended(Exception):
    """The operation ended without a result."""

    outcome = "failed"
    code = 3


class Refused(Ended):
    """The task definition does not allow it."""

    outcome = "refused"
    code = 1


class BadInput(Ended):
    """It makes no sense; the message names the field, the value received and what is accepted."""

    outcome = "bad input"
    code = 2


@dataclass(frozen=True)
class Place:
    """All that an operation has: what it may reach, how that is verified, and the database's user."""

    targets: Mapping[str, Any]
    database_ca: str
    http_ca: str
    database_secret: Mapping[str, str]


def database_probe(place: Place, given: Mapping[str, Any]) -> dict[str, Any]:
    """Report a database's role and lag, and a row of it if one is asked for: {"database", "row": {"table", "where"}}.

    `lag_seconds` is the time since the last transaction that a standby replayed: without writes it grows, and nothing
    is lost. Raises Refused, BadInput, Ended.
    """
    target = place.targets.get("database")
    if target is None:
        raise Refused("there is no database in this region's network")
    name = _one_of("database", given.get("database"), target["names"])
    query = _row_query(given["row"]) if "row" in given else None
    try:
        with _connect(place, target, name) as connection:
            found = connection.execute(_STATE).fetchone()
            assert found is not None
            state = dict(found)
            if query is not None:
                state["row"] = connection.execute(*query).fetchone()
    except psycopg.OperationalError as problem:
        raise Ended(f"the database at {target['address']} failed: {_one_line(problem)}") from problem
    return state


def http_probe(place: Place, given: Mapping[str, Any]) -> dict[str, Any]:
    """Report what GET of a path of a target answers, its body by digest alone: {"target", "path"}.

    Nothing is followed. Raises Refused, BadInput, Ended.
    """
    targets = place.targets.get("http") or {}
    target = targets[_one_of("target", given.get("target"), list(targets))]
    path = given.get("path", "/")
    if not isinstance(path, str) or not re.fullmatch(r"/[!-~]{0,1000}", path):
        raise BadInput(f"path: received {path!r}; accepted: a path such as /health")
    started = time.monotonic()
    connection = _ServerNamed(target, ssl.create_default_context(cafile=place.http_ca))
    try:
        connection.request("GET", path, headers={"Host": target["server_name"]})
        answer = connection.getresponse()
        body = answer.read(1 << 20)
    except (OSError, http.client.HTTPException) as problem:
        raise Ended(f"{target['address']} failed: {type(problem).__name__}: {_one_line(problem)}") from problem
    finally:
        connection.close()
    return {
        "status": answer.status,
        "seconds": round(time.monotonic() - started, 3),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }


OPERATIONS: Mapping[str, tuple[Callable[[Place, Mapping[str, Any]], dict[str, Any]], frozenset[str]]] = {
    "database-probe": (database_probe, frozenset({"database", "row"})),
    "http-probe": (http_probe, frozenset({"target", "path"})),
}
"""By name: what runs, and the fields that it takes."""


class _ServerNamed(http.client.HTTPSConnection):
    """A connection to an address, verified as the name that the certificate is for."""

    def __init__(self, target: Mapping[str, Any], context: ssl.SSLContext) -> None:
        super().__init__(target["address"], target.get("port", 443), timeout=SECONDS)
        self._verified_as = str(target["server_name"])
        self._trust = context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), SECONDS)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self._verified_as)


_STATE = """
    select current_database() as database,
           case when pg_is_in_recovery() then 'standby' else 'primary' end as role,
           extract(epoch from now() - pg_last_xact_replay_timestamp())::float8 as lag_seconds,
           current_setting('server_version') as server_version,
           extract(epoch from now())::float8 as time
"""


def _connect(place: Place, target: Mapping[str, Any], name: str) -> psycopg.Connection[dict[str, Any]]:
    return psycopg.connect(
        host=target["address"],
        port=target["port"],
        dbname=name,
        user=place.database_secret["username"],
        password=place.database_secret["password"],
        sslmode="verify-full",
        sslrootcert=place.database_ca,
        connect_timeout=int(SECONDS),
        options=f"-c default_transaction_read_only=on -c statement_timeout={int(SECONDS * 1000)}",
        autocommit=True,
        row_factory=dict_row,
    )


def _row_query(row: Any) -> tuple[sql.Composed, Sequence[str]]:
    """Return the query of one row by equal columns, and its values."""
    if not isinstance(row, dict) or set(row) != {"table", "where"}:
        raise BadInput(f'row: received {row!r}; accepted: {{"table": …, "where": {{column: value}}}}')
    columns = READABLE[_one_of("row.table", row["table"], list(READABLE))]
    where = row["where"]
    if not isinstance(where, dict) or not where:
        raise BadInput(f"row.where: received {where!r}; accepted: columns and the text that each equals")
    for column, value in where.items():
        _one_of("row.where", column, columns)
        if not isinstance(value, str):
            raise BadInput(f"row.where.{column}: received {value!r}; accepted: text")
    query = sql.SQL("select {} from {} where {} limit 1").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(row["table"]),
        sql.SQL(" and ").join(sql.SQL("{}::text = %s").format(sql.Identifier(column)) for column in where),
    )
    return query, list(where.values())


def _one_of(field: str, value: Any, accepted: Sequence[str]) -> str:
    if isinstance(value, str) and value in accepted:
        return value
    choice = "one of " + ", ".join(accepted) if accepted else "nothing: this region's network has none"
    raise (Refused if isinstance(value, str) else BadInput)(f"{field}: received {value!r}; accepted: {choice}")


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())


def read_operation(text: str) -> tuple[str, Mapping[str, Any]]:
    """Return the name of the operation that a caller asks for, and its fields. Raises BadInput, Refused."""
    try:
        given = json.loads(text)
    except json.JSONDecodeError as problem:
        raise BadInput(f"the operation is no JSON: {problem}") from problem
    if not isinstance(given, dict):
        raise BadInput(f"the operation is one JSON object, not {type(given).__name__}")
    name = _one_of("operation", given.pop("operation", None), list(OPERATIONS))
    fields = OPERATIONS[name][1]
    for field in sorted(set(given) - fields):
        raise BadInput(f"{field}: no such field of {name}; there are {', '.join(sorted(fields))}")
    return name, given


def perform(place: Place, text: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the answer to the operation that `text` asks for."""
    name = None
    try:
        name, given = read_operation(text)
        return 0, {"operation": name, "outcome": "done", "result": OPERATIONS[name][0](place, given)}
    except Ended as end:
        return end.code, {"operation": name, "outcome": end.outcome, "reason": str(end)}


def main() -> None:
    """Read the arguments, run the operation, answer."""
    parser = argparse.ArgumentParser(prog="entrypoint.py", description="Run one allowed operation.")
    parser.add_argument("--targets", type=json.loads, required=True)
    parser.add_argument("--database-ca", required=True)
    parser.add_argument("--http-ca", required=True)
    parser.add_argument("operation")
    options = parser.parse_args()
    secret = json.loads(os.environ.get("DATABASE_SECRET") or "{}")
    # libpq and OpenSSL would take hosts, options and authorities from what a caller may have set.
    os.environ.clear()
    place = Place(options.targets, options.database_ca, options.http_ca, secret)
    code, answer = perform(place, options.operation)
    print(json.dumps(answer), flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
