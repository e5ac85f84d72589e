"""`interlock duties`: what it prints, writes and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from interlock.cli.main import app
from interlock.duties.duty_world import duty_world
from interlock.duties.world import World
from tests.interlock.duties.landscapes import EVIDENCE, LAND, PEOPLE
from tests.interlock.duties.proof.organised import guardrails

VAULT = "arn:aws:s3:::vault-primary"
APPROVERS_KEY = f"arn:aws:kms:eu-west-1:{EVIDENCE}:key/approver-approver-1"


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


@pytest.fixture
def file(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "world.json"
    path.write_text(world.to_json())
    return path


@pytest.fixture
def loose(world: World, tmp_path: Path) -> Path:
    """The world with a vault whose policy has lost the statement that keeps evidence from being removed."""
    vault = next(one for one in world.resources if one.arn == VAULT)
    assert vault.policy is not None
    kept = [one for one in vault.policy["Statement"] if one["Sid"] != "DenyRemoval"]
    everyone = {
        "Sid": "Free",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": f"{VAULT}/*",
    }
    changed = vault.model_copy(update={"policy": {**vault.policy, "Statement": [*kept, everyone]}})
    resources = tuple(changed if one is vault else one for one in world.resources)
    path = tmp_path / "loose.json"
    path.write_text(world.model_copy(update={"resources": resources}).to_json())
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["duties", *map(str, arguments)])


def test_a_world_that_holds_is_proved_and_certified(file: Path, tmp_path: Path) -> None:
    result = run("prove", "--world", file, "--certificate", tmp_path / "out", "--output", "json")
    assert result.exit_code == 0, result.output
    certificate = json.loads((tmp_path / "out" / "certificate.json").read_text())
    assert certificate == json.loads(result.output)
    assert certificate["proved"] is True
    assert all(len(one) == 64 for one in certificate["documents"].values())
    assert any("root user" in one["what"] for one in certificate["assumptions"])
    page = (tmp_path / "out" / "certificate.html").read_text()
    assert all(one["sentence"].split("'")[0] in page for one in certificate["claims"])


def test_a_world_that_does_not_hold_is_refused_with_the_request_that_shows_it(loose: Path, tmp_path: Path) -> None:
    result = run("prove", "--world", loose, "--certificate", tmp_path / "out")
    assert result.exit_code == 1
    assert "evidence-stays" in result.output
    assert f"s3:DeleteObject on {VAULT}/" in result.output
    assert "refuted" in (tmp_path / "out" / "certificate.html").read_text()


def test_who_can_names_the_role_and_the_one_person_whose_key_it_is(file: Path) -> None:
    result = run("who-can", "kms:Sign", APPROVERS_KEY, "--world", file)
    assert result.exit_code == 0
    assert "  approver-1: assumes" in result.output
    assert "approver-2" not in result.output


def test_explain_names_the_statement_that_denies(file: Path) -> None:
    result = run("explain", "auditor-1", "s3:DeleteObject", f"{VAULT}/*", "--world", file)
    assert result.exit_code == 0
    assert "denied" in result.output
    assert "DenyRemoval" in result.output


def test_diff_says_in_words_what_is_newly_permitted(file: Path, loose: Path) -> None:
    result = run("diff", f"world:{file}", f"world:{loose}")
    assert result.exit_code == 0
    assert f"may now s3:DeleteObject on {VAULT}/*" in result.output
    assert run("diff", f"world:{loose}", f"world:{file}").output.endswith("does not\n")


def test_an_action_that_no_document_names_is_said_to_be_one(file: Path) -> None:
    result = run("who-can", "kms:Sgn", APPROVERS_KEY, "--world", file)
    assert "no document names kms:Sgn, and the one named that is most like it is kms:Sign" in result.output
    assert "no document names" not in run("who-can", "kms:Sign", APPROVERS_KEY, "--world", file).output
    assert "no document names" in run("explain", "auditor-1", "foo:Bar", "*", "--world", file).output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["prove", "--world", "nothing.json"], "--world: nothing.json: No such file"),
        (["prove", "--world", "a", "--plan", "b"], "received --plan and --world; accepted is one of them"),
        (["who-can", "Sign", "*", "--world", "FILE"], "ACTION: received 'Sign'; accepted is one action"),
        (["who-can", "kms:S?gn", "*", "--world", "FILE"], "ACTION: received 'kms:S?gn'; accepted is one action"),
        (["who-can", "kms:Sign", "key", "--world", "FILE"], "RESOURCE: received 'key'; accepted is an ARN"),
        (["explain", "nobody", "kms:Sign", "*", "--world", "FILE"], "received 'nobody'; accepted is one of approver-1"),
        (
            ["prove", "--plan", "FILE"],
            "--plan: FILE: received a document without steps; accepted is what `pulumi preview",
        ),
        (["prove", "--world", "FILE", "--organization", "FILE"], "accepted is what `terraform output -json`"),
        (["prove", "--world", "."], "--world: .: Is a directory"),
        (
            ["explain", "", "kms:Sign", "*", "--world", "FILE"],
            "PERSON|ROLE: received ''; accepted is one of approver-1",
        ),
        (
            ["diff", "foo:x", "world:FILE"],
            "A: received 'foo:x'; accepted is a stack, pulumi:STACK, plan:",
        ),
        (["diff", "world:", "world:FILE"], "A: received 'world:'; accepted is a stack"),
        (["diff", "world:FILE", "world:nothing.json"], "B: nothing.json: No such file"),
        (["diff", "world:FILE", "plan:FILE"], "B: plan:FILE: received a document without steps; accepted is"),
        (["diff", "world:FILE", "world:."], "B: .: Is a directory"),
        (["prove", "--world", "FILE", "--administrator", "a"], "--administrator: accepted beside --live only"),
        (
            ["prove", "--live", "local", "--administrator", "somebody"],
            "--administrator: received 'somebody'; accepted is the ARN of a role or user in one",
        ),
        (
            ["prove", "--live", "local", "--administrator", "arn:aws:iam::123456789012:root"],
            "or that of a role, a user or the root of another account",
        ),
        (
            [
                "prove",
                "--live",
                "local",
                "--administrator",
                "arn:aws:iam::123456789012:role/interlock/duties/interlock-local-platform",
            ],
            "and none of the stack's own roles",
        ),
        (["prove", "--world", "FILE", "--reader", "arn:aws:iam::1:role/a"], "--reader: accepted beside --live only"),
        (
            ["prove", "--live", "local", "--reader", "arn:aws:iam::999999999999:role/audit"],
            "accepted is the ARN of a role in one of the stack's accounts, 123456789012, 210987654321, 321098765432",
        ),
    ],
)
def test_a_mistake_is_one_message(arguments: list[str], told: str, file: Path) -> None:
    result = run(*(one.replace("FILE", str(file)) for one in arguments))
    assert result.exit_code == 2
    assert told.replace("FILE", str(file)) in result.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no world of schema version 1"),
        ("[" * 100_000, "is no world of schema version 1"),
        ('{"accounts": []}', "accounts: received none; accepted is at least one"),
        (
            '{"accounts": [{"id": "111122223333"}], "principals": [{"arn": "arn:aws:iam::444455556666:role/a"}]}',
            "arn:aws:iam::444455556666:role/a lies in none of the accounts; accepted are 111122223333",
        ),
        (
            '{"accounts": [{"id": "111122223333"}], "people": [{"name": "a", "ways": [{"kind": "user",'
            ' "principal": "somebody"}]}]}',
            "people.0.ways.0.principal: received 'somebody'",
        ),
    ],
)
def test_what_is_no_world_is_one_message_that_names_the_field(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(text)
    result = run("prove", "--world", path)
    assert (result.exit_code, told in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"steps": [{"urn": "x", "op": "create", "newState": {}}]}',
     '{"steps": [{"urn": "urn:pulumi:a::b::c::d", "op": "create", "newState": {"inputs": 3}}]}'],
)  # fmt: skip
def test_what_is_no_preview_is_one_message(text: str, tmp_path: Path) -> None:
    path = tmp_path / "preview.json"
    path.write_text(text)
    result = run("prove", "--plan", path)
    assert result.exit_code == 2
    assert "accepted is" in result.output
    assert f"--plan: {path}" in result.output


def test_the_organisation_s_policies_of_a_file_are_in_the_proof_and_else_said_to_be_missing(
    file: Path, tmp_path: Path
) -> None:
    given = tmp_path / "guardrails.json"
    given.write_text(json.dumps({"documents": {"value": guardrails(["vault-primary", "vault-recovery"])}}))
    with_them = run("prove", "--world", file, "--organization", given, "--output", "json")
    assert with_them.exit_code == 0, with_them.output
    proved = json.loads(with_them.output)
    assert [name for name in proved["documents"] if name.endswith(" trail")] != []
    without = json.loads(run("prove", "--world", file, "--output", "json").output)
    for certificate, missing in ((proved, False), (without, True)):
        said = [one["what"] for one in certificate["assumptions"]]
        assert any(one.startswith("Not read: policies of the organization") for one in said) is missing


def test_an_interrupt_ends_a_proof_with_one_line_and_its_own_exit_code(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("interlock.cli.duties.prove", interrupted)
    result = run("prove", "--world", file)
    assert (result.exit_code, result.output) == (130, "interrupted: nothing was concluded\n")
