"""`interlock verify`, `approve`, `reject`, `withdraw`, `revoke` and `retire` over a release in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.cli import acts, verify
from interlock.cli.main import app
from interlock.release import acting
from interlock.release.record import Record, gather
from tests.interlock.cli.acting import READING_AT, Desk, Killed
from tests.interlock.release.trust.people import DAY, NOW
from tests.interlock.release.verification.world import HOUR, World

SAID = ("--ticket", "CHG-7", "--reason", "reads well")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    sit(desk, monkeypatch)
    return desk


def sit(desk: Desk, monkeypatch: pytest.MonkeyPatch, at: datetime = READING_AT) -> None:
    """Let commands work on what lies on `desk`, at a time; the ledger is always fresh."""
    for module in (acts, verify):
        monkeypatch.setattr(module, "load_clients", lambda _: desk.clients)
        monkeypatch.setattr(module, "_now", lambda: at)
    monkeypatch.setattr("interlock.admission.read_logs", lambda *_: ([desk.world.view(at)], []))
    monkeypatch.setenv("INTERLOCK_ROOT_FINGERPRINT", desk.world.roots[0].fingerprint)
    monkeypatch.setenv("COLUMNS", "160")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, Killed):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def document(*arguments: str) -> tuple[int, Any]:
    code, said = run(*arguments, "--output", "json")
    return code, json.loads(said)


def test_two_people_approve_what_they_read_and_the_release_verifies(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, answer = document("verify", desk.world.digest)
    assert (code, {one["code"] for one in answer["codes"]}) == (1, {"approval-missing"})
    code, said = run("approve", desk.world.digest, *SAID, "--yes")
    assert code == 0, said
    assert "disparate impact" in said.lower()
    desk.person = "approver-2"
    code, answer = document("approve", desk.world.digest, *SAID, "--yes")
    assert (code, answer["person"], answer["written"]) == (0, "approver-2", True)
    desk.world.sequence(NOW + 3 * HOUR)
    sit(desk, monkeypatch, NOW + 4 * HOUR)
    code, answer = document("verify", desk.world.digest)
    assert code == 0, answer
    assert [one["person"] for one in answer["approvals"]] == ["approver-1", "approver-2"]
    code, answer = document("verify", desk.world.digest, "--profile", "load")
    assert (code, {one["code"] for one in answer["codes"]}) == (1, {"not-admitted"}), "no deployer has admitted it yet"
    desk.world.decide(desk.world.admit(NOW + 4 * HOUR))
    assert document("verify", desk.world.digest, "--profile", "load")[0] == 0


def test_approving_locks_everything_for_as_long_as_the_tier_keeps_it(desk: Desk) -> None:
    code, answer = document("approve", desk.world.digest, *SAID, "--yes")
    assert (code, answer["locked_until"]) == (0, (READING_AT + 365 * DAY).isoformat())
    kept = {key for key in desk.vault.objects if not key.startswith("trust/")}
    assert set(desk.vault.locks) == kept
    assert set(desk.vault.locks.values()) == {READING_AT + 365 * DAY}


def test_saying_the_same_again_writes_nothing(desk: Desk) -> None:
    for command in (("approve", "--yes"), ("reject",), ("revoke", "--yes"), ("retire",)):
        first = document(command[0], desk.world.digest, *SAID, *command[1:])
        before = list(desk.statements)
        again = document(command[0], desk.world.digest, *SAID, *command[1:])
        if command[0] == "approve":
            desk.world.sequence(NOW + 3 * HOUR)
        assert (first[0], first[1]["written"], again[0], again[1]["written"]) == (0, True, 0, False), command
        assert desk.statements == before


@pytest.mark.parametrize(
    ("act", "stated"),
    [
        ("reject", "rejected_at"),
        ("withdraw", "withdrawn_at"),
        ("revoke", "revoked_at"),
        ("retire", "retired_at"),
        ("approve", "approved_at"),
    ],
)
def test_what_somebody_says_is_dated_when_they_sign_it_however_long_they_read(
    monkeypatch: pytest.MonkeyPatch, act: str, stated: str
) -> None:
    desk = prepared(act)
    sit(desk, monkeypatch)
    clock = [READING_AT]
    monkeypatch.setattr(acts, "_now", lambda: clock[-1])
    gathered = "interlock.admission.gather" if act == "approve" else "interlock.approving.gather"

    def slowly(*given: Any) -> Record:
        clock.append(READING_AT + HOUR)
        return gather(*given)

    monkeypatch.setattr(gathered, slowly)
    code, answer = document(act, desk.world.digest, *SAID, *ACTS[act])
    assert code == 0, answer
    said = next(one for one in desk.world.record().acts if one.key == answer["statement"]).statement.predicate
    assert datetime.fromisoformat(said[stated]) == READING_AT + HOUR


def test_what_was_taken_back_can_be_said_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, approved = document("approve", desk.world.digest, *SAID, "--yes")
    code, back = document("withdraw", desk.world.digest, *SAID)
    assert (code, back["written"]) == (0, True)
    assert document("withdraw", desk.world.digest, *SAID)[1]["payload"] == back["payload"]
    sit(desk, monkeypatch, READING_AT + HOUR)
    code, anew = document("approve", desk.world.digest, *SAID, "--yes")
    assert (code, anew["written"]) == (0, True)
    assert anew["payload"] != approved["payload"]


def test_an_approval_that_the_ledger_saw_too_late_is_given_again_in_the_same_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, late = document("approve", desk.world.digest, *SAID, "--yes")
    desk.world.sequence(READING_AT + 30 * HOUR)
    sit(desk, monkeypatch, READING_AT + 31 * HOUR)
    code, anew = document("approve", desk.world.digest, *SAID, "--yes")
    assert (code, anew["written"]) == (0, True), anew
    assert anew["payload"] != late["payload"]
    assert document("approve", desk.world.digest, *SAID, "--yes")[1]["written"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--ticket", "chg-7", "--reason", "x", "--yes"), 2, "--ticket: received 'chg-7'"),
        (("--ticket", "CHG-7", "--reason", " ", "--yes"), 2, "--reason: received"),
        (("--ticket", "CHG-7", "--reason", "\udcff", "--yes"), 2, "which is no UTF-8"),
        ((*SAID, "--yes", "--root", "x" * 300), 2, "accepted is a folder with the root's versions"),
        (("--ticket", "CHG-7", "--reason", "x" * 2001, "--yes"), 2, "--reason: received 2001 characters"),
        ((*SAID, "--yes", "--days", "31"), 2, "at most the tier's 30"),
        ((*SAID, "--yes", "--days", "0"), 2, "--days: received 0"),
        ((*SAID, "--yes", "--days", "nan"), 2, "--days: received nan"),
        ((*SAID, "--yes", "--days", "1e-12"), 2, "--days: received 1e-12"),
        (SAID, 2, "there is no terminal"),
        ((*SAID, "--yes", "--person", "creator-1"), 1, "creator-1 submitted the release"),
        ((*SAID, "--yes", "--person", "nobody"), 1, "nobody has no approver's key"),
        ((*SAID, "--yes", "--person", "stranger"), 1, "does not believe the key of stranger"),
        ((*SAID, "--yes", "--fingerprint", "0" * 64), 1, "the trust root is not to be believed"),
        ((*SAID, "--yes", "--fingerprint", "xyz"), 2, "--fingerprint: received 'xyz'"),
        ((*SAID, "--yes", "--environment", "elsewhere"), 1, "asked for prod"),
    ],
)
def test_what_makes_no_approval_is_refused_in_one_message_and_writes_nothing(
    desk: Desk, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    before = dict(desk.vault.objects)
    answer, said = run("approve", desk.world.digest, *arguments)
    assert (answer, complaint in said, "Traceback" in said) == (code, True, False), said
    assert (desk.vault.objects, desk.vault.puts) == (before, 0)


def test_without_a_fingerprint_nothing_is_believed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERLOCK_ROOT_FINGERPRINT")
    code, said = run("verify", desk.world.digest)
    assert (code, "--fingerprint: received none" in said) == (2, True)
    code, said = run("verify", "not-a-digest", "--fingerprint", "0" * 64)
    assert code in (1, 2)


def test_the_root_may_lie_in_a_folder_and_is_believed_for_its_fingerprint_alone(desk: Desk, tmp_path: Path) -> None:
    for key, versions in desk.vault.objects.items():
        if key.startswith("trust/"):
            path = tmp_path / key.removeprefix("trust/")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(versions[-1][1])
    for key in [key for key in desk.vault.objects if key.startswith("trust/")]:
        del desk.vault.objects[key]
    code, answer = document("verify", desk.world.digest, "--root", str(tmp_path))
    assert (code, {one["code"] for one in answer["codes"]}) == (1, {"approval-missing"})
    attackers = World()
    (tmp_path / "1.root.json").write_bytes(attackers.vault.objects["trust/1.root.json"][0][1].replace(b"A", b"B", 1))
    assert run("verify", desk.world.digest, "--root", str(tmp_path))[0] == 1


def test_a_release_that_could_not_verify_anyway_is_not_approved(desk: Desk) -> None:
    desk.world.show("fairness", value="0.5")
    desk.world.sequence(NOW + HOUR)
    code, said = run("approve", desk.world.digest, *SAID, "--yes")
    assert (code, "the gate fairness failed" in said) == (1, True)
    assert desk.vault.puts == 0


def kinds(desk: Desk) -> list[str]:
    """What lies where; of statements, whose times differ, how many."""
    return sorted(key.rpartition("/")[0] if key.endswith(".dsse.json") else key for key in desk.vault.objects)


def prepared(act: str) -> Desk:
    desk = Desk()
    if act == "withdraw":
        desk.world.approve("approver-1", at=READING_AT)
    return desk


ACTS: dict[str, tuple[str, ...]] = {
    "approve": ("--yes",),
    "reject": (),
    "withdraw": (),
    "revoke": ("--yes",),
    "retire": (),
}


def broken(act: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Kill an act before and after its writes, run it again, and return what is not as without.

    Of many writes, which are all of one kind after the first, some are taken by lot.
    """

    def perform(desk: Desk) -> tuple[int, str]:
        sit(desk, monkeypatch, READING_AT if desk.vault.left is not None else READING_AT + 10 * HOUR / 600)
        return run(act, desk.world.digest, *SAID, *ACTS[act])

    unbroken = prepared(act)
    assert perform(unbroken)[0] == 0
    wrong = []
    writes = range(1, unbroken.vault.puts + 1)
    for number in sorted({1, *Random(7).sample(writes, min(2, len(writes)))}):
        for arrives in (False, True):
            desk = prepared(act)
            desk.vault.left, desk.vault.arrives = number, arrives
            with pytest.raises(Killed):
                perform(desk)
            desk.vault.left = None
            code, said = perform(desk)
            if code != 0 or kinds(desk) != kinds(unbroken) or len(desk.vault.locks) != len(unbroken.vault.locks):
                wrong.append(f"killed {'after' if arrives else 'before'} write {number}: {said}")
    return wrong


@pytest.mark.parametrize("act", sorted(ACTS))
def test_an_act_that_was_killed_at_any_write_is_completed_by_running_it_again(
    act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert broken(act, monkeypatch) == []


@pytest.mark.parametrize("act", ["reject", "revoke"])
def test_an_act_that_writes_anew_each_time_is_caught_by_the_killing(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    never: Callable[..., None] = lambda *_, **__: None  # noqa: E731
    monkeypatch.setattr(acting, "standing_equal", never)
    assert broken(act, monkeypatch) != []
