"""Configurations of a stack as Pulumi hands them to the program."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.layers import as_one_stack

LOCAL = Path(__file__).resolve().parents[2] / "stacks" / "Pulumi.local.yaml"
"""Of the layer platform; the foundation's settings lie beside it."""


@cache
def _shipped() -> dict[str, Any]:
    return as_one_stack(LOCAL.parent)


def as_handed_over(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration with every value as text, objects and lists as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


SPREAD = ("accounts", "administrators", "recovery", "approvers", "duties", "vault", "ledger")
"""The settings that spread stack local over accounts, regions and people."""


def local(**changed: Any) -> dict[str, str]:
    """Return stack local's settings in one account and region, some replaced; those changed to `...` are left out."""
    config = {key: value for key, value in copy.deepcopy(_shipped()).items() if key.partition(":")[2] not in SPREAD}
    config |= {f"interlock:{key}": value for key, value in changed.items()}
    return as_handed_over({key: value for key, value in config.items() if value is not ...})


def section(name: str, **changed: Any) -> dict[str, Any]:
    """Return a section of stack local's settings with some of it replaced."""
    settings: dict[str, Any] = copy.deepcopy(_shipped()[f"interlock:{name}"])
    return {key: value for key, value in {**settings, **changed}.items() if value is not ...}


def recovery_network() -> dict[str, Any]:
    """Return a network of three zones in the recovery region, apart from stack local's."""
    subnets = {f"eu-central-1{zone}": f"10.30.{16 * number}.0/20" for number, zone in enumerate("abc")}
    return {"cidr_block": "10.30.0.0/16", "subnets": subnets}


def prod(**changed: Any) -> dict[str, str]:
    """Return settings that environment prod accepts, with some replaced or left out as by `local`."""
    evidence, workload = "210987654321", "123456789012"
    subnets = {f"eu-west-1{zone}": f"10.20.{16 * number}.0/20" for number, zone in enumerate("abc")}
    (endpoint,) = copy.deepcopy(_shipped()["interlock:endpoints"])
    settings: dict[str, Any] = {
        "environment": "prod",
        "disposable": "false",
        "log_retention_days": 365,
        "accounts": {
            "evidence": {"account_id": evidence, "role_arn": f"arn:aws:iam::{evidence}:role/foundation"},
        },
        "administrators": [f"arn:aws:iam::{account}:role/foundation" for account in (evidence, workload)],
        "signers": {
            duty: [f"arn:aws:iam::{workload}:role/{duty}"]
            for duty in ("builder", "deployer", "responder", "observer", "log", "witness")
        },
        "images": {"publishers": [f"arn:aws:iam::{workload}:role/builder"]},
        "network": {"cidr_block": "10.20.0.0/16", "subnets": subnets},
        "recovery": {"region": "eu-central-1", "network": recovery_network()},
        "tracking": section("tracking", task_count=2, database={"instance_class": "db.m7g.large"}),
        "alarms": {"emails": ["oncall@example.com"]},
        "endpoints": [{**endpoint, "instances": {"min": 2, "max": 8}}],
    }
    return local(**(settings | changed))
