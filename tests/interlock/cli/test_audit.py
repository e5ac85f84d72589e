"""`interlock passport` and `interlock audit export` over a vault in memory."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.cli import audit, model_signing, passport
from interlock.cli.main import app
from interlock.release.audit import verify
from tests.interlock.release.audit.world import SIGNERS, World, released
from tests.interlock.release.memory import MemoryVault


@dataclass
class Reader:
    """The vault of a world, as the adapter for S3 reads one."""

    vault: MemoryVault

    def __getattr__(self, name: str) -> Any:
        return getattr(self.vault, name)

    def download(self, key: str, version_id: str, file: Path) -> None:
        file.write_bytes(self.vault.read(key, version_id))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = released()
    clients = SimpleNamespace(vault_reader=Reader(made.vault), manifest=SimpleNamespace(environment="prod"))
    for module in (audit, passport):
        monkeypatch.setattr(module, "load_clients", lambda _: clients)
    monkeypatch.setenv("INTERLOCK_ROOT_FINGERPRINT", made.root.fingerprint)
    monkeypatch.setenv("COLUMNS", "160")
    return made


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_an_exported_bundle_is_accepted_and_exporting_again_changes_nothing(world: World, tmp_path: Path) -> None:
    to = tmp_path / "bundle.zip"
    code, said = run("audit", "export", world.digest, "--to", str(to), "--with-files")
    assert (code, said.split()[0]) == (0, "exported")
    assert "the record holds" in said
    before = to.stat().st_mtime_ns, to.read_bytes()
    code, said = run("audit", "export", world.digest, "--to", str(to), "--with-files")
    assert (code, said.startswith("is there already")) == (0, True)
    assert (to.stat().st_mtime_ns, to.read_bytes()) == before
    assert verify.verify(to, world.root.fingerprint).reasons == []
    with zipfile.ZipFile(to) as archive:
        assert archive.read("verify.py") == Path(verify.__file__).read_bytes()
        assert b"<h1>loans/3" in archive.read("passport.html")


def test_a_file_that_holds_something_else_is_not_overwritten(world: World, tmp_path: Path) -> None:
    to = tmp_path / "thesis.zip"
    to.write_bytes(b"years of work")
    code, said = run("audit", "export", world.digest, "--to", str(to))
    assert code == 1
    assert "is there already and holds something else" in said
    assert to.read_bytes() == b"years of work"
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.zip"]


def test_what_is_wrong_with_a_record_is_told_and_exported_all_the_same(world: World, tmp_path: Path) -> None:
    key = next(key for key in world.vault.objects if key.startswith("approvals/"))
    world.vault.add_version(key, b"{}")
    code, said = run("audit", "export", world.digest, "--to", str(tmp_path / "b.zip"), "--output", "json")
    document = json.loads(said)
    assert (code, document["holds"]) == (0, False)
    assert "object-overwritten" in {one["code"] for one in document["reasons"]}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("audit", "export", "xyz", "--to", "b.zip"), 2, "accepted are 64 hexadecimal digits"),
        (("audit", "export", "ab" * 32, "--to", "b.zip"), 1, "the vault holds no release"),
        (("audit", "export", "DIGEST", "--to", "/no/such/folder/b.zip"), 2, "--to: /no/such/folder/b.zip"),
        (("audit", "export", "DIGEST", "--to", "b.zip", "--fingerprint", "ab" * 32), 1, "not to be believed"),
        (("passport", "DIGEST", "--champion", "ab" * 32), 2, "--champion: received"),
        (("passport", "xyz"), 2, "accepted are 64 hexadecimal digits"),
    ],
)
def test_a_mistake_is_told_in_one_message(
    world: World, arguments: tuple[str, ...], code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [world.digest if one == "DIGEST" else one for one in arguments]
    found, said = run(*given)
    assert found == code
    assert says in said


def test_the_passport_is_shown_and_written_as_a_page(world: World, tmp_path: Path) -> None:
    page = tmp_path / "passport.html"
    code, said = run("passport", world.digest, "--html", str(page))
    assert code == 0
    assert said.splitlines()[0].startswith("loans/3 for prod")
    assert page.read_text().startswith("<!doctype html>")
    code, said = run("passport", world.digest, "--output", "json")
    assert {one["gate"] for one in json.loads(said)["gates"]} == {"performance", "fairness", "privacy", "file-safety"}


def test_a_model_is_signed_once_for_those_who_check_with_another_tool(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = SIGNERS["builder"]
    signer = SimpleNamespace(sign=builder.sign, key_id=builder.key_id, public_key=lambda: builder.public_key)
    clients = SimpleNamespace(
        vault_reader=world.vault, public_keys=lambda _: {"builder": builder.public_key}, signer=lambda _: signer
    )
    monkeypatch.setattr(model_signing, "load_clients", lambda _: clients)
    to = tmp_path / "model.sig"
    code, said = run("release", "sign-model", world.digest, "--to", str(to))
    assert (code, said.startswith("signed 3 files")) == (0, True)
    before = to.read_bytes()
    code, said = run("release", "sign-model", world.digest, "--to", str(to))
    assert (code, said.startswith("is signed already")) == (0, True)
    assert to.read_bytes() == before
    other = tmp_path / "other"
    other.write_text("mine")
    assert run("release", "sign-model", world.digest, "--to", str(other))[0] == 1
    assert other.read_text() == "mine"
