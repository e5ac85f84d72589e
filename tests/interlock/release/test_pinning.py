from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.pinning import PIN_PREDICATE, ModelSource, Pin, pin
from interlock.release.statement import statement_about
from interlock.release.vault import Overwritten, files_prefix, manifest_key, statement_key
from interlock.release.verification.reason import ReasonCode
from interlock.release.verification.stored import Verification, verify_release
from tests.interlock.release.memory import LocalSigner, MemoryVault

SOURCE = ModelSource("mlflow", "credit", "1", "m-0123", "run-1")


class Bench:
    """A model folder, a vault and a builder's key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vault = MemoryVault()
        self.builder = LocalSigner()
        (folder / "data").mkdir(parents=True)
        (folder / "MLmodel").write_text("flavors: {}\n")
        (folder / "data" / "model.bin").write_bytes(b"weights")

    def pin(self, source: ModelSource = SOURCE) -> Pin:
        return pin(self.folder, source, writer=self.vault, reader=self.vault, signer=self.builder)

    def reasons(self, digest: str) -> tuple[str, ...]:
        return tuple(map(str, self.verification(digest).reasons))

    def verification(self, digest: str) -> Verification:
        return verify_release(digest, self.vault, {"builder": self.builder.public_key})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "model")


def test_a_pinned_release_verifies_with_the_builders_public_key(bench: Bench) -> None:
    digest = bench.pin().digest
    result = verify_release(digest, bench.vault, {"builder": bench.builder.public_key})
    assert result.verifies, result.reasons
    assert [(one.statement.predicate_type, one.signers) for one in result.statements] == [
        (PIN_PREDICATE, frozenset({"builder"}))
    ]
    assert result.locked_until == bench.vault.until


def test_pinning_again_changes_nothing_and_signs_nothing(bench: Bench) -> None:
    first = bench.pin()
    objects = {key: list(versions) for key, versions in bench.vault.objects.items()}
    assert bench.pin() == first
    assert bench.vault.objects == objects
    assert bench.builder.signatures == 1


def test_the_same_bytes_from_another_version_are_the_same_release(bench: Bench) -> None:
    first = bench.pin()
    second = bench.pin(ModelSource("mlflow", "credit", "2", "m-4567", "run-2"))
    assert second.digest == first.digest
    assert second.statement != first.statement
    assert bench.reasons(first.digest) == ()


@pytest.mark.parametrize("writes", range(4))
def test_pinning_is_completed_by_another_run_wherever_it_was_broken_off(bench: Bench, writes: int) -> None:
    bench.vault.writes_left = writes
    with pytest.raises(ConnectionError):
        bench.pin()
    bench.vault.writes_left = 100
    digest = bench.pin().digest
    assert bench.reasons(digest) == ()
    assert len(bench.vault.objects) == 4


def test_other_bytes_under_a_releases_name_stop_the_pinning(bench: Bench) -> None:
    digest = bench.pin().digest
    bench.vault.objects[files_prefix(digest) + "MLmodel"] = [("v", b"something else")]
    with pytest.raises(Overwritten):
        bench.pin()


def overwrite(vault: MemoryVault, digest: str) -> None:
    vault.add_version(files_prefix(digest) + "MLmodel", b"evil")


def exchange(vault: MemoryVault, digest: str) -> None:
    key = files_prefix(digest) + "MLmodel"
    vault.objects[key] = [(vault.objects[key][0][0], b"evil")]


def hide(vault: MemoryVault, digest: str) -> None:
    vault.markers.add(files_prefix(digest) + "MLmodel")


def add(vault: MemoryVault, digest: str) -> None:
    vault.add_version(files_prefix(digest) + "data/evil.py", b"evil")


def add_beside(vault: MemoryVault, digest: str) -> None:
    vault.add_version(f"releases/{digest}/note", b"evil")


def remove(vault: MemoryVault, digest: str) -> None:
    del vault.objects[files_prefix(digest) + "MLmodel"]


def replace_by_another_version(vault: MemoryVault, digest: str) -> None:
    key = files_prefix(digest) + "MLmodel"
    vault.objects[key] = [("another", vault.objects[key][0][1])]


def edit_the_manifest(vault: MemoryVault, digest: str) -> None:
    key = manifest_key(digest)
    document = json.loads(vault.objects[key][0][1])
    document["files"].pop()
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    vault.objects[key] = [(vault.objects[key][0][0], content)]


def remove_the_manifest(vault: MemoryVault, digest: str) -> None:
    del vault.objects[manifest_key(digest)]


def remove_the_statement(vault: MemoryVault, digest: str) -> None:
    for key in [key for key in vault.objects if "/statements/" in key]:
        del vault.objects[key]


def rename_the_statement(vault: MemoryVault, digest: str) -> None:
    for key in [key for key in vault.objects if "/statements/" in key]:
        vault.objects[statement_key(digest, "0" * 64)] = vault.objects.pop(key)


def forge_a_statement(vault: MemoryVault, digest: str) -> None:
    statement = statement_about(digest, PIN_PREDICATE, {})
    key = statement_key(digest, sha256(statement.content).hex())
    vault.add_version(key, seal(statement, LocalSigner("builder")).content)


def unlock(vault: MemoryVault, digest: str) -> None:
    vault.until = None


def weaken_the_lock(vault: MemoryVault, digest: str) -> None:
    vault.mode = "GOVERNANCE"


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (overwrite, ReasonCode.OBJECT_OVERWRITTEN),
        (exchange, ReasonCode.OBJECT_ALTERED),
        (hide, ReasonCode.OBJECT_HIDDEN),
        (add, ReasonCode.OBJECT_ADDED),
        (add_beside, ReasonCode.OBJECT_ADDED),
        (remove, ReasonCode.OBJECT_MISSING),
        (replace_by_another_version, ReasonCode.PIN_NAMES_OTHER_OBJECTS),
        (edit_the_manifest, ReasonCode.MANIFEST_OF_ANOTHER_RELEASE),
        (remove_the_manifest, ReasonCode.MANIFEST_MISSING),
        (remove_the_statement, ReasonCode.NOT_PINNED),
        (rename_the_statement, ReasonCode.STATEMENT_MISNAMED),
        (forge_a_statement, ReasonCode.KEY_UNKNOWN),
        (unlock, ReasonCode.NOT_LOCKED),
        (weaken_the_lock, ReasonCode.LOCK_TOO_WEAK),
    ],
)
def test_tampering_is_a_reason_of_its_own(
    bench: Bench, attack: Callable[[MemoryVault, str], None], code: ReasonCode
) -> None:
    digest = bench.pin().digest
    attack(bench.vault, digest)
    assert code in [one.code for one in bench.verification(digest).reasons], bench.reasons(digest)


def test_a_release_that_was_never_pinned_does_not_verify(bench: Bench) -> None:
    assert bench.reasons("0" * 64) == (f"the vault holds nothing under releases/{'0' * 64}/",)
