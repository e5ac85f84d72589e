"""Every policy document of prod and of the modules, in the eyes of Parliament and Cloudsplaining."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from policy.checkov.program import declared_for
from policy.documents.__main__ import reasons_of_ours, told
from policy.documents.document import Document, Kind, documents_among
from policy.documents.foundations import FoundationsError, documents_of_modules, read_plans
from policy.documents.linters import Examined, LintError, examine, linters, read_answer
from policy.documents.synthesized import documents_of
from policy.reasons import Finding, judge
from rehearsal.setup.progress import Progress
from rehearsal.setup.terraform_cli import terraform_cli
from rehearsal.setup.tools import Tools

TODAY = datetime.datetime.now(datetime.UTC).date()


@pytest.fixture(scope="module")
def python() -> Path:
    return linters(Progress())


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


READING = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::vault-bucket-0123/releases/*"}
CLEAN = Document("prod.RolePolicy.clean", Kind.IDENTITY, policy(READING))


def checks(found: Examined) -> set[tuple[str, str]]:
    return {(one.check, one.resource) for one in found.findings}


def test_nothing_found_in_the_documents_of_prod_and_the_modules_is_without_a_dated_reason(
    tools: Tools, python: Path, tmp_path: Path
) -> None:
    registered = documents_of(declared_for("prod"), "prod")
    planned = documents_of_modules(terraform_cli(Progress()), tools.provider, tmp_path)

    found = examine(python, registered + planned)
    verdict = judge(found.findings, reasons_of_ours(), TODAY)

    assert verdict.passes, "\n".join(told("prod", found, verdict, everything=False))
    assert {one.kind for one in registered + planned} == set(Kind)
    assert {one.address.partition(".")[0] for one in planned} == {"audit", "bootstrap", "guardrails"}
    assert len(registered) > 100


def test_a_document_that_is_made_worse_is_found(python: Path) -> None:
    worse = {
        "wildcard": (Kind.IDENTITY, policy({**READING, "Action": "s3:*", "Resource": "*"})),
        "pass-role": (
            Kind.IDENTITY,
            policy({"Action": ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"}),
        ),
        "rights": (Kind.IDENTITY, policy({"Action": "iam:PutRolePolicy", "Resource": "*"})),
        "condition": (Kind.IDENTITY, policy({**READING, "Condition": {"StringEquals": {"s3:Nothing": "x"}}})),
        "everything": (Kind.IDENTITY, policy({**READING, "Resource": "*"})),
        "nameless": (Kind.IDENTITY, policy({"Action": "ec2:DescribeVpcs", "Resource": "*"})),
        "trust": (Kind.TRUST, policy({"Action": "sts:AssumeRole", "Principal": {"AWS": "*"}})),
    }

    found = examine(python, [CLEAN, *(Document(name, kind, text) for name, (kind, text) in worse.items())])

    assert {
        ("cloudsplaining.ServiceWildcard", "wildcard"),
        ("cloudsplaining.DataExfiltration", "wildcard"),
        ("cloudsplaining.PrivilegeEscalation", "pass-role"),
        ("cloudsplaining.ResourceExposure", "rights"),
        ("parliament.UNKNOWN_CONDITION_FOR_ACTION", "condition"),
        ("cloudsplaining.AssumableByAnyPrincipal", "trust"),
        ("wildcard.Action", "wildcard"),
        ("wildcard.Resource", "everything"),
    } <= checks(found)
    assert {one.check for one in found.findings if one.resource == "nameless"} == set()
    assert CLEAN.address not in {one.resource for one in found.findings}
    verdict = judge(found.findings, reasons_of_ours(), TODAY)
    assert {one.resource for one in verdict.unexplained} == set(worse) - {"nameless"}
    assert not verdict.passes


def test_a_trust_needs_no_resource_and_a_document_without_statements_is_refused(python: Path) -> None:
    trust = policy({"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
    assert examine(python, [Document("prod.Role.own", Kind.TRUST, trust)]).findings == ()

    with pytest.raises(LintError, match="Statement"):
        examine(python, [Document("prod.RolePolicy.none", Kind.IDENTITY, "{}")])


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        json.dumps({"examined": 1, "versions": {}, "findings": []}),
        json.dumps({"examined": 2, "versions": {}, "findings": [{}]}),
    ],
)
def test_an_answer_about_less_than_every_document_is_none(text: str) -> None:
    with pytest.raises(LintError):
        read_answer(text, 2)


def test_what_is_less_than_medium_is_counted_and_not_judged() -> None:
    said = [
        {"address": "prod.Role.one", "check": "parliament.A", "severity": severity, "detail": "…"}
        for severity in ("low", "medium", "high", "critical")
    ]
    found = read_answer(json.dumps({"examined": 1, "versions": {}, "findings": said}), 1)
    assert (len(found.findings), found.minor) == (3, 1)


def test_documents_are_told_from_other_texts_and_by_what_they_do() -> None:
    values = {"policy": policy(READING), "description": '"Statement"', "note": '["Statement"]', "name": "x", "size": 1}
    (found,) = documents_among(values, "prod.Policy.x", "aws:iam/policy:Policy")
    assert found == Document("prod.Policy.x", Kind.IDENTITY, policy(READING))
    for resource_type, key, kind in [
        ("aws:iam/role:Role", "assumeRolePolicy", Kind.TRUST),
        ("aws:kms/key:Key", "policy", Kind.RESOURCE),
        ("aws_organizations_policy", "content", Kind.CONTROL),
        ("aws_iam_role", "assume_role_policy", Kind.TRUST),
    ]:
        (found,) = documents_among({key: policy(READING)}, "address.x", resource_type)
        assert found.kind is kind


def planned(unknown: dict[str, Any], resource_type: str = "aws_iam_policy") -> str:
    change = {
        "address": f'{resource_type}.one["first"]',
        "type": resource_type,
        "change": {"after": {"policy": policy(READING)}, "after_unknown": unknown},
    }
    return json.dumps({"type": "test_plan", "test_plan": {"resource_changes": [change]}})


def test_a_document_that_a_plan_leaves_open_is_refused() -> None:
    (found,) = read_plans("bootstrap", planned({"arn": True}))
    assert found.address == "bootstrap.aws_iam_policy.one.first"

    with pytest.raises(FoundationsError, match=r"aws_iam_policy\.one.*policy is not known"):
        list(read_plans("bootstrap", planned({"policy": True})))
    with pytest.raises(FoundationsError, match="planned nothing"):
        list(read_plans("bootstrap", json.dumps({"type": "version"})))


def test_a_reason_for_something_that_a_tool_says_covers_nothing_else_that_it_says() -> None:
    alias, other = (
        Finding("parliament.UNKNOWN_CONDITION_FOR_ACTION", "prod.RolePolicy.duties-builder-rights", said)
        for said in ("Unknown condition kms:ResourceAliases for action kms:Sign", "Unknown condition aws:Mine for x")
    )
    verdict = judge([alias, other], reasons_of_ours(), TODAY)
    assert verdict.unexplained == (other,)
