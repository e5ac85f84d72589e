"""Settings that take their places from the foundations: nothing is typed twice, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.settings.foundations import Foundations, FoundationsError, read_foundations, with_foundations

KEY = "awskms:///arn:aws:kms:eu-west-1:111122223333:key/1234?region=eu-west-1&context_layer=platform"
ROLE = "arn:aws:iam::444455556666:role/interlock/deploy/interlock-prod-platform"
LAYER = {
    "account_id": "111122223333",
    "region": "eu-west-1",
    "role_arn": "arn:aws:iam::111122223333:role/interlock/deploy/interlock-prod-platform",
    "backend_url": "s3://interlock-prod-pulumi?region=eu-west-1",
    "secrets_provider": KEY,
    "evidence": {"account_id": "444455556666", "role_arn": ROLE},
}
FILE = """\
# Who owns this is in tags.
config:
  interlock:environment: prod
  interlock:account_id: "000000000000"  # the account of the example
  interlock:accounts:
    evidence:
      account_id: "000000000001"
      role_arn: arn:aws:iam::000000000001:role/Old
    audit:
      account_id: "777788889999"
  # Everything here is somebody's.
  interlock:tags:
    owner: platform-engineering
"""


def outputs(**changed: Any) -> str:
    return json.dumps({"settings": {"sensitive": False, "value": {"platform": {**LAYER, **changed}}}})


def test_an_account_that_begins_with_zero_is_written_so_that_pulumi_reads_it_whole() -> None:
    foundations = Foundations("098765432109", "eu-west-1", None, "awskms:///arn:aws:kms:eu-west-1:1:key/1")
    assert "interlock:account_id: '098765432109'" in with_foundations("", foundations)


def test_places_are_taken_over_and_all_else_stays_as_it_is_written() -> None:
    written = with_foundations(FILE, read_foundations(outputs(), "platform"))

    read = yaml.safe_load(written)
    assert read["secretsprovider"] == KEY
    assert read["config"] == {
        "interlock:environment": "prod",
        "interlock:account_id": "111122223333",
        "interlock:region": "eu-west-1",
        "interlock:accounts": {
            "audit": {"account_id": "777788889999"},
            "evidence": {"account_id": "444455556666", "role_arn": ROLE},
        },
        "interlock:tags": {"owner": "platform-engineering"},
    }
    assert "# Who owns this is in tags." in written
    assert "# Everything here is somebody's." in written
    assert with_foundations(written, read_foundations(outputs(), "platform")) == written


@pytest.mark.parametrize("text", ["", "config:\n", "config: {}\n", "encryptedkey: abc\n"])
def test_a_file_without_settings_gets_them(text: str) -> None:
    read = yaml.safe_load(with_foundations(text, read_foundations(json.dumps({"platform": LAYER}), "platform")))

    assert read["config"]["interlock:account_id"] == "111122223333"
    assert read["secretsprovider"] == KEY


def test_only_the_foundation_needs_a_way_into_the_account_of_keys_and_vault() -> None:
    without = {**LAYER, "evidence": {"account_id": "444455556666", "role_arn": None}}
    read = yaml.safe_load(with_foundations(FILE, read_foundations(json.dumps({"platform": without}), "platform")))

    assert read["config"]["interlock:accounts"]["evidence"] == {"account_id": "444455556666"}
    with pytest.raises(FoundationsError, match=r"settings.foundation.evidence.role_arn: received None"):
        read_foundations(json.dumps({"foundation": without}), "foundation")


def test_one_account_for_all_names_no_other() -> None:
    same = {"account_id": "111122223333", "role_arn": ROLE}

    read = yaml.safe_load(with_foundations(FILE, read_foundations(outputs(evidence=same), "platform")))

    assert read["config"]["interlock:accounts"] == {"audit": {"account_id": "777788889999"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "outputs: received no JSON"),
        ("[]", "settings.platform: received none"),
        (json.dumps({"boundary_arns": {"value": {}}}), "settings.platform: received outputs named boundary_arns"),
        (outputs(account_id="12"), "settings.platform.account_id: received '12'; accepted: an AWS account's twelve"),
        (outputs(secrets_provider=None), "holds_state"),
        (
            outputs(evidence={"account_id": "444455556666", "role_arn": "deployer"}),
            "settings.platform.evidence.role_arn: received 'deployer'",
        ),
    ],
)
def test_other_outputs_are_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(FoundationsError) as refusal:
        read_foundations(text, "platform")

    assert said in str(refusal.value)


def test_the_command_writes_the_file_once_and_says_what_it_could_not_read(tmp_path: Path) -> None:
    file, source = tmp_path / "Pulumi.prod.yaml", tmp_path / "outputs.json"
    file.write_text(FILE)
    source.write_text(outputs())

    first, second = (
        CliRunner().invoke(app, ["settings", "import", str(source), str(file), "--output", "json"]) for _ in range(2)
    )

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [json.loads(one.stdout)["outcome"] for one in (first, second)] == ["imported", "unchanged"]
    source.write_text("{")
    assert CliRunner().invoke(app, ["settings", "import", str(source), str(file)]).exit_code == 2
    assert CliRunner().invoke(app, ["settings", "import", str(tmp_path / "absent"), str(file)]).exit_code == 2
