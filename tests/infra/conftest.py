"""What tests of the foundations share: one copy of `infra/`, applied once to the session's cloud."""

from __future__ import annotations

import pytest

from rehearsal.infra import Infra, Root
from rehearsal.session import Session

ENVIRONMENT = "local"


@pytest.fixture(scope="session")
def infra(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Infra:
    """A copy of the modules that Terraform may write beside."""
    return Infra(session, tmp_path_factory.mktemp("infra"))


@pytest.fixture(scope="session")
def bootstrap(session: Session, infra: Infra) -> Root:
    """The example of two accounts, applied."""
    root = infra.root("bootstrap/examples/two-accounts")
    root.initialize()
    accounts = session.cloud.accounts
    person = f"arn:aws:iam::{accounts['workload']}:user/administrator"
    root.apply(
        {
            "environment": ENVIRONMENT,
            "region": session.cloud.region,
            "workload_account_id": accounts["workload"],
            "evidence_account_id": accounts["evidence"],
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
    )
    return root
