"""The workflows of GitHub Actions: judged by outside tools, and their own steps run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from policy.outside import outside_tools
from rehearsal.cloud.server import LocalCloud
from rehearsal.setup.progress import Progress
from tests.interlock.mlflow_server import RunningServer

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = ROOT / ".github" / "workflows"
LOCK = ROOT / "policy" / "pipelines" / "requirements.lock"


@pytest.fixture(scope="module")
def tools() -> Path:
    return outside_tools("pipelines", LOCK, Progress())


def zizmor(tools: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(tools / "zizmor"), "--offline", "--persona=auditor", "--no-progress", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def workflow(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return document


def test_outside_tools_find_nothing_wrong_with_the_workflows(tools: Path) -> None:
    judged = zizmor(tools, WORKFLOWS)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    files = [str(file) for file in WORKFLOWS.iterdir()]
    schema = subprocess.run(
        [str(tools / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert schema.returncode == 0, schema.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ('"$MODEL" --stack', '"${{ inputs.model }}" --stack', "template-injection"),
        ("@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4", "unpinned-uses"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
    ],
)
def test_a_workflow_that_is_made_worse_is_found(
    tools: Path, tmp_path: Path, right: str, wrong: str, found: str
) -> None:
    text = (WORKFLOWS / "release.yml").read_text()
    assert right in text
    worse = tmp_path / ".github" / "workflows" / "release.yml"
    worse.parent.mkdir(parents=True)
    worse.write_text(text.replace(right, wrong, 1))
    judged = zizmor(tools, tmp_path)
    assert judged.returncode != 0
    assert found in judged.stdout + judged.stderr


@pytest.mark.parametrize("name", ["release.yml", "preview.yml"])
def test_a_workflow_has_no_key_that_lives_longer_than_its_run(name: str) -> None:
    text = (WORKFLOWS / name).read_text()
    assert "secrets." not in text
    (job,) = workflow(name)["jobs"].values()
    roles = [step["with"] for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]
    assert [set(role) & {"aws-access-key-id", "aws-secret-access-key"} for role in roles] == [set()]
    assert job["permissions"]["id-token"] == "write"


class Runner:
    """Runs a job's own scripts as a runner of GitHub does: one shell a step, outputs and summary in files."""

    def __init__(self, name: str, inputs: Mapping[str, str], environment: Mapping[str, str], folder: Path) -> None:
        (self.job,) = workflow(name)["jobs"].values()
        self.values = {f"inputs.{key}": value for key, value in inputs.items()}
        self.folder = folder
        self.output, self.summary = folder / "output", folder / "summary"
        program = folder / "bin" / "interlock"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m interlock.cli.main "$@"\n')
        program.chmod(0o755)
        python = program.parent / "python"
        python.symlink_to(sys.executable)
        self.environment = {
            **environment,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        (step,) = [one for one in self.job["steps"] if one["name"] == name]
        self.output.write_text("")
        given = {key: self.evaluated(value) for key, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.folder, env={**self.environment, **given}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        for line in self.output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.values[f"steps.{step.get('id')}.outputs.{key}"] = value
        return done

    def evaluated(self, text: str) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: self.values[found[1]], text)


@pytest.fixture
def builder(cloud: LocalCloud, manifest: Path, mlflow: RunningServer, registered: str, tmp_path: Path) -> Runner:
    inputs = {"model": f"{registered}/1", "stack": f"file:{manifest}"}
    environment = {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "HOME": str(tmp_path),
    }
    return Runner("release.yml", inputs, environment, tmp_path)


def test_the_steps_of_a_release_pin_the_bytes_and_show_that_they_verify(builder: Runner) -> None:
    pinned = builder.run("Pin the bytes and sign for them")
    assert pinned.returncode == 0, pinned.stderr
    digest = builder.values["steps.pin.outputs.digest"]
    assert json.loads(pinned.stdout)["digest"] == digest
    verified = builder.run("Verify what lies in the vault")
    assert verified.returncode == 0, verified.stderr
    assert f"release {digest} verifies" in builder.summary.read_text()


def test_a_release_that_cannot_be_pinned_fails_its_step(builder: Runner) -> None:
    builder.values["inputs.model"] = "nobody/1"
    assert builder.run("Pin the bytes and sign for them").returncode != 0
    assert "steps.pin.outputs.digest" not in builder.values


def test_a_release_that_does_not_verify_fails_its_step(builder: Runner) -> None:
    builder.values["steps.pin.outputs.digest"] = "0" * 64
    assert builder.run("Verify what lies in the vault").returncode != 0
