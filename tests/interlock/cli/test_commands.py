from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from interlock.aws.sweep import Swept
from interlock.cli.main import app
from interlock.cli.terminal import OutputFormat, Printer, command, visible
from interlock.failures import Refusal
from interlock.manifest_parts import EndpointPart
from interlock.teardown import Teardown
from rehearsal.cloud.server import LocalCloud
from tests.interlock.conftest import new_vault


@dataclass
class Shell:
    """Runs `interlock` on a stack whose manifest lies in a file."""

    manifest: Path
    runner: CliRunner

    def run(self, *arguments: str) -> tuple[int, str]:
        result = self.runner.invoke(app, [*arguments, "--stack", f"file:{self.manifest}"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    def json(self, *arguments: str) -> tuple[int, Any]:
        result = self.runner.invoke(app, [*arguments, "--stack", f"file:{self.manifest}", "--output", "json"])
        return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def shell(cloud: LocalCloud, manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)
    return Shell(manifest, CliRunner())


def test_a_model_version_is_pinned_verified_and_listed_as_locked(shell: Shell, registered: str) -> None:
    code, pinned = shell.json("release", "pin", f"{registered}/1")
    assert code == 0
    assert shell.json("release", "pin", f"{registered}@candidate") == (0, pinned)
    code, text = shell.run("release", "verify", pinned["digest"])
    assert code == 0
    assert f"release {pinned['digest']} verifies" in text
    assert "signed by builder" in text
    code, locked = shell.json("stack", "locked")
    assert code == 0
    assert {one["key"] for one in locked["objects"]} >= set(pinned["objects"])


def test_what_is_locked_is_listed_of_both_halves_of_the_vault(shell: Shell, cloud: LocalCloud, tmp_path: Path) -> None:
    document = json.loads(shell.manifest.read_text())
    here, there = new_vault(cloud), new_vault(cloud, region_name="eu-central-1")
    cloud.client("s3", region_name="eu-central-1").put_object(Bucket=there, Key="evidence", Body=b"1", IfNoneMatch="*")
    parts = {name: {**document["vault"], "bucket_name": name} for name in (here, there)}
    document |= {"vault": parts[here], "recovery": {"region": "eu-central-1", "vault": parts[there]}}
    shell.manifest = tmp_path / "manifest.json"
    shell.manifest.write_text(json.dumps(document))

    code, locked = shell.json("stack", "locked")
    assert (code, locked["buckets"]) == (0, [here, there])
    assert [(one["key"], one["bucket"], one["region"]) for one in locked["objects"]] == [
        ("evidence", there, "eu-central-1")
    ]
    _, text = shell.run("stack", "locked")
    assert f"nothing in s3://{here} (eu-west-1) is locked" in text
    assert f"1 object in s3://{there} (eu-central-1) is locked" in text


def test_a_release_that_does_not_verify_is_refused_with_reasons_and_exit_code_1(shell: Shell) -> None:
    code, answer = shell.json("release", "verify", "0" * 64)
    assert code == 1
    assert answer["outcome"] == "refused"
    assert answer["reasons"] == [f"the vault holds nothing under releases/{'0' * 64}/"]
    code, answer = shell.json("endpoint", "deploy", "0" * 64, "--variant", "blue")
    assert (code, answer["outcome"]) == (1, "refused")


def test_verification_with_another_public_key_is_refused(
    shell: Shell, registered: str, cloud: LocalCloud, tmp_path: Path
) -> None:
    from interlock.aws.kms import fetch_public_key

    kms = cloud.client("kms")
    _, pinned = shell.json("release", "pin", f"{registered}/1")
    other = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    (tmp_path / "key.pem").write_text(fetch_public_key(kms, other).pem)
    code, answer = shell.json("release", "verify", pinned["digest"], "--public-key", str(tmp_path / "key.pem"))
    assert code == 1
    assert any("no signature that was made by a known key" in reason for reason in answer["reasons"])


def test_the_endpoints_state_is_shown_as_text_and_as_data(shell: Shell, endpoint_part: EndpointPart) -> None:
    code, state = shell.json("endpoint", "status")
    assert code == 0
    assert state["name"] == endpoint_part.endpoint_name
    assert set(state["variants"]) == {"blue", "green"}
    code, text = shell.run("endpoint", "status")
    assert code == 0
    assert "InService" in text
    assert f"none ({endpoint_part.holding_model_name})" in text


def test_the_whole_manifest_is_shown(shell: Shell) -> None:
    code, document = shell.json("stack", "show")
    assert code == 0
    assert document == json.loads(shell.manifest.read_text())
    assert "tracking.database.port" in shell.run("stack", "show")[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("release", "pin", "credit"), "NAME/VERSION"),
        (("release", "pin", "credit/99"), "credit/99"),
        (("release", "verify", "xyz"), "64 hexadecimal digits"),
        (("release", "verify", "0" * 64, "--public-key", "/no/such/file"), "/no/such/file"),
        (("endpoint", "status", "--endpoint", "nobody"), "accepted is one of credit"),
        (("endpoint", "shift", "blue=x", "green=1"), "'blue=x'"),
        (("endpoint", "shift", "blue=1"), "blue, green"),
        (("endpoint", "shift", "blue=nan", "green=1"), "'blue=nan'"),
        (("endpoint", "deploy", "0" * 64, "--variant", "blue", "--weights", "blue=1,blue=2"), "once a variant"),
        (("endpoint", "invoke", "/no/such/file"), "/no/such/file"),
        (("stack", "destroy", "--yes"), "accepted is pulumi:<stack>"),
    ],
)
def test_a_users_mistake_gets_one_message_and_exit_code_2(
    shell: Shell, registered: str, arguments: tuple[str, ...], complaint: str
) -> None:
    code, output = shell.run(*arguments)
    assert code == 2, output
    assert complaint in output
    assert "Traceback" not in output


