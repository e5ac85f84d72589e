"""Corrections of moto are each documented by AWS and held by a test that fails without them."""

from __future__ import annotations

import ast
from pathlib import Path

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.service import Patches

HERE = Path(__file__).parent


def _names_in_markers(file: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return {
        str(argument.value)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "corrects"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def test_every_correction_is_named_by_a_test_that_fails_without_it(cloud: LocalCloud) -> None:
    tested = set[str]().union(*(_names_in_markers(file) for file in HERE.rglob("test_*.py")))
    assert set(cloud.corrections()) - tested == set()
    assert tested - set(cloud.corrections()) == set()


def test_every_correction_is_named_after_its_service_and_cites_aws(cloud: LocalCloud) -> None:
    for service in cloud.services:
        for correction in service.corrections():
            assert correction.name.startswith(f"{service.name}."), correction.name
            assert correction.source.startswith("https://docs.aws.amazon.com/"), correction.name


def test_no_two_corrections_share_a_name(cloud: LocalCloud) -> None:
    names = [correction.name for service in cloud.services for correction in service.corrections()]
    assert len(names) == len(set(names))


def test_patches_undone_leave_no_trace() -> None:
    class Parent:
        inherited = 1

    class Child(Parent):
        own = 2

    patches = Patches()
    patches.replace(Child, "inherited", 10)
    patches.replace(Child, "own", 20)
    patches.replace(Child, "new", 30)
    patches.replace(Child, "own", 40)
    patches.undo()

    assert (Child.inherited, Child.own) == (1, 2)
    assert set(vars(Child)).isdisjoint({"inherited", "new"})
