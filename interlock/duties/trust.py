"""Who may assume a duty's role: trust policies that force a person's name upon every session."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from interlock.duties.documents import Conditions, Statement, document, statement
from interlock.duties.duty import Duty
from interlock.duties.landscape import Landscape
from interlock.duties.people import Assignments, Person, Pipeline
from interlock.duties.rights import Account, Bearer, Row
from interlock.duties.service_roles import trust_policy

LARGEST_TRUST: Final = 2048
"""Characters of a trust policy without white space. Source: IAM User Guide, "IAM and AWS STS quotas"."""
EMERGENCY_SECONDS: Final = 3600
"""How long a session of break-glass lasts at most, and how old the MFA may be that it began with."""
DUTY_SECONDS: Final = 3600


def role_trust_policy(row: Row, land: Landscape, assignments: Assignments, home: Account) -> str:
    """Return the trust policy of a duty's role in one account.

    A person's session bears their source identity and is named after it, in the record and in every later role of
    the chain. A role that nobody has been given is assumed by nobody.
    Source: IAM User Guide, "Monitor and control actions taken with assumed roles", "Create a role for OpenID Connect
    federation".
    """
    if row.service is not None:
        return trust_policy(row.service, land.account_of(home))
    people = assignments.people_of(row.duty) if row.bearer is Bearer.PEOPLE else []
    statements = [
        *_of_people(people, emergency=row.duty is Duty.BREAK_GLASS),
        *(_of_pipeline(one, land.account_of(home)) for one in assignments.pipelines_of(row.duty)),
    ]
    return document(*(statements or [_NOBODY]))


def deploying_trust_policy(row: Row, land: Landscape, assignments: Assignments, home: Account) -> str:
    """Return the trust policy of a role that deploys, as `infra/bootstrap` writes it in one account.

    People and workflows come into the workload's account, each person with MFA; from there the foundation goes on into
    the account of keys and vault, under the name that its session bears already.
    """
    if land.account_of(home) != land.workload:
        return document(*_from_other_account(land.role_arn(row.role, Account.WORKLOAD)))
    people = sorted(assignments.people_of(row.duty), key=lambda one: one.source_identity)
    workflows = [(one, subject) for one in assignments.pipelines_of(row.duty) for subject in one.subjects]
    statements = [
        *(_of_workflow(one, subject, land.workload) for one, subject in workflows),
        *(_deploying_person(one) for one in people),
        *([_names_of(people)] if people else []),
    ]
    return document(*(statements or [_NOBODY]))


def _of_workflow(pipeline: Pipeline, subject: str, account_id: str) -> Statement:
    return statement(
        "Workflow", "Allow", ["sts:AssumeRoleWithWebIdentity"],
        principal={"Federated": f"arn:aws:iam::{account_id}:oidc-provider/{pipeline.issuer}"},
        conditions={
            "StringEquals": {f"{pipeline.issuer}:aud": pipeline.audience, f"{pipeline.issuer}:sub": subject},
            "StringLike": {"sts:RoleSessionName": "github-*"},
        },
    )  # fmt: skip


def _deploying_person(person: Person) -> Statement:
    name = {"sts:RoleSessionName": person.source_identity, "sts:SourceIdentity": person.source_identity}
    who: Conditions = {"StringLike": {"aws:userid": f"*:{person.user_name}"}} if person.user_name else {}
    return statement(
        "Person" + "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]", person.source_identity)),
        "Allow", ["sts:AssumeRole"],
        principal={"AWS": person.principal},
        conditions={"StringEquals": name, **who, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
    )  # fmt: skip


def _names_of(people: Sequence[Person]) -> Statement:
    return statement(
        "NamesOfPeople", "Allow", ["sts:SetSourceIdentity"],
        principal={"AWS": _plain(list(dict.fromkeys(one.principal for one in people)))},
        conditions={"StringEquals": {"sts:SourceIdentity": _plain([one.source_identity for one in people])}},
    )  # fmt: skip


def _from_other_account(role_arn: str) -> list[Statement]:
    return [
        statement(
            "OtherAccount", "Allow", ["sts:AssumeRole"], principal={"AWS": role_arn},
            conditions={"StringLike": {"sts:RoleSessionName": "interlock-*"}},
        ),
        # A name that the session bears goes along; a workflow, which bears none, takes nobody's.
        statement(
            "NamesFromOtherAccount", "Allow", ["sts:SetSourceIdentity"], principal={"AWS": role_arn},
            conditions={"Null": {"aws:SourceIdentity": "false"}},
        ),
    ]  # fmt: skip


_NOBODY: Final = statement("Nobody", "Deny", ["sts:AssumeRole"], principal="*")


def _of_people(people: Sequence[Person], *, emergency: bool) -> list[Statement]:
    if not people:
        return []
    named = statement(
        "BearTheirName", "Allow", ["sts:SetSourceIdentity"],
        principal={"AWS": _plain(sorted({one.principal for one in people}))},
        conditions={"StringEquals": {"sts:SourceIdentity": _plain([one.source_identity for one in people])}},
    )  # fmt: skip
    return [*(_of_person(number, one, emergency=emergency) for number, one in enumerate(people)), named]


def _of_person(number: int, person: Person, *, emergency: bool) -> Statement:
    name = {"sts:SourceIdentity": person.source_identity, "sts:RoleSessionName": person.source_identity}
    who: Conditions = {"StringLike": {"aws:userid": f"*:{person.user_name}"}} if person.user_name else {}
    proof: Conditions = (
        {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "NumericLessThan": {"aws:MultiFactorAuthAge": str(EMERGENCY_SECONDS)},
        }
        if emergency
        else {}
    )
    return statement(
        f"Person{number + 1}", "Allow", ["sts:AssumeRole"],
        principal={"AWS": person.principal}, conditions={"StringEquals": name, **who, **proof},
    )  # fmt: skip


def _of_pipeline(pipeline: Pipeline, account_id: str) -> Statement:
    issuer = pipeline.issuer
    return statement(
        "Pipeline" + "".join(part.capitalize() for part in pipeline.name.split("-")),
        "Allow",
        ["sts:AssumeRoleWithWebIdentity"],
        principal={"Federated": f"arn:aws:iam::{account_id}:oidc-provider/{issuer}"},
        conditions={
            "StringEquals": {
                f"{issuer}:aud": pipeline.audience,
                f"{issuer}:sub": _plain(pipeline.subjects),
                "sts:RoleSessionName": pipeline.name,
            }
        },
    )


def _plain(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
