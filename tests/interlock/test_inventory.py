"""The inventory is what the installed distributions say of themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from interlock.inventory import take_inventory
from interlock.release.gates.supply.inventory import Inventory

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def install(folder: Path, name: str, *lines: str, version: str = "1.0") -> None:
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines])
    )


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT OR Apache-2.0"], "MIT OR Apache-2.0"),
        (["License-Expression: MIT OR OR"], None),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["Classifier: License :: OSI Approved :: BSD License"], "LicenseRef-BSD"),
        (["Classifier: License :: OSI Approved"], None),
        (["Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: Other"], None),
        (["License: Apache 2.0"], "Apache-2.0"),
        (["License: MPL-2.0 AND MIT"], "MPL-2.0 AND MIT"),
        (["License: Copyright (c) somebody, all rights reserved"], None),
        ([], None),
    ],
)
def test_a_licence_is_what_can_be_read_as_one(tmp_path: Path, lines: list[str], licence: str | None) -> None:
    install(tmp_path, "Some.Thing", *lines)
    (one,) = take_inventory(NOW, [str(tmp_path)]).distributions
    assert (one.name, one.licence) == ("some-thing", licence)


def test_a_part_needs_what_its_environment_and_no_extra_asks_for(tmp_path: Path) -> None:
    lines = ["NumPy>=2", "never; python_version < '3'", "more; extra == 'all'", "not a requirement!"]
    install(tmp_path, "thing", *(f"Requires-Dist: {one}" for one in lines))
    (one,) = take_inventory(NOW, [str(tmp_path)]).distributions
    assert one.requires == ("numpy",)


def test_this_environment_is_listed_with_each_distribution_once() -> None:
    taken = take_inventory(NOW)
    assert len(taken.by_name) == len(taken.distributions)
    assert taken.by_name["pydantic"].licence == "MIT"
    assert "pydantic-core" in taken.by_name["pydantic"].requires


def test_the_command_writes_a_document_that_the_gate_reads(tmp_path: Path) -> None:
    install(tmp_path / "site", "thing", "License: MIT")
    run = ["release", "inventory", "--to", str(tmp_path / "inventory.json"), "--path", str(tmp_path / "site")]
    done = CliRunner().invoke(app, [*run, "--output", "json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["distributions"] == 1
    read = Inventory.model_validate_json((tmp_path / "inventory.json").read_bytes())
    assert [one.name for one in read.distributions] == ["thing"]


@pytest.mark.parametrize("wrong", [["--path", "/nowhere/at/all"], ["--to", "/nowhere/at/all/x.json"]])
def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path, wrong: list[str]) -> None:
    run = ["release", "inventory", "--to", str(tmp_path / "x.json"), *wrong]
    done = CliRunner().invoke(app, run)
    assert done.exit_code == 2
    assert "/nowhere/at/all" in done.output
