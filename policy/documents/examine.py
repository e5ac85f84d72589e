"""What Parliament and Cloudsplaining say about documents; runs in their environment, by its path.

To their findings it adds wildcards, by what Parliament knows of AWS's actions: `wildcard.Action` is a right to actions
by a pattern, `wildcard.Resource` one to everything where AWS lets a resource be named.

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
_ACTION, _RESOURCE = "wildcard.Action", "wildcard.Resource"
_RESOURCE_TYPES = {
    (service["prefix"], one["privilege"].lower()): [each for each in one["resource_types"] if each["resource_type"]]
    for service in parliament.iam_definition
    for one in service["privileges"]
}


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


def _wildcards(kind: str, document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if kind != IDENTITY:
        return
    for statement in document["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        written = _listed(statement.get("Action", "*"))
        yield from ((_ACTION, "high", f"allows {one}") for one in written if _is_pattern(one))
        if "*" in _listed(statement.get("Resource", "*")):
            named = sorted(one for one in written if not _is_pattern(one) and _takes_resources(one))
            yield from ((_RESOURCE, "medium", f"allows {one} on everything") for one in named)


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _is_pattern(action: str) -> bool:
    return "*" in action or "?" in action


def _takes_resources(action: str) -> bool:
    service, _, name = action.partition(":")
    return bool(_RESOURCE_TYPES.get((service, name.lower())))


def main() -> None:
    """Examine what stands on standard input."""
    documents = json.load(sys.stdin)
    findings = []
    for one in documents:
        document = json.loads(one["text"])
        said = {
            *_by_parliament(document),
            *_by_cloudsplaining(one["kind"], document),
            *_wildcards(one["kind"], document),
        }
        findings += [{"address": one["address"], "check": c, "severity": s, "detail": d} for c, s, d in sorted(said)]
    versions = {name: importlib.metadata.version(name) for name in ("parliament", "cloudsplaining")}
    json.dump({"examined": len(documents), "versions": versions, "findings": findings}, sys.stdout)


if __name__ == "__main__":
    main()
