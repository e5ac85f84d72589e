"""Scan what a stack registers with Checkov; exit code 1 if a finding has no reason.

`python -m policy.checkov [--stack prod]`. The reasons are written for prod: only there each must be needed.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from components.validation import ArgumentError
from policy.checkov.environment import checkov
from policy.checkov.findings import Scan, ScanError, scan
from policy.checkov.plan import PlanError, terraform_plan
from policy.checkov.program import declared_for
from policy.reasons import ReasonsError, Verdict, judge, read_reasons
from rehearsal.engine.aws.catalogue import Types
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare

REASONS = Path(__file__).with_name("reasons.yaml")
JUDGED = "prod"
REFUSED, BAD_INPUT, OUTSIDE_FAILED = 1, 2, 3


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/checkov", description=__doc__)
    parser.add_argument("--stack", default=JUDGED, help="the stack whose settings are used; prod unless given")
    parser.add_argument("--all", action="store_true", help="show the findings that have a reason, too")
    parser.add_argument("--plan", type=Path, help="a file to write the plan to, for other scanners")
    arguments = parser.parse_args()
    progress = Progress()
    try:
        reasons = read_reasons(yaml.safe_load(REASONS.read_text(encoding="utf-8")))
        found = _scan(arguments.stack, arguments.plan, progress)
    except (ReasonsError, ArgumentError, PlanError, yaml.YAMLError, OSError) as error:
        print(f"bad input: {error}", file=sys.stderr)
        return BAD_INPUT
    except (ScanError, SetupError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return OUTSIDE_FAILED
    verdict = judge(found.findings, reasons, datetime.datetime.now(datetime.UTC).date())
    if arguments.stack != JUDGED:
        verdict = replace(verdict, unused=())
    print("\n".join(_told(arguments.stack, found, verdict, everything=arguments.all)))
    return 0 if verdict.passes else REFUSED


def _scan(stack: str, file: Path | None, progress: Progress) -> Scan:
    tools = Tools.from_environment() or prepare(progress, Path(sys.executable))
    schemas = tools.cache / "schemas"
    types = Types(Catalogue(tools.provider, schemas), Descriptions(schemas))
    with progress.waiting(f"writing what stack {stack} registers as a plan"):
        plan = terraform_plan(declared_for(stack), types)
    executable = checkov(progress)
    with tempfile.TemporaryDirectory() as folder, progress.waiting("scanning it with Checkov"):
        found = scan(executable, plan, Path(folder))
        if file is not None:
            file.write_bytes((Path(folder) / "plan.json").read_bytes())
    return found


def _told(stack: str, found: Scan, verdict: Verdict, *, everything: bool) -> list[str]:
    lines = [
        f"Checkov {found.version} on stack {stack}: {found.passed} checks passed, {len(found.findings)} failed, "
        f"{len(verdict.explained)} of these with a reason"
    ]
    for finding in verdict.unexplained:
        lines += [f"no reason  {finding.check}  {finding.resource}", f"           {finding.name}  {finding.guideline}"]
    lines += [
        f"expired    {finding.check}  {finding.resource}: the reason ended on {reason.expires}"
        for finding, reason in verdict.expired
    ]
    lines += [f"unused     {reason.check}  {pattern}: nothing fails so" for reason, pattern in verdict.unused]
    if everything:
        lines += [
            f"reason     {finding.check}  {finding.resource}: {reason.reason.strip()} ({reason.date})"
            for finding, reason in verdict.explained
        ]
    if not verdict.passes:
        lines.append(f"next       correct the component, or say in policy/checkov/{REASONS.name} why it is right")
    return lines


if __name__ == "__main__":
    sys.exit(main())
