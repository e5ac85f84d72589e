"""What stack local costs, by the engine's own preview of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from interlock.stack import ProvisionedStack
from rehearsal.session import Session


def cost(session: Session, *arguments: str) -> tuple[int, Any]:
    answer = subprocess.run(
        [str(session.bin / "interlock"), "cost", *arguments, "--output", "json"],
        cwd=session.tools.checkout,
        env=session.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, json.loads(answer.stdout)


@pytest.fixture(scope="module")
def found(session: Session, provisioned: ProvisionedStack) -> dict[str, Any]:
    code, document = cost(session, "--stack", "local")
    assert code == 0, document
    return dict(document)


def test_a_stack_that_stands_is_priced_whole_though_nothing_of_it_changes(found: dict[str, Any]) -> None:
    assert found["not_priced"] == []
    assert {one["type"] for one in found["shares"]} >= {
        "interlock:network:Network",
        "interlock:serving:ModelEndpoint",
        "interlock:tracking:MlflowServer",
        "interlock:tracking:TrackingDatabase",
    }
    assert found["environment"] == "local"


def test_what_is_always_there_dominates_the_cost_of_local(found: dict[str, Any]) -> None:
    variants = [line for line in found["lines"] if line["type"] == "aws:sagemaker/endpoint:Endpoint"]
    assert {line["what"] for line in variants if line["unit"] == "instance-hour"} == {
        "variant blue: 1 × ml.m5.large",
        "variant green: 1 × ml.m5.large",
    }
    assert found["dominant"][0] in found["lines"]


def test_a_saved_preview_costs_the_same_and_one_without_the_unchanged_is_refused(
    session: Session, found: dict[str, Any], unchanged: dict[str, Any], tmp_path: Path
) -> None:
    whole, part = tmp_path / "whole.json", tmp_path / "part.json"
    whole.write_text(json.dumps(unchanged))
    kept = [step for step in unchanged["steps"] if step["op"] != "same" or step["urn"].endswith("interlock-local")]
    part.write_text(json.dumps({**unchanged, "steps": kept}))

    code, again = cost(session, "--preview", str(whole))
    assert (code, again["usd_a_month"]) == (0, found["usd_a_month"])
    code, refused = cost(session, "--preview", str(part))
    assert code == 2
    assert "--show-sames" in refused["message"]


def test_a_stack_that_pulumi_does_not_know_is_bad_input(session: Session, provisioned: ProvisionedStack) -> None:
    code, answer = cost(session, "--stack", "pulumi:nowhere")
    assert (code, answer["outcome"]) == (2, "bad input")
    assert "pulumi stack init nowhere" in answer["next"]
