"""Scan every policy document of a stack and of `infra/` with outside tools; exit code 1 if a finding has no reason.

`python -m policy.documents [--stack prod]`. The reasons are written for prod: only there each must be needed.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from components.validation import ArgumentError
from policy.checkov.program import declared_for
from policy.documents.document import Document
from policy.documents.foundations import FoundationsError, documents_of_modules
from policy.documents.linters import Examined, LintError, examine, linters
from policy.documents.synthesized import documents_of
from policy.reasons import Reason, ReasonsError, Verdict, judge, read_reasons
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.terraform_cli import terraform_cli
from rehearsal.setup.tools import Tools, prepare

REASONS = Path(__file__).with_name("reasons.yaml")
JUDGED = "prod"
REFUSED, BAD_INPUT, OUTSIDE_FAILED = 1, 2, 3


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m policy.documents", description=__doc__)
    parser.add_argument("--stack", default=JUDGED, help="the stack whose settings are used; prod unless given")
    parser.add_argument("--all", action="store_true", help="show the findings that have a reason, too")
    parser.add_argument("--write", type=Path, metavar="DIR", help="a folder to write the documents to")
    arguments = parser.parse_args()
    progress = Progress()
    try:
        reasons = reasons_of_ours()
        documents = _documents(arguments.stack, progress)
        if arguments.write is not None:
            _write(documents, arguments.write)
        found = _examined(documents, progress)
    except (ReasonsError, ArgumentError, yaml.YAMLError, OSError) as error:
        print(f"bad input: {error}", file=sys.stderr)
        return BAD_INPUT
    except (FoundationsError, LintError, SetupError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return OUTSIDE_FAILED
    verdict = judge(found.findings, reasons, datetime.datetime.now(datetime.UTC).date())
    if arguments.stack != JUDGED:
        verdict = replace(verdict, unused=())
    print("\n".join(told(arguments.stack, found, verdict, everything=arguments.all)))
    return 0 if verdict.passes else REFUSED


def reasons_of_ours() -> list[Reason]:
    """Return the reasons beside this file. Raises ReasonsError, yaml.YAMLError, OSError."""
    return read_reasons(yaml.safe_load(REASONS.read_text(encoding="utf-8")))


def _documents(stack: str, progress: Progress) -> list[Document]:
    tools = Tools.from_environment() or prepare(progress, Path(sys.executable))
    terraform = terraform_cli(progress)
    with progress.waiting(f"writing what stack {stack} registers"):
        registered = documents_of(declared_for(stack), stack)
    with tempfile.TemporaryDirectory() as folder, progress.waiting("planning the modules of infra"):
        return registered + documents_of_modules(terraform, tools.provider, Path(folder))


def _examined(documents: Sequence[Document], progress: Progress) -> Examined:
    python = linters(progress)
    with progress.waiting("examining the documents with Parliament and Cloudsplaining"):
        return examine(python, documents)


def _write(documents: Sequence[Document], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(documents, start=1):
        name = one.address.replace("/", "_")
        (folder / f"{number:03}-{name}-{one.kind.value}.json").write_text(one.text, encoding="utf-8")


def told(stack: str, found: Examined, verdict: Verdict, *, everything: bool) -> list[str]:
    """Return what was found as lines of text."""
    tools = " and ".join(f"{name} {version}" for name, version in found.versions.items())
    lines = [
        f"{tools} on {found.documents} documents of {stack} and infra: {len(found.findings)} findings of medium and "
        f"more, {len(verdict.explained)} of these with a reason; {found.minor} of less"
    ]
    for finding in verdict.unexplained:
        lines += [
            f"no reason  {finding.check} ({finding.guideline})  {finding.resource}",
            f"           {finding.name:.300}",
        ]
    lines += [
        f"expired    {finding.check}  {finding.resource}: the reason ended on {reason.expires}"
        for finding, reason in verdict.expired
    ]
    lines += [f"unused     {reason.check}  {pattern}: nothing is found so" for reason, pattern in verdict.unused]
    if everything:
        lines += [
            f"reason     {finding.check}  {finding.resource}: {reason.reason.strip()} ({reason.date})"
            for finding, reason in verdict.explained
        ]
    if not verdict.passes:
        lines.append(f"next       correct the document, or say in policy/documents/{REASONS.name} why it is right")
    return lines


if __name__ == "__main__":
    sys.exit(main())
