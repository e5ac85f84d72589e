"""Stacks' files, read as Pulumi hands their settings to the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.settings.files import SettingsFileError, stack_file, stack_files
from interlock.settings.reading import read_settings

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: one\nstackConfigDir: settings\n")
    (tmp_path / "settings").mkdir()
    (tmp_path / "inner" / "deeper").mkdir(parents=True)
    return tmp_path


def write(project: Path, text: str, stack: str = "dev") -> None:
    (project / "settings" / f"Pulumi.{stack}.yaml").write_text(text)


def test_scalars_become_text_and_the_rest_json_as_pulumi_hands_them_over(project: Path) -> None:
    write(project, "config:\n  interlock:a: 7\n  interlock:b: true\n  interlock:c: [1]\n  interlock:d: {e: '012'}\n")
    assert stack_file("dev", project).config == {
        "interlock:a": "7", "interlock:b": "true", "interlock:c": "[1]", "interlock:d": '{"e": "012"}',
    }  # fmt: skip


def test_a_project_is_found_from_inside_of_it(project: Path) -> None:
    write(project, "config: {}")
    assert stack_file("dev", project / "inner" / "deeper").path == project / "settings" / "Pulumi.dev.yaml"


def test_a_file_is_read_where_there_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.qa.yaml").write_text("config: {}")
    assert stack_file("Pulumi.qa.yaml", tmp_path).stack == "qa"
    assert stack_file(str(tmp_path / "Pulumi.qa.yaml"), ROOT).stack == "qa"


def test_a_stack_that_there_is_not_is_named_with_those_that_there_are(project: Path) -> None:
    write(project, "config: {}", "prod")
    with pytest.raises(SettingsFileError, match=r"received 'prd'; accepted is a stack of .*settings: prod"):
        stack_file("prd", project)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config: [", "Pulumi.dev.yaml is no YAML: line 1"),
        ("config: {interlock:region: a}\nconfig: {}", "no YAML: line 2: config is there already, in line 1"),
        ("config:\n  interlock:tags:\n    owner: a\n    owner: b", "line 4: owner is there already, in line 3"),
        ("", "received nothing; accepted is a mapping"),
        ("- one", r"received \['one'\]; accepted is a mapping"),
        ("config: 7", "config: received 7; accepted is a section"),
        ("config: {interlock:tags: {secure: v1:abc}}", "interlock:tags is encrypted; no setting is a secret"),
    ],
)
def test_a_file_that_is_none_of_a_stack_is_refused_in_words(project: Path, text: str, words: str) -> None:
    write(project, text)
    with pytest.raises(SettingsFileError, match=words):
        stack_file("dev", project)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileError, match=r"none\.yaml: No such file"):
        stack_file("none.yaml", tmp_path)


@pytest.mark.parametrize("directory", ["/", "."])
def test_without_a_project_a_name_is_refused(directory: str, tmp_path: Path) -> None:
    where = Path("/") if directory == "/" else tmp_path
    with pytest.raises(SettingsFileError, match=r"there is no Pulumi\.yaml"):
        stack_file("dev", where)


@pytest.mark.parametrize("stack", ["local", "local-foundation", "dev", "staging", "prod"])
def test_the_environments_of_this_repository_have_settings_that_are_right(stack: str) -> None:
    file = stack_file(stack, ROOT)
    assert read_settings(stack, file.config).environment.value == stack.partition("-")[0]


def test_all_environments_are_found() -> None:
    assert [file.stack for file in stack_files(ROOT)] == ["dev", "local-foundation", "local", "prod", "staging"]
