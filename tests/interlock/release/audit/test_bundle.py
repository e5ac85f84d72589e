from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from interlock.release.audit import verify
from interlock.release.predicates import Predicate
from interlock.release.verification.reason import ReasonCode
from interlock.release.verification.stored import verify_release
from tests.interlock.release.audit.world import (
    DAY,
    HOUR,
    SIGNERS,
    MemoryBundle,
    World,
    agreed,
    judged,
    released,
    unpacked,
)

RELEASED = released()
SECOND = "eu-central-1-2"


def report(world: World, **options: bool) -> verify.Report:
    return verify.Verifier(MemoryBundle(world.bundle(**options)), world.root.fingerprint).verify()


def run(bundle: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Isolated, with nothing of ours or of site-packages to import.
    command = [sys.executable, "-I", "-S", str(verify.__file__), str(bundle), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": os.defpath})


def test_a_record_that_holds_is_accepted_by_the_program_alone_from_zip_and_folder(tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(RELEASED.archive())
    folder = unpacked(RELEASED.bundle(), tmp_path / "folder")
    for bundle in (archive, folder):
        done = run(bundle, "--root", RELEASED.root.fingerprint)
        assert (done.returncode, done.stderr) == (0, "")
        assert "the record holds" in done.stdout
        assert "approval by approver-2" in done.stdout


def test_the_same_state_of_the_vault_gives_the_same_bytes() -> None:
    assert RELEASED.archive() == RELEASED.copy().archive()


def test_bad_input_ends_with_two_and_one_message(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.zip"
    nothing.write_bytes(b"no archive")
    for bundle, root in ((nothing, "ab" * 32), (tmp_path / "missing", "ab" * 32), (tmp_path, "xyz")):
        done = run(bundle, "--root", root)
        assert done.returncode == 2
        assert done.stderr.startswith("bad input: ")
        assert done.stderr.count("\n") == 1


def test_another_root_s_fingerprint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(RELEASED.archive())
    done = run(tmp_path / "bundle.zip", "--root", "ab" * 32, "--json")
    assert done.returncode == 1
    assert '"root-refused"' in done.stdout


def test_without_the_files_bytes_the_record_still_holds_and_says_that_they_are_unknown(tmp_path: Path) -> None:
    found = report(RELEASED, with_files=False)
    assert found.reasons == []
    assert any("the bytes of 3 of 3 files" in one for one in found.unknown)


def test_a_copy_of_the_files_is_held_against_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(RELEASED.archive())
    copy = unpacked(RELEASED.files, tmp_path / "copy")
    right = verify.verify(tmp_path / "bundle.zip", RELEASED.root.fingerprint, files=copy)
    assert right.reasons == []
    (copy / "MLmodel").write_bytes(b"other")
    (copy / "more").write_bytes(b"")
    wrong = verify.verify(tmp_path / "bundle.zip", RELEASED.root.fingerprint, files=copy)
    assert {(one.code, one.where) for one in wrong.reasons} == {("object-altered", "MLmodel"), ("object-added", "more")}


def test_a_revoked_release_is_refused_though_its_admission_was_right() -> None:
    world = RELEASED.copy()
    world.act(Predicate.REVOCATION, "approver-3", "revoked_at")
    world.sequence()
    assert {one.code for one in report(world).reasons} == {"revoked"}
    assert ReasonCode.REVOKED in {one.code for one in world.verdict().reasons}


def test_what_was_said_against_it_two_minutes_after_its_admission_is_no_reason_against_that() -> None:
    world = RELEASED.copy()
    world.now += timedelta(minutes=2) - HOUR
    world.act(Predicate.REVOCATION, "approver-3", "revoked_at")
    world.sequence()
    assert [(one.code, one.where) for one in report(world).reasons] == [("revoked", "")]


def test_whoever_asks_for_the_bytes_alone_needs_the_builder_s_key_alone() -> None:
    keys = {"builder": SIGNERS["builder"].public_key}
    found = verify_release(RELEASED.digest, RELEASED.vault, keys)
    assert found.reasons == ()
    world = RELEASED.copy()
    world.measure("privacy", "0", "stranger", inputs="ab" * 32)
    assert [one.code for one in verify_release(world.digest, world.vault, keys).reasons] == [ReasonCode.KEY_UNKNOWN]


def test_approvals_that_expired_after_the_decision_are_no_reason_against_it() -> None:
    world = RELEASED.copy()
    world.now += 200 * DAY
    world.append([])
    found = report(world)
    assert found.reasons == []
    assert any("expired" in what for name, what in found.facts if name == "today")


def test_approvals_that_expired_before_the_decision_are() -> None:
    world = World()
    world.pin()
    for gate, value in (("performance", "0.81"), ("fairness", "0.86"), ("privacy", "0"), ("file-safety", "0")):
        world.measure(gate, value)
    world.sequence()
    for person in ("approver-1", "approver-2"):
        world.approve(person, expires_at=world.now + HOUR)
    world.sequence()
    world.now += timedelta(hours=5)
    world.decide()
    world.sequence()
    assert {one.code for one in report(world).reasons} == {"approval-missing", "approval-expired"}


def test_a_decision_that_dates_itself_back_is_judged_when_the_ledger_saw_it() -> None:
    world = agreed()
    world.act(Predicate.REVOCATION, "approver-3", "revoked_at")
    world.sequence()
    now = world.now
    world.now = now - 3 * DAY
    world.decide()
    world.now = now
    world.sequence()
    assert {(one.code, one.where.split("/")[0]) for one in report(world).reasons} == {
        ("revoked", ""),
        ("revoked", "decisions"),
        ("statement-backdated", "decisions"),
    }


def test_a_checkpoint_that_the_auditor_kept_refuses_a_log_that_was_cut() -> None:
    longer = RELEASED.copy()
    longer.append([])
    longer.measure("privacy", "0", inputs="ab" * 32)
    longer.sequence()
    keys = sorted(key for key in longer.vault.objects if key.startswith("ledger/") and "/checkpoints/" in key)
    kept = verify.read_checkpoint(longer.vault.read(keys[-1], longer.version(keys[-1])))
    assert judged(RELEASED.bundle(), RELEASED.root.fingerprint, known=[kept]) == {"ledger-stale"}
    assert judged(longer.bundle(), longer.root.fingerprint, known=[kept]) == set()


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a\\b", "C:/x", "a//b", "a/./b", "a\nb"])
def test_an_archive_with_an_unsafe_name_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(RELEASED.archive())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    assert {one.code for one in verify.verify(path, RELEASED.root.fingerprint).reasons} == {"object-added"}


def test_an_archive_with_a_link_or_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(RELEASED.archive())
    link = zipfile.ZipInfo("vault/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, b"/etc/passwd")
    assert {one.code for one in verify.verify(path, RELEASED.root.fingerprint).reasons} == {"not-a-regular-file"}
    path.write_bytes(RELEASED.archive())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("verify.py", b"x")
    assert {one.code for one in verify.verify(path, RELEASED.root.fingerprint).reasons} == {"object-added"}


def test_every_reason_of_the_program_has_a_code_of_the_library() -> None:
    source = Path(verify.__file__).read_text()
    known = {code.value for code in ReasonCode}
    used = {
        one
        for one in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)
        if one.split("-")[0] in {code.split("-")[0] for code in known} and one != "not-in-ledger-yet"
    }
    assert used - known == set()
