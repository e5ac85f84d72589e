"""What the function does with an event: a step of a rotation, or the preparation of an instance.

A rotation's event is Secrets Manager's: {"Step", "SecretId", "ClientRequestToken"}. A preparation's is
{"Operation": "prepare", "SecretId", "Databases": [names]}; it makes the databases and the secret's user. With
"Username", "MasterSecretId", "Host" and "Port" it first gives the secret its value, with "FirstSecretId" also the
administrator's; a value that is there keeps its user and password, and gets the place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3
import psycopg
import roles
from rotation import Rotation, RotationError, begin_secret

STEPS = {
    "createSecret": Rotation.create_secret,
    "setSecret": Rotation.set_secret,
    "testSecret": Rotation.test_secret,
    "finishSecret": Rotation.finish_secret,
}


def handle(event: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Do what `event` asks for. Raises RotationError, which Lambda reports, and never with a secret in its text."""
    secret_id = event.get("SecretId")
    if not isinstance(secret_id, str):
        raise RotationError(f"SecretId: received {secret_id!r}; accepted: the ARN of a secret")
    secrets = boto3.client("secretsmanager")
    rotation = Rotation(
        secrets,
        secret_id,
        connect=roles.connector(os.environ["DATABASE_CA"]),
        settle_seconds=float(os.environ.get("SETTLE_SECONDS", "30")),
    )
    try:
        if event.get("Operation") == "prepare":
            return _tell("prepare", _prepare(secrets, rotation, event))
        step = STEPS.get(str(event.get("Step")))
        if step is None:
            raise RotationError(f"Step: received {event.get('Step')!r}; accepted: {', '.join(STEPS)}")
        return _tell(str(event["Step"]), step(rotation, str(event["ClientRequestToken"])))
    except psycopg.Error as problem:
        # The cause's traceback would tell the statement, which holds what a password was made into.
        raise RotationError(f"the database refused: {type(problem).__name__}: {_first_line(problem)}") from None


def _prepare(secrets: Any, rotation: Rotation, event: Mapping[str, Any]) -> dict[str, Any]:
    databases = _databases(event)
    wanted = {**_place(event), "dbname": databases[0]}
    if "FirstSecretId" in event:
        first = json.loads(secrets.get_secret_value(SecretId=event["FirstSecretId"])["SecretString"])
        begin_secret(secrets, str(event["MasterSecretId"]), {**wanted, **first})
    if "Username" in event:
        content = {**wanted, "username": str(event["Username"]), "masterarn": str(event["MasterSecretId"])}
        begin_secret(secrets, str(event["SecretId"]), content)
    return rotation.prepare(databases)


def _place(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"engine": "postgres", "host": str(event.get("Host", "")), "port": int(event.get("Port", 5432))}


def _databases(event: Mapping[str, Any]) -> list[str]:
    names = event.get("Databases")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise RotationError(f"Databases: received {names!r}; accepted: a list of one or more names")
    return names


def _tell(what: str, told: dict[str, Any]) -> dict[str, Any]:
    print(json.dumps({"did": what, **told}))
    return told


def _first_line(problem: psycopg.Error) -> str:
    return str(problem).partition("\n")[0]
