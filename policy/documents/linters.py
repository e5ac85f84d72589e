"""Parliament and Cloudsplaining, in an environment of their own, and what they say about documents."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from policy.documents.document import Document
from policy.outside import outside_tools
from policy.reasons import Finding
from rehearsal.setup.progress import Progress

LOCK: Final = Path(__file__).with_name("requirements.lock")
EXAMINE: Final = Path(__file__).with_name("examine.py")
TIMEOUT_SECONDS: Final = 300
JUDGED: Final = ("critical", "high", "medium")


class LintError(RuntimeError):
    """The tools did not examine every document; the text ends with what they said."""


@dataclass(frozen=True)
class Examined:
    """What the tools found; `minor` counts what they hold for less than medium."""

    documents: int
    findings: tuple[Finding, ...]
    minor: int
    versions: Mapping[str, str]


def linters(progress: Progress) -> Path:
    """Return the tools' interpreter, installed first if it is not there. Raises SetupError."""
    return outside_tools("linters", LOCK, progress) / "python"


def examine(python: Path, documents: Sequence[Document]) -> Examined:
    """Have the tools examine documents. Raises LintError."""
    given = [{"address": one.address, "kind": one.kind.value, "text": one.text} for one in documents]
    try:
        answer = subprocess.run(
            [str(python), "-I", "-W", "ignore", str(EXAMINE)],
            input=json.dumps(given),
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LintError(f"the tools did not end in {TIMEOUT_SECONDS} s") from error
    if answer.returncode != 0:
        raise LintError(f"the tools ended with {answer.returncode}: {answer.stderr.strip()[-1000:]}")
    return read_answer(answer.stdout, len(documents))


def read_answer(text: str, documents: int) -> Examined:
    """Read what the tools say about so many documents. Raises LintError, for an answer about fewer, too."""
    try:
        answer = json.loads(text)
        examined, found, versions = answer["examined"], answer["findings"], answer["versions"]
        judged = {_finding(one) for one in found if one["severity"] in JUDGED}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise LintError(f"the tools answered {text[:500]!r}") from error
    if examined != documents:
        raise LintError(f"the tools saw {examined} of {documents} documents")
    minor = sum(one["severity"] not in JUDGED for one in found)
    ordered = tuple(sorted(judged, key=lambda one: (one.check, one.resource, one.name)))
    return Examined(documents, ordered, minor, versions)


def _finding(one: Mapping[str, Any]) -> Finding:
    return Finding(check=one["check"], resource=one["address"], name=one["detail"], guideline=one["severity"])


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
