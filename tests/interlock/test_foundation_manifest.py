"""A foundation without a platform: what its stack says is enough to publish images with."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.duties.duty import SigningDuty
from interlock.manifest import ManifestError, read_foundation
from interlock.stack import load_foundation
from tests.interlock.manifests import ACCOUNT, REGION, manifest_document

URL = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/interlock/test/serving"
ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/interlock/test/serving"


def foundation_output() -> dict[str, Any]:
    """Return the output `foundation` of a stack, as `pulumi stack output --json` has it; the caller may change it."""
    manifest = manifest_document()
    return {
        "vault": manifest["vault"],
        "signing_keys": manifest["signing_keys"],
        "approver_keys": {},
        "images": {"serving": {"name": "interlock/test/serving", "arn": ARN, "url": URL}},
        "key_administrators": [f"arn:aws:iam::{ACCOUNT}:role/foundation"],
        "recovery": None,
    }


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with all outputs that `pulumi` on PATH tells of whichever stack it is asked about."""
    outputs = tmp_path / "outputs.json"
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text(
        f"#!{sys.executable}\nimport json, sys\nknown = json.load(open({str(outputs)!r}))\n"
        "if sys.argv[-1] in ('manifest', 'foundation') and sys.argv[-1] not in known:\n"
        "    sys.exit(f\"error: current stack does not have output property '{sys.argv[-1]}'\")\n"
        "print(json.dumps(known.get(sys.argv[-1], known)))\n"
    )
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    return outputs


def test_a_stack_without_a_platform_tells_where_images_are_pushed_and_who_signs(stack: Path) -> None:
    stack.write_text(json.dumps({"foundation": foundation_output()}))
    found = load_foundation("pulumi:prod")
    assert found.region == REGION
    assert found.images["serving"].url == URL
    assert set(found.signing_keys) == set(SigningDuty)


def test_a_stack_with_a_platform_tells_the_same_by_its_manifest(stack: Path) -> None:
    manifest = {**manifest_document(), "images": foundation_output()["images"]}
    stack.write_text(json.dumps({"foundation": foundation_output(), "manifest": manifest}))
    assert load_foundation("pulumi:prod") == read_foundation(foundation_output())


def test_a_file_holds_either(tmp_path: Path) -> None:
    file = tmp_path / "foundation.json"
    file.write_text(json.dumps(foundation_output()))
    assert load_foundation(f"file:{file}") == read_foundation(foundation_output())
    file.write_text(json.dumps({**manifest_document(), "images": foundation_output()["images"]}))
    assert load_foundation(f"file:{file}") == read_foundation(foundation_output())


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "is a JSON object, not list"),
        ({"images": {}}, "names no vault.encryption_key_arn"),
        ({**foundation_output(), "signing_keys": {"cook": {}}}, "signing_keys.cook"),
    ],
)
def test_an_output_that_is_none_of_a_foundation_is_told(document: Any, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        read_foundation(document)


def test_verify_looks_where_a_foundation_without_a_platform_keeps_its_images(stack: Path) -> None:
    stack.write_text(json.dumps({"foundation": foundation_output()}))
    image = f"{URL.replace('serving', 'other')}@sha256:{'0' * 64}"
    result = CliRunner().invoke(app, ["images", "verify", image, "--stack", "pulumi:prod"])
    assert result.exit_code == 2, result.output
    assert f"accepted are the stack's: {URL}" in " ".join(result.output.split())


def test_without_either_the_stack_is_said_to_have_no_manifest(stack: Path) -> None:
    stack.write_text("{}")
    result = CliRunner().invoke(app, ["images", "verify", f"{URL}@sha256:{'0' * 64}", "--stack", "pulumi:prod"])
    assert result.exit_code == 3
    assert "does not have output property 'manifest'" in " ".join(result.output.split())
