"""What Parliament and Cloudsplaining say about documents; runs in their environment, by its path.

Reads a JSON list of objects with address, kind and text, and writes an object with the tools' versions and findings.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from typing import Any

import parliament  # type: ignore[import-not-found]
from cloudsplaining.command.scan_policy_file import scan_policy  # type: ignore[import-not-found]
from cloudsplaining.scan.assume_role_policy_document import (  # type: ignore[import-not-found]
    AssumeRolePolicyDocument,
)
from cloudsplaining.shared.constants import ISSUE_SEVERITY  # type: ignore[import-not-found]

TRUST, IDENTITY = "trust", "identity"


def _by_parliament(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    # Trust policies and repositories' take no Resource, and are no documents to Parliament without one.
    whole = {**document, "Statement": [_with_resource(one) for one in document["Statement"]]}
    for found in parliament.analyze_policy_string(json.dumps(whole)).findings:
        told = parliament.enhance_finding(found)
        detail = told.detail if isinstance(told.detail, str) else json.dumps(told.detail)
        yield f"parliament.{told.issue}", told.severity.lower(), f"{told.title}: {detail}"


def _with_resource(statement: dict[str, Any]) -> dict[str, Any]:
    return statement if {"Resource", "NotResource"} & set(statement) else {**statement, "Resource": "*"}


def _by_cloudsplaining(kind: str, document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if kind == IDENTITY:
        found = {check: one["findings"] for check, one in scan_policy(document).items() if isinstance(one, dict)}
    elif kind == TRUST:
        trust = AssumeRolePolicyDocument(document)
        found = {
            "AssumableByAnyPrincipal": trust.role_assumable_by_any_principal,
            "AssumableByAnyPrincipalWithConditions": trust.role_assumable_by_any_principal_with_conditions,
        }
    else:
        return
    for check, findings in found.items():
        for one in findings:
            detail = one if isinstance(one, str) else f"{one['type']}: {', '.join(one['actions'])}"
            yield f"cloudsplaining.{check}", ISSUE_SEVERITY[check], detail


def main() -> None:
    """Examine what stands on standard input."""
    documents = json.load(sys.stdin)
    findings = []
    for one in documents:
        document = json.loads(one["text"])
        said = {*_by_parliament(document), *_by_cloudsplaining(one["kind"], document)}
        findings += [{"address": one["address"], "check": c, "severity": s, "detail": d} for c, s, d in sorted(said)]
    versions = {name: importlib.metadata.version(name) for name in ("parliament", "cloudsplaining")}
    json.dump({"examined": len(documents), "versions": versions, "findings": findings}, sys.stdout)


if __name__ == "__main__":
    main()
