from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml  # type: ignore[import-untyped]

from interlock.duties.duty import Role
from interlock.duties.rights import Account
from rehearsal.cloud.accounts import organization_role
from rehearsal.layers import FOUNDATION, administered, as_one_stack, read_events
from rehearsal.people import Cloud, People

STACKS = Path(__file__).resolve().parents[2] / "stacks"


def event(kind: str, timestamp: int, name: str, *, custom: bool = True, type_: str = "aws:s3/bucket:Bucket") -> str:
    metadata: dict[str, Any] = {
        "op": "create",
        "urn": f"urn:pulumi:local::interlock::{type_}::{name}",
        "type": type_,
        "new": {"custom": custom},
    }
    return json.dumps({"timestamp": timestamp, kind: {"metadata": metadata}})


def test_an_event_log_tells_what_was_made_in_which_time_and_what_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "events"
    lines = [
        event("resourcePreEvent", 100, "a"),
        event("resourcePreEvent", 101, "b"),
        event("resourcePreEvent", 100, "component", custom=False),
        event("resourcePreEvent", 100, "provider", type_="pulumi:providers:aws"),
        event("resOutputsEvent", 107, "a"),
    ]
    log.write_text("\n".join(lines) + '\n{"timestamp": 1')
    assert [(one["name"], one["start"], one["seconds"]) for one in read_events(log)] == [
        ("a", 100, 7),
        ("b", 101, None),
    ]


def test_there_is_nothing_before_the_engine_has_written(tmp_path: Path) -> None:
    assert read_events(tmp_path / "missing") == []


def test_the_foundation_enters_the_evidence_account_by_the_role_that_bootstrap_makes_there() -> None:
    people = People(cast(Cloud, SimpleNamespace()), STACKS.parent)
    evidence = people.settings.accounts.evidence

    assert evidence is not None
    assert evidence.role_arn == people.names.role_arn(Role.FOUNDATION, Account.EVIDENCE)


def test_administrators_enter_the_evidence_account_by_a_role_of_their_own_and_change_nothing_else() -> None:
    config = yaml.safe_load((STACKS / f"Pulumi.{FOUNDATION}.yaml").read_text())["config"]
    evidence = config["interlock:accounts"]["evidence"]["account_id"]

    entered = administered(config)

    assert entered["interlock:accounts"]["evidence"]["role_arn"] == organization_role(evidence)
    assert {key for key in config if entered[key] != config[key]} == {"interlock:accounts"}
    assert as_one_stack(STACKS)["interlock:accounts"] == entered["interlock:accounts"]
