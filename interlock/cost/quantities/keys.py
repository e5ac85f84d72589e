"""Keys and secrets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from interlock.cost.plan import Plan, Planned
from interlock.cost.quantities.charge import Charge, Charges
from interlock.cost.usage import Usage

_SYMMETRIC: Final = "SYMMETRIC_DEFAULT"


def key(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A key of AWS KMS; pairs for signing cost more a request."""
    spec = resource.text("customerMasterKeySpec", _SYMMETRIC)
    kind = "symmetric" if spec == _SYMMETRIC else "pair"
    yield Charge("key", "kms.key", "each", Decimal(1))
    yield Charge("requests", "kms.request", kind, usage.key.requests, ("key.requests",))


def replica_key(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A replica of a multi-Region key costs what a key does; requests are counted where its primary is."""
    yield Charge("replica", "kms.key", "each", Decimal(1))


def secret(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A secret, and each of its replicas as a secret of its own."""
    replicas = resource.inputs.get("replicas")
    copies = len(replicas) if isinstance(replicas, Sequence) and not isinstance(replicas, str) else 0
    words = f"secret and {copies} replicas" if copies else "secret"
    yield Charge(words, "secret.secret", "each", Decimal(1 + copies))
    yield Charge("requests", "secret.request", "each", usage.secret.reads, ("secret.reads",))


def parameter(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A parameter; standard ones cost nothing."""
    if resource.inputs.get("tier") == "Advanced":
        yield Charge("advanced parameter", "ssm.advanced", "each", Decimal(1))
