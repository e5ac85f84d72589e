"""Keys as a command line names them: `kms:<ARN>`, or the path of a PEM file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import boto3
import typer

from interlock.aws.kms import KmsSigner, fetch_public_key
from interlock.failures import BadInput
from interlock.release.signing import PrivateKeySigner, PublicKey
from interlock.rules import key_arn

PASSPHRASE_VARIABLE = "INTERLOCK_KEY_PASSPHRASE"  # noqa: S105 (the name of a variable)


def public_key(option: str, where: str) -> PublicKey:
    """Return the public key that `where` names. Raises BadInput, and OutsideFailure if KMS does not give it."""
    arn = _kms_arn(option, where)
    if arn is not None:
        return fetch_public_key(boto3.client("kms", region_name=arn.split(":")[3]), arn)
    try:
        return PublicKey.from_pem(_content(option, where))
    except ValueError as error:
        raise BadInput(
            f"{option}: received {where!r}, which holds no public key in PEM: {_first_sentence(error)}; accepted is "
            "one on P-256, or kms:<ARN>"
        ) from error


def _first_sentence(error: ValueError) -> str:
    return str(error).partition(". ")[0]


def signer(option: str, where: str) -> KmsSigner | PrivateKeySigner:
    """Return what signs with the private key that `where` names. Raises BadInput."""
    arn = _kms_arn(option, where)
    if arn is not None:
        return KmsSigner(boto3.client("kms", region_name=arn.split(":")[3]), arn)
    content = _content(option, where)
    try:
        return PrivateKeySigner.from_pem(content, _passphrase(where).encode())
    except ValueError as error:
        raise BadInput(
            f"{option}: {where} is no encrypted private key on P-256 that this passphrase opens: {error}"
        ) from error


def _kms_arn(option: str, where: str) -> str | None:
    scheme, colon, rest = where.partition(":")
    if scheme != "kms" or not colon:
        return None
    if not key_arn.holds(rest):
        raise BadInput(f"{option}: received {where!r}; accepted is kms:<ARN>, with {key_arn.accepted}")
    return rest


def _content(option: str, where: str) -> bytes:
    try:
        return Path(where).read_bytes()
    except OSError as error:
        raise BadInput(
            f"{option}: received {where!r}, a file that cannot be read ({error.strerror}); accepted is the path of a "
            f"PEM file, or kms:<ARN>"
        ) from error


def _passphrase(where: str) -> str:
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given is None and not sys.stdin.isatty():
        raise BadInput(
            f"the passphrase of {where} is asked for on a terminal, and there is none",
            next_step=f"give it in the variable {PASSPHRASE_VARIABLE}",
        )
    return given if given is not None else str(typer.prompt(f"passphrase of {where}", hide_input=True, err=True))
