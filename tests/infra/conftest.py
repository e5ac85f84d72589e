"""What tests of the foundations share: one copy of `infra/`, each example applied once to the session's cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rehearsal.infra import Infra, Root
from rehearsal.session import Session
from rehearsal.setup.tools import Tools

ENVIRONMENT = "local"


@pytest.fixture(scope="session")
def session(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A cloud of their own: what the organization refuses from then on would hold every other test of the run."""
    with Session(tmp_path_factory.mktemp("guarded"), tools) as started:
        yield started


@pytest.fixture(scope="session")
def infra(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Infra:
    """A copy of the modules that Terraform may write beside."""
    return Infra(session, tmp_path_factory.mktemp("infra"))


@pytest.fixture(scope="session")
def applied(session: Session, infra: Infra) -> Mapping[str, Root]:
    """Every module's example, applied; the guardrails last, which let nobody make what they guard."""
    organizations = session.client("organizations", "management")
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    values = {
        "bootstrap/examples/two-accounts": bootstrap_values(session),
        "audit/examples/three-accounts": audit_values(session),
        "guardrails/examples/organization": guardrails_values(session, units[0]["Id"]),
    }

    def apply(path: str) -> Root:
        root = infra.root(path)
        root.initialize()
        root.apply(values[path])
        return root

    *first, guardrails = values
    with ThreadPoolExecutor(len(first)) as pool:
        roots = [*pool.map(apply, first), apply(guardrails)]
    return {path.partition("/")[0]: root for path, root in zip(values, roots, strict=True)}


@pytest.fixture(scope="session")
def bootstrap(applied: Mapping[str, Root]) -> Root:
    return applied["bootstrap"]


@pytest.fixture(scope="session")
def audit(applied: Mapping[str, Root]) -> Root:
    return applied["audit"]


@pytest.fixture(scope="session")
def guardrails(applied: Mapping[str, Root]) -> Root:
    return applied["guardrails"]


def bootstrap_values(session: Session) -> dict[str, Any]:
    accounts = session.cloud.accounts
    person = f"arn:aws:iam::{accounts['workload']}:user/administrator"
    return {
        "environment": ENVIRONMENT,
        "region": session.cloud.region,
        "workload_account_id": accounts["workload"],
        "evidence_account_id": accounts["evidence"],
        "regions": list(session.cloud.regions),
        "github": {
            "repository": "example/interlock",
            "foundation_environment": "local-foundation",
            "platform_environment": "local-platform",
        },
        "people": {
            "foundation": {"foundation-1": person, "foundation-2": person},
            "platform": {"platform-1": person},
        },
    }


def audit_values(session: Session) -> dict[str, Any]:
    return {
        "environment": ENVIRONMENT,
        "region": session.cloud.region,
        **{f"{name}_account_id": session.cloud.accounts[name] for name in ("workload", "evidence", "audit")},
        "retention_days": 30,
        "vault_bucket_arns": ["arn:aws:s3:::vault-bucket-0123abc"],
    }


def guardrails_values(session: Session, unit: str) -> dict[str, Any]:
    management = session.cloud.accounts["management"]
    return {
        "environment": ENVIRONMENT,
        "management_account_id": management,
        "management_role_arn": f"arn:aws:iam::{management}:role/OrganizationAccountAccessRole",
        "target_ids": [unit],
        "regions": list(session.cloud.regions),
        "github_organization": "example",
    }
