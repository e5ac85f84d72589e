"""Asks Pulumi what a stack would be, or reads what it was asked before."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from interlock.cost.plan import Plan, PreviewError, read_preview
from interlock.failures import BadInput, OutsideFailure

TIMEOUT_SECONDS = 1800
_LINES_OF_A_FAILURE = 30


def plan_of_stack(stack: str) -> Plan:
    """Preview a stack and return what would exist. Raises BadInput, OutsideFailure."""
    return plan_of_document(document_of_stack(stack), f"the preview of {stack}")


def document_of_stack(stack: str, saved: str = "--preview FILE") -> Any:
    """Preview a stack and return what the engine says it would do; `saved` is the option that reads a saved preview.

    Raises BadInput, OutsideFailure.
    """
    command = ["pulumi", "preview", "--json", "--show-sames", "--non-interactive", "--stack", stack]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except FileNotFoundError as error:
        raise BadInput(
            "there is no `pulumi` on PATH to ask for a preview", next_step=f"or read a saved one with {saved}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise OutsideFailure(f"the preview of {stack} did not end in {TIMEOUT_SECONDS} s") from error
    document = _parsed(answer.stdout)
    if answer.returncode != 0 or document is None:
        raise _failure(stack, document, answer.stderr)
    return document


def plan_of_file(path: Path) -> Plan:
    """Return what would exist by a saved `pulumi preview --json --show-sames`. Raises BadInput."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--preview: {path}: {getattr(error, 'strerror', None) or 'is no text'}") from error
    document = _parsed(text)
    if document is None:
        raise BadInput(f"--preview: {path} holds no JSON; accepted is what `pulumi preview --json --show-sames` prints")
    return plan_of_document(document, f"--preview: {path}")


def plan_of_document(document: Any, source: str) -> Plan:
    """Return what would exist by what the engine said, which `source` names. Raises BadInput."""
    try:
        return read_preview(document)
    except PreviewError as error:
        raise BadInput(f"{source}: {error}") from error


def _failure(stack: str, document: Any, said: str) -> BadInput | OutsideFailure:
    if "no stack named" in said:
        return BadInput(
            f"stack: received {stack!r}; Pulumi knows no stack of that name",
            next_step=f"pulumi stack init {stack}",
        )
    diagnostics = document.get("diagnostics", []) if isinstance(document, dict) else []
    errors = [str(one.get("message", "")) for one in diagnostics if one.get("severity") == "error"]
    words = "\n".join(errors) or said or "pulumi failed without a word"
    return OutsideFailure(
        f"the preview of {stack} failed", reasons=[line for line in words.splitlines() if line][:_LINES_OF_A_FAILURE]
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None
