"""Settings of prod: what is demanded there and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from components.validation import ArgumentError
from interlock.settings.section import Environment
from stacks.program import read_settings
from tests.stacks.configurations import prod, section

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/serving:0.1.0"


WRONG_IN_PROD: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no second region": ({"recovery": ...}, "recovery", "nothing", "has to survive its region"),
    "evidence in the workload account": (
        {"accounts": ...},
        "accounts.evidence.account_id",
        "nothing",
        "an account other than the workload's",
    ),
    "evidence in the workload account by name": (
        {"accounts": {"evidence": {"account_id": "123456789012"}}},
        "accounts.evidence.account_id",
        "'123456789012'",
        "an account other than the workload's",
    ),
    "two zones": ({"network": section("network")}, "network.subnets", "eu-west-1b", "three or more availability zones"),
    "a database of one zone": (
        {"tracking": section("tracking", task_count=2, database={"multi_az": False})},
        "tracking.database.multi_az",
        "false",
        "outlives the loss of a zone",
    ),
    "backups of a day": (
        {"tracking": section("tracking", task_count=2, database={"backup_retention_days": 1})},
        "tracking.database.backup_retention_days",
        "1",
        "7 or more days",
    ),
    "a single task": (
        {"tracking": section("tracking", database={})},
        "tracking.task_count",
        "1",
        "2 or more in environment prod",
    ),
    "logs of a month": ({"log_retention_days": 30}, "log_retention_days", "30", "365 or more days"),
    "nobody to administer keys": ({"administrators": ...}, "administrators", "nothing", "who alone may configure"),
    "an empty list of administrators": ({"administrators": []}, "administrators", "[]", "who alone may configure"),
    "a lonely instance": (
        {"endpoints": [{"name": "one", "image": IMAGE, "instances": {"min": 1}}]},
        "endpoints[0].instances.min",
        "1",
        "2 or more in environment prod",
    ),
    "a lonely instance by default": (
        {"endpoints": [{"name": "one", "image": IMAGE}]},
        "endpoints[0].instances.min",
        "nothing, which is 1",
        "2 or more in environment prod",
    ),
}


def test_the_settings_that_prod_demands_are_accepted() -> None:
    assert read_settings("prod", prod()).environment is Environment.PROD


@pytest.mark.parametrize("what", sorted(WRONG_IN_PROD))
def test_what_prod_demands_is_named_with_the_reason(what: str) -> None:
    changed, path, received, accepted = WRONG_IN_PROD[what]
    with pytest.raises(ArgumentError) as caught:
        read_settings("prod", prod(**changed))
    found = [problem for problem in caught.value.problems if problem.path == f"interlock:{path}"]
    assert any(received in one.received and accepted in one.accepted for one in found), caught.value.problems
