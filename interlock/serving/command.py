"""Serves the release that travelled into the container, if it verifies; the process ends with status 1 if not."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interlock.release.digests import is_hex_digest
from interlock.release.request import ENVIRONMENT
from interlock.serving.application import ModelDoesNotLoad, application, drop_credentials, is_empty, keep_to_one_core
from interlock.serving.taking_in import NotLoaded, take_in

KEEP_ALIVE_SECONDS: Final = 90
"""A pooled client may reuse a connection a minute later; it must not find it closed by us at that very moment."""

RELEASE_VARIABLE: Final = "INTERLOCK_RELEASE"
"""Which release the model data is said to be; believed only once its manifest has that digest."""

NOTHING_PINNED: Final = "none"
"""What the two files say in an image that verifies nothing, for a stack without a trust root."""

_FILES: Final = "files"
_MODEL: Final = "MLmodel"


@dataclass(frozen=True)
class Anchored:
    """What was built into the image: from where trust starts, and for which environment the image is."""

    fingerprint: str
    environment: str


class NotServed(Exception):
    """Why the process ends instead of serving, in lines for the container's log."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, verify, load, serve; return the exit status."""
    parser = argparse.ArgumentParser(description="Serve the release that travelled into the container.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--model-dir", type=Path, default=Path("/opt/ml/model"))
    parser.add_argument("--record-dir", type=Path, default=Path("/opt/ml/additional-model-data-sources"))
    parser.add_argument(
        "--fingerprint-file", type=Path, required=True, help="holds the trust root's fingerprint, or the word none"
    )
    parser.add_argument(
        "--environment-file", type=Path, required=True, help="holds the environment that is served, or the word none"
    )
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve", help="what SageMaker passes")
    given = parser.parse_args(arguments)
    drop_credentials()
    keep_to_one_core()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        anchored = read_anchored(given.fingerprint_file, given.environment_file)
        app = application(folder_to_load(given.model_dir, given.record_dir, anchored))
    except NotServed as error:
        print(error, file=sys.stderr)
        return 1
    except ModelDoesNotLoad as error:
        print(f"the model does not load: {error}", file=sys.stderr)
        return 1
    import uvicorn

    uvicorn.run(
        app,
        host=given.host,
        port=given.port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return 0


def read_anchored(fingerprint_file: Path, environment_file: Path) -> Anchored | None:
    """Return what was built into the image, or None if the image verifies nothing. Raises NotServed.

    Both files say none, or neither does: an image that pins a root and no environment would load what was approved for
    another one.
    """
    fingerprint, environment = _line(fingerprint_file), _line(environment_file)
    if (fingerprint, environment) == (NOTHING_PINNED, NOTHING_PINNED):
        return None
    if not is_hex_digest(fingerprint):
        accepted = f"64 hexadecimal digits, or the word {NOTHING_PINNED} where both files say it"
        raise NotServed(f"{fingerprint_file} holds {fingerprint[:80]!r}; accepted are {accepted}")
    if environment == NOTHING_PINNED or not re.fullmatch(ENVIRONMENT, environment):
        accepted = f"the name of the environment, or the word {NOTHING_PINNED} where both files say it"
        raise NotServed(f"{environment_file} holds {environment[:80]!r}; accepted is {accepted}")
    return Anchored(fingerprint, environment)


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotServed(f"{file} cannot be read, so that nothing says what may be loaded: {error}") from error


def folder_to_load(model: Path, record: Path, anchored: Anchored | None) -> Path:
    """Return the folder to load the model from: a private copy that verified, or an empty one to hold with.

    Raises NotServed with the reasons for a release that does not verify.
    """
    if is_empty(model):
        return model
    if anchored is None:
        return model / _FILES if (model / _FILES).is_dir() and not (model / _MODEL).is_file() else model
    digest = os.environ.get(RELEASE_VARIABLE, "")
    if not is_hex_digest(digest):
        raise NotServed(f"{RELEASE_VARIABLE}: received {digest[:80]!r}; accepted is the digest of the release to load")
    private = Path(tempfile.mkdtemp(prefix="interlock-release-"))
    try:
        return take_in(
            model, record, private, digest=digest, fingerprint=anchored.fingerprint, environment=anchored.environment
        )
    except NotLoaded as refused:
        lines = [f"  [{one.code.value}] {_printable(one.text)}" for one in refused.reasons]
        raise NotServed("\n".join([f"release {digest} is not loaded:", *lines])) from refused
    except OSError as error:
        raise NotServed(f"release {digest} is not loaded: it could not be copied: {error}") from error


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
