"""Which Terraform is taken, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.terraform_cli import NAME_OF_VARIABLE, pinned_versions, terraform_cli


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(NAME_OF_VARIABLE, raising=False)
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("name", "says"),
    [("terraform", "Terraform v1.10.0"), ("terraform", "Terraform v1.13.1"), ("tofu", "OpenTofu v1.10.6")],
)
def test_one_on_path_that_is_new_enough_is_used(folder: Path, name: str, says: str) -> None:
    executable = program(folder / name, says)

    assert terraform_cli(Progress()) == executable


def test_an_old_terraform_gives_way_to_a_tofu_beside_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(folder / "terraform", "Terraform v1.9.8")
    tofu = program(folder / "tofu", "OpenTofu v1.11.0")

    assert terraform_cli(Progress()) == tofu
    assert "terraform is version 1.9.8; 1.10.0 or newer is needed" in capsys.readouterr().err


def test_the_one_that_is_named_is_used_and_no_other_in_its_stead(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(folder / "terraform", "Terraform v1.11.4")
    named = program(tmp_path / "mine", "Terraform v1.12.0")
    monkeypatch.setenv(NAME_OF_VARIABLE, str(named))
    assert terraform_cli(Progress()) == named

    program(named, "Terraform v1.5.7")
    with pytest.raises(SetupError, match=r"names no usable Terraform: .*mine is version 1\.5\.7"):
        terraform_cli(Progress())


def test_where_there_is_none_the_message_lists_where_it_was_looked_for_and_the_ways_to_supply_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(folder / "terraform", "nothing of a version")
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(SetupError) as refusal:
        terraform_cli(Progress())

    said = str(refusal.value)
    for part in (
        f"{NAME_OF_VARIABLE}: not set",
        f"{folder / 'terraform'} is unable to say its version",
        "opentofu-1.10.6: does not exist",
        "There is no Go on PATH",
        "terraform or tofu on PATH; version 1.10.0 or newer",
        "GOPROXY",
    ):
        assert part in said


def test_a_go_mod_without_a_version_is_no_pin() -> None:
    with pytest.raises(ValueError, match="opentofu"):
        pinned_versions("module interlock.local/opentofu\n\ngo 1.24.6\n")
