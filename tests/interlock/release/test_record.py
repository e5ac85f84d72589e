from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.release.envelope import payload_digest, seal
from interlock.release.pinning import ModelSource, pin
from interlock.release.predicates import Predicate
from interlock.release.record import Record, envelope_key, gather
from interlock.release.statement import Statement, statement_about
from interlock.release.verification.reason import ReasonCode
from tests.interlock.release.memory import LocalSigner, MemoryVault

SOURCE = ModelSource("mlflow", "credit", "1", "m-0123", "run-1")


class Bench:
    """A pinned release with one approval, and the keys of both."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "MLmodel").write_text("flavors: {}\n")
        self.vault, self.builder, self.approver = MemoryVault(), LocalSigner("builder"), LocalSigner("approver-1")
        self.digest = pin(folder, SOURCE, writer=self.vault, reader=self.vault, signer=self.builder).digest
        self.approval = self.write(Predicate.APPROVAL, {"person": "approver-1"}, self.approver)

    def write(self, kind: Predicate, predicate: dict[str, object], signer: LocalSigner, about: str = "") -> str:
        envelope = seal(statement_about(about or self.digest, kind, predicate), signer)
        key = envelope_key(kind, self.digest, payload_digest(envelope.content))
        self.vault.add_version(key, envelope.content)
        return key

    def record(self) -> Record:
        return gather(self.vault, self.digest, {one.key_id: one.public_key for one in (self.builder, self.approver)})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "model")


def test_a_record_holds_every_statement_with_the_names_of_its_signers(bench: Bench) -> None:
    record = bench.record()
    assert record.problems == ()
    assert [(one.signers, one.predicate_type) for one in record.pins] == [(frozenset({"builder"}), Predicate.PIN.value)]
    assert [(one.key, one.signers) for one in record.acts] == [(bench.approval, frozenset({"approver-1"}))]
    assert record.manifest is not None
    assert record.manifest.subject_digest == bench.digest


def test_the_same_approval_of_another_release_is_not_part_of_the_record(bench: Bench) -> None:
    key = bench.write(Predicate.APPROVAL, {"person": "approver-1"}, bench.approver, about="0" * 64)
    assert [(one.code, one.where) for one in bench.record().problems] == [
        (ReasonCode.STATEMENT_OF_ANOTHER_RELEASE, key)
    ]


def edit(bench: Bench) -> None:
    version, content = bench.vault.objects[bench.approval][0]
    document = json.loads(content)
    statement = Statement.model_validate_json(_decoded(document["payload"]))
    other = statement.model_copy(update={"predicate": {"person": "approver-2"}})
    document["payload"] = _encoded(other.content)
    bench.vault.objects[bench.approval] = [(version, json.dumps(document).encode())]


def rename(bench: Bench) -> None:
    folder = bench.approval.rpartition("/")[0]
    bench.vault.objects[f"{folder}/{'0' * 64}.dsse.json"] = bench.vault.objects.pop(bench.approval)


def move_among_the_builders(bench: Bench) -> None:
    name = bench.approval.rpartition("/")[2]
    key = f"releases/{bench.digest}/statements/{name}"
    bench.vault.objects[key] = bench.vault.objects.pop(bench.approval)


def cut(bench: Bench) -> None:
    version, content = bench.vault.objects[bench.approval][0]
    bench.vault.objects[bench.approval] = [(version, content[:-20])]


def break_the_signature(bench: Bench) -> None:
    version, content = bench.vault.objects[bench.approval][0]
    document = json.loads(content)
    raw = bytearray(_raw(document["signatures"][0]["sig"]))
    raw[-1] ^= 1
    document["signatures"][0]["sig"] = _encoded(bytes(raw))
    bench.vault.objects[bench.approval] = [(version, json.dumps(document).encode())]


def sign_by_a_stranger(bench: Bench) -> None:
    bench.write(Predicate.APPROVAL, {"person": "approver-3"}, LocalSigner("approver-1"))


def invent_a_kind(bench: Bench) -> None:
    envelope = seal(statement_about(bench.digest, "urn:example:blessing", {}), bench.approver).content
    bench.vault.add_version(f"approvals/{bench.digest}/{payload_digest(envelope)}.dsse.json", envelope)


def put_a_note_beside(bench: Bench) -> None:
    bench.vault.add_version(f"approvals/{bench.digest}/note.txt", b"approved!")


def put_a_folder_beside(bench: Bench) -> None:
    bench.vault.objects[f"approvals/{bench.digest}/more/{'0' * 64}.dsse.json"] = [("v", b"{}")]


def overwrite(bench: Bench) -> None:
    bench.vault.add_version(bench.approval, b"{}")


def hide(bench: Bench) -> None:
    bench.vault.markers.add(bench.approval)


def _raw(text: str) -> bytes:
    return base64.b64decode(text)


def _decoded(text: str) -> str:
    return _raw(text).decode()


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (edit, ReasonCode.STATEMENT_ALTERED),
        (rename, ReasonCode.STATEMENT_MISNAMED),
        (move_among_the_builders, ReasonCode.STATEMENT_MISPLACED),
        (cut, ReasonCode.STATEMENT_MALFORMED),
        (break_the_signature, ReasonCode.KEY_UNKNOWN),
        (sign_by_a_stranger, ReasonCode.KEY_UNKNOWN),
        (invent_a_kind, ReasonCode.STATEMENT_OF_UNKNOWN_KIND),
        (put_a_note_beside, ReasonCode.OBJECT_ADDED),
        (put_a_folder_beside, ReasonCode.OBJECT_ADDED),
        (overwrite, ReasonCode.OBJECT_OVERWRITTEN),
        (hide, ReasonCode.OBJECT_HIDDEN),
    ],
)
def test_what_was_done_to_a_statement_is_a_problem_of_its_own(
    bench: Bench, attack: Callable[[Bench], None], code: ReasonCode
) -> None:
    attack(bench)
    assert [one.code for one in bench.record().problems] == [code]
