"""ProvisionedStack: the one place where code learns what is provisioned."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from interlock.aws.manifest import fetch_document, fetch_manifest
from interlock.manifest import FoundationManifest, ManifestError, StackManifest, read_foundation, read_manifest

__all__ = ["ManifestError", "ProvisionedStack", "StackManifest", "StackNotFoundError", "load_foundation"]

PULUMI_TIMEOUT_SECONDS: Final = 120
SOURCES: Final = "pulumi:<stack>, ssm:<parameter>, s3://<bucket>/<key> or file:<path>"


class StackNotFoundError(LookupError):
    """There is no such stack, or it cannot be reached; the text says what was asked and what was answered."""


@dataclass(frozen=True)
class ProvisionedStack:
    """A stack as provisioned: its manifest, and the place it was read from."""

    source: str
    manifest: StackManifest

    @classmethod
    def load(cls, source: str) -> ProvisionedStack:
        """Read the stack manifest from `pulumi:<stack>`, `ssm:<parameter>`, `s3://<bucket>/<key>` or `file:<path>`.

        Raises ValueError for a source of another form, StackNotFoundError when nothing is there, NotPermitted when
        whoever asks may not read it, and ManifestError when what is there is not a manifest.
        """
        scheme, colon, where = source.partition(":")
        reader = _READERS.get(scheme)
        if not colon or not where or reader is None:
            raise ValueError(f"stack: {source!r} is not a source; give {SOURCES}")
        return cls(source=source, manifest=read_manifest(_parsed(source, reader(where))))


def load_foundation(source: str) -> FoundationManifest:
    """Read what a stack's platform would stand on, from the sources of `ProvisionedStack.load`.

    The output `foundation` of a stack does where there is no platform yet, and so there is no manifest; `file:` may
    hold it too. Raises as `ProvisionedStack.load` does.
    """
    scheme, _, where = source.partition(":")
    if scheme == "pulumi" and where:
        outputs = _parsed(source, _outputs(where))
        if "manifest" not in outputs and "foundation" in outputs:
            return read_foundation(outputs["foundation"])
    elif scheme == "file" and where:
        document = _parsed(source, _from_file(where))
        if isinstance(document, dict) and "schema_version" not in document:
            return read_foundation(document)
    return ProvisionedStack.load(source).manifest.foundation


def _parsed(source: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{source} holds no JSON: {error}") from None
    except RecursionError:
        raise ManifestError(f"{source} holds JSON of more levels than can be read") from None


def _from_pulumi(stack: str) -> str:
    return _outputs(stack, "manifest")


def _outputs(stack: str, *names: str) -> str:
    command = ["pulumi", "stack", "output", "--json", "--non-interactive", "--stack", stack, *names]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PULUMI_TIMEOUT_SECONDS, check=False)
    except FileNotFoundError:
        raise StackNotFoundError("pulumi:" + stack + ": there is no `pulumi` on PATH to ask") from None
    except subprocess.TimeoutExpired:
        raise StackNotFoundError(f"pulumi:{stack}: no answer in {PULUMI_TIMEOUT_SECONDS} s") from None
    if answer.returncode != 0:
        raise StackNotFoundError(f"pulumi:{stack}: {' '.join(answer.stderr.split()) or 'pulumi failed without a word'}")
    return answer.stdout


def _from_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise StackNotFoundError(f"file:{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"file:{path} is not UTF-8: {error}") from None


def _from_ssm(parameter: str) -> str:
    return _fetched(f"ssm:{parameter}", fetch_manifest, parameter)


def _from_s3(rest: str) -> str:
    return _fetched(f"s3:{rest}", fetch_document, f"s3:{rest}")


def _fetched(source: str, fetch: Callable[[str], str], where: str) -> str:
    try:
        return fetch(where)
    except LookupError as error:
        raise StackNotFoundError(f"{source}: {error}") from None
    except ValueError as error:
        raise ManifestError(f"{source}: {error}") from None


_READERS: Final[dict[str, Callable[[str], str]]] = {
    "pulumi": _from_pulumi,
    "file": _from_file,
    "ssm": _from_ssm,
    "s3": _from_s3,
}
