"""What Checkov says about a plan."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from policy.reasons import Finding

TIMEOUT_SECONDS: Final = 600
_OPTIONS: Final = (
    *("--framework", "terraform_plan", "--output", "json", "--compact", "--quiet", "--soft-fail"),
    *("--skip-download", "--skip-results-upload"),
)
_FROM_ITS_PLATFORM: Final = ("BC_API_KEY", "PRISMA_API_URL", "CKV_IGNORE_HIDDEN_DIRECTORIES")
"""Variables that would make a scan depend on who runs it."""


class ScanError(RuntimeError):
    """Checkov did not scan the plan; the text ends with what it said."""


@dataclass(frozen=True)
class Scan:
    """What one scan found, and how many checks passed."""

    findings: tuple[Finding, ...]
    passed: int
    version: str


def scan(checkov: Path, plan: Mapping[str, Any], directory: Path) -> Scan:
    """Scan a plan with the executable `checkov`; the plan is written into `directory`. Raises ScanError."""
    file = directory / "plan.json"
    file.write_text(json.dumps(plan, indent=1))
    environment = {name: value for name, value in os.environ.items() if name not in _FROM_ITS_PLATFORM}
    try:
        answer = subprocess.run(
            [str(checkov), "--file", str(file), *_OPTIONS],
            cwd=directory,
            env={**environment, "LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScanError(f"Checkov did not end in {TIMEOUT_SECONDS} s") from error
    if answer.returncode != 0:
        raise ScanError(f"Checkov ended with {answer.returncode}: {answer.stderr.strip()[-1000:]}")
    addresses = [one["address"] for one in plan["planned_values"]["root_module"]["resources"]]
    return read_report(answer.stdout, addresses)


def read_report(text: str, addresses: Sequence[str]) -> Scan:
    """Read Checkov's JSON report on a plan of the resources `addresses`. Raises ScanError.

    A report on fewer resources than there are, or with files that could not be read, is none.
    """
    try:
        report = json.loads(text)
    except json.JSONDecodeError as error:
        raise ScanError(f"Checkov printed no JSON: {text[:500]!r}") from error
    if not isinstance(report, dict) or not isinstance(report.get("results"), dict):
        raise ScanError(f"Checkov reported on nothing: {text[:500]!r}")
    summary, results = report.get("summary", {}), report["results"]
    if summary.get("parsing_errors") or results.get("parsing_errors"):
        raise ScanError(f"Checkov could not read the plan: {results.get('parsing_errors')}")
    if summary.get("resource_count") != len(addresses):
        raise ScanError(f"Checkov saw {summary.get('resource_count')} of the plan's {len(addresses)} resources")
    return Scan(
        findings=tuple(sorted({_finding(one) for one in results.get("failed_checks", [])}, key=_order)),
        passed=int(summary.get("passed", 0)),
        version=str(summary.get("checkov_version", "")),
    )


def _finding(failed: Mapping[str, Any]) -> Finding:
    return Finding(
        check=str(failed["check_id"]),
        resource=str(failed["resource"]),
        name=str(failed.get("check_name") or ""),
        guideline=str(failed.get("guideline") or ""),
    )


def _order(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.resource
