"""What tests of the provisioned stack share."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.stack import ProvisionedStack
from rehearsal.session import Session


@pytest.fixture(scope="session")
def unchanged(session: Session, provisioned: ProvisionedStack) -> dict[str, Any]:
    """The engine's preview of the stack that has just come up, with what it would leave as it is."""
    document: dict[str, Any] = json.loads(session.pulumi("preview", "--json", "--show-sames").stdout)
    return document
