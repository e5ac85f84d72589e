"""Scan `infra/` with Checkov as it is written; exit code 1 if a finding has no reason.

`python -m policy.checkov.infra`.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import yaml  # type: ignore[import-untyped]

from policy.checkov.environment import checkov
from policy.checkov.findings import TIMEOUT_SECONDS, Scan, ScanError
from policy.reasons import Finding, Verdict, judge, read_reasons
from rehearsal.setup.progress import Progress

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
REASONS: Final = Path(__file__).with_name("infra.yaml")
_OPTIONS: Final = (
    *("--framework", "terraform", "--output", "json", "--compact", "--quiet", "--soft-fail"),
    *("--skip-download", "--skip-results-upload"),
)
_MODULES: Final = re.compile(r"^(?:module\.[^.]+\.)+")


def scan_infra(executable: Path, folder: Path) -> Scan:
    """Scan all modules and examples below `folder`. Raises ScanError, where nothing was seen too."""
    answer = subprocess.run(
        [str(executable), "--directory", str(folder), *_OPTIONS],
        env={**os.environ, "LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    try:
        report = json.loads(answer.stdout)
        summary, failed = report["summary"], report["results"]["failed_checks"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ScanError(f"Checkov reported nothing on {folder}: {answer.stderr.strip()[-1000:]}") from None
    if answer.returncode != 0 or summary["parsing_errors"] or not summary["resource_count"]:
        raise ScanError(f"Checkov could not read {folder}: {summary}")
    # One module stands in several examples; what is found in it is found once.
    found = {
        Finding(
            one["check_id"], _MODULES.sub("", one["resource"]), one.get("check_name") or "", one.get("guideline") or ""
        )
        for one in failed
    }
    ordered = tuple(sorted(found, key=lambda one: (one.check, one.resource)))
    return Scan(ordered, int(summary["passed"]), str(summary["checkov_version"]))


def verdict_on(scan: Scan, today: datetime.date) -> Verdict:
    """Hold what was found to the reasons. Raises ReasonsError."""
    return judge(scan.findings, read_reasons(yaml.safe_load(REASONS.read_text(encoding="utf-8"))), today)


def main() -> int:
    """Return the exit code."""
    scan = scan_infra(checkov(Progress()), INFRA)
    verdict = verdict_on(scan, datetime.datetime.now(datetime.UTC).date())
    print(f"Checkov {scan.version} on infra: {scan.passed} checks passed, {len(verdict.explained)} stay with a reason")
    for finding in verdict.unexplained:
        print(f"no reason  {finding.check}  {finding.resource}  {finding.name}")
    for finding, reason in verdict.expired:
        print(f"expired    {finding.check}  {finding.resource}: the reason ended on {reason.expires}")
    for reason, pattern in verdict.unused:
        print(f"unused     {reason.check}  {pattern}: nothing fails so")
    return 0 if verdict.passes else 1


if __name__ == "__main__":
    sys.exit(main())
