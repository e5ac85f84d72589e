"""A stack that the first version brought up, and what today's program would do to it."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rehearsal.session import Session
from tests.stacks.stateful import STATEFUL

RECORDED = Path(__file__).parent / "first_light"
"""The state of stack local as the first version left it, without source positions, and its settings."""

KEEPING = ("same", "update", "create", "refresh", "read")
"""Steps of the engine that leave what exists where it is."""


@pytest.fixture(scope="module")
def previewed(session: Session, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The steps of a preview of today's program on the recorded stack."""
    folder = tmp_path_factory.mktemp("upgrade")
    state = folder / "state.json"
    state.write_bytes(gzip.decompress((RECORDED / "state.json.gz").read_bytes()))
    settings = folder / "Pulumi.local.yaml"
    settings.write_text((RECORDED / "Pulumi.local.yaml").read_text())
    # A backend of its own, because other tests have a stack of this name.
    backend = folder / "backend"
    backend.mkdir()
    environment = {**session.environment, "PULUMI_BACKEND_URL": f"file://{backend}"}
    session.provide_certificate("mlflow.interlock.example.com")

    def pulumi(*arguments: str) -> str:
        answer = subprocess.run(
            [str(session.bin / "pulumi"), *arguments, "--non-interactive", "--stack", "local"],
            cwd=session.tools.checkout, env=environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert answer.returncode == 0, f"{answer.stdout[-3000:]}{answer.stderr[-3000:]}"
        return answer.stdout

    pulumi("stack", "select", "--create")
    pulumi("stack", "import", "--file", str(state))
    steps: list[dict[str, Any]] = json.loads(
        pulumi("preview", "--json", "--show-sames", "--config-file", str(settings))
    )["steps"]
    return steps


def test_nothing_stateful_is_replaced_or_deleted_by_an_upgrade(previewed: list[dict[str, Any]]) -> None:
    lost = [step for step in previewed if step["op"] not in KEEPING and kind_of(step) in STATEFUL]
    assert [f"{step['op']} {step['urn']}: {step.get('replaceReasons') or ''}" for step in lost] == []


def test_everything_stateful_of_the_first_version_is_still_declared(previewed: list[dict[str, Any]]) -> None:
    """An alias carries what was renamed; what is not seen at all would be forgotten."""
    recorded = json.loads(gzip.decompress((RECORDED / "state.json.gz").read_bytes()))["deployment"]["resources"]
    identifiers = {one["id"] for one in recorded if one["type"] in STATEFUL}
    seen = {step["oldState"]["id"] for step in previewed if "id" in step.get("oldState", {}) and step["op"] in KEEPING}
    assert identifiers
    assert identifiers - seen == set()


def kind_of(step: dict[str, Any]) -> str:
    state = step.get("newState") or step.get("oldState") or {}
    return str(state.get("type"))
