"""The modules by themselves: they are well formed, and `terraform test` holds what each says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rehearsal.infra import Infra

INFRA = Path(__file__).resolve().parents[2] / "infra"
MODULES = sorted(folder.parent.name for folder in INFRA.glob("*/versions.tf"))
NAMES = re.compile(r'^(variable|output) "(\w+)"', re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_the_modules_own_tests_pass(infra: Infra, module: str) -> None:
    root = infra.root(module)
    root.initialize("-backend=false")

    root.run("validate")
    said = root.run("test").stdout

    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", said, re.MULTILINE), said


def test_the_files_are_written_as_terraform_formats_them(infra: Infra) -> None:
    infra.root(".").run("fmt", "-check", "-diff", "-recursive")


@pytest.mark.parametrize("module", MODULES)
def test_a_modules_readme_tells_every_input_and_output_and_no_other(module: str) -> None:
    declared = {
        (kind, name)
        for file in (INFRA / module).glob("*.tf")
        for kind, name in NAMES.findall(file.read_text(encoding="utf-8"))
    }
    readme = (INFRA / module / "README.md").read_text(encoding="utf-8")
    inputs, _, outputs = readme.partition("## Outputs")
    told = {("variable", name) for name in re.findall(r"^\| `(\w+)` \|", inputs, re.MULTILINE)}
    told |= {("output", name) for name in re.findall(r"^\| `(\w+)` \|", outputs, re.MULTILINE)}

    assert told == declared


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_an_example_and_tests(module: str) -> None:
    assert list((INFRA / module).glob("examples/*/main.tf"))
    assert list((INFRA / module).glob("tests/*.tftest.hcl"))
