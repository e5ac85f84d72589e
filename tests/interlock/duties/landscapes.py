"""A stack to make documents for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from interlock.duties.duty import Duty
from interlock.duties.landscape import Landscape
from interlock.duties.people import Assignments, Person, Pipeline

WORKLOAD, EVIDENCE, AUDIT = "111122223333", "444455556666", "777788889999"
LAND = Landscape(
    stack="prod",
    platform_stack="prod",
    workload=WORKLOAD,
    evidence=EVIDENCE,
    audit=AUDIT,
    regions=("eu-west-1", "eu-central-1"),
    vaults=("vault-primary", "vault-recovery"),
    staging=("staging-primary", "staging-recovery"),
    endpoints=("interlock-prod-credit",),
    tables=("interlock-prod-live-state",),
)


def person(name: str, *duties: Duty) -> Person:
    """Return somebody who comes as an IAM user of the workload account."""
    return Person(name, name, duties, f"arn:aws:iam::{WORKLOAD}:user/{name}")


PEOPLE = Assignments(
    people=(
        person("creator-1", Duty.CREATOR),
        person("approver-1", Duty.APPROVER),
        person("approver-2", Duty.APPROVER),
        person("responder-1", Duty.RESPONDER, Duty.RECOVERER, Duty.BREAK_GLASS),
        person("auditor-1", Duty.AUDITOR),
        person("foundation-1", Duty.FOUNDATION),
        person("foundation-2", Duty.FOUNDATION),
        person("platform-1", Duty.PLATFORM),
    ),
    pipelines=(Pipeline("release", Duty.BUILDER, ("repo:owner/models:ref:refs/heads/main",)),),
)
DEPLOYING = replace(
    PEOPLE,
    pipelines=(
        *PEOPLE.pipelines,
        Pipeline("foundation", Duty.FOUNDATION, ("repo:owner/kit:environment:foundation",)),
        Pipeline("platform", Duty.PLATFORM, ("repo:owner/kit:environment:platform",)),
    ),
)
"""The same, deployed by workflows, which bear no source identity."""


def statements(text: str) -> dict[str, Any]:
    """Return a document's statements by Sid."""
    listed = json.loads(text)["Statement"]
    found = {one["Sid"]: one for one in listed}
    assert len(found) == len(listed), "two statements have one Sid"
    return found


def values(one: Any) -> list[str]:
    """Return what a document writes as one value or as a list, as a list."""
    return one if isinstance(one, list) else [one]