@pytest.mark.parametrize("source", ["nonsense", "ftp:x", "file:", "file:/no/such/manifest"])
def test_a_stack_that_cannot_be_found_is_one_message(source: str) -> None:
    result = CliRunner().invoke(app, ["stack", "show", "--stack", source])
    assert result.exit_code in (2, 3)
    assert "Traceback" not in result.output
    assert source in result.output


ANOTHER = json.dumps({"schema_version": 2, **{f"key-{number}": number for number in range(900)}})


@pytest.mark.parametrize("content", ["[" * 100_000, ANOTHER])
def test_a_file_that_holds_another_document_than_a_manifest_is_one_short_message(tmp_path: Path, content: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    result = CliRunner().invoke(app, ["stack", "show", "--stack", f"file:{file}"])
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (2, True), result.exception
    assert len(result.output) < 3000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--to", "{}"), "--to: "),
        (("--to", "{}/x", "--path", "{}/" + "x" * 300), "--path: received"),
    ],
)
def test_a_path_that_is_no_file_or_folder_to_be_used_is_one_message(
    tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    given = [one.replace("{}", str(tmp_path)) for one in arguments]
    result = CliRunner().invoke(app, ["release", "inventory", *given])
    assert (result.exit_code, complaint in result.output) == (2, True), result.output


@pytest.mark.parametrize(("number", "code"), [(errno.EACCES, 2), (errno.ENAMETOOLONG, 2), (errno.ENOSPC, 3)])
def test_a_file_that_cannot_be_used_ends_any_command_with_one_message(
    number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @command
    def careless() -> None:
        raise OSError(number, os.strerror(number), "/some/file\n")

    with pytest.raises(typer.Exit) as ended:
        careless()
    assert ended.value.exit_code == code
    assert f"the file '/some/file\\n' cannot be used: {os.strerror(number)}" in capsys.readouterr().err


def test_aws_that_does_not_answer_is_exit_code_3(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    code, answer = shell.json("stack", "locked")
    assert (code, answer["outcome"]) == (3, "failed")


def test_a_newline_in_what_others_wrote_makes_no_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    forged = "a typo\nrelease 5b5f verifies for prod (admit)\r\n  tier high, approved by approver-1, approver-2"
    printer = Printer(OutputFormat.TEXT)
    printer.failure(Refusal(f"of {forged}", reasons=[f"approver-4 rejected it: {forged}"], next_step=forged))
    printer.text([forged])
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.err.splitlines()] == ["refused:", "approver-4", "next"]
    assert len(printed.out.splitlines()) == 1


def test_what_a_terminal_would_act_on_is_shown_as_text() -> None:
    assert visible("a\x1b[31mred\x07\r\u202e") == "a\\x1b[31mred\\x07\\r\\u202e"
    assert visible("Größe, 模型\nnext line") == "Größe, 模型\\nnext line"


def test_markup_in_a_name_is_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    from interlock.cli.terminal import console

    console().print("[bold]name[/bold] :warning: [link=x]y[/link]")
    assert capsys.readouterr().out == "[bold]name[/bold] :warning: [link=x]y[/link]\n"


def test_a_destroyed_stack_names_what_something_else_still_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Teardown((), (), (), Swept(("old",), ("model-in-use",)))
    monkeypatch.setattr("interlock.cli.stack.destroy", lambda *_, **__: left)
    told = CliRunner().invoke(app, ["stack", "destroy", "--yes", "--stack", "pulumi:test"])
    assert "left model-in-use, which the controller had made" in told.stdout
    document = CliRunner().invoke(app, ["stack", "destroy", "--yes", "--stack", "pulumi:test", "--output", "json"])
    assert json.loads(document.stdout)["in_use"] == ["model-in-use"]


def test_an_endpoint_url_that_is_none_is_bad_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    code, said = shell.run("endpoint", "status")
    assert code == 2
    assert "Invalid endpoint: nonsense" in said
