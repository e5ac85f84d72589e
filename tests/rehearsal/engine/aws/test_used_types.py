"""Every resource type, function and property that this repository's components and stacks use is one that works."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.engine.aws import sdk, tokens
from rehearsal.engine.aws.catalogue import Types
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.aws.names import camel, snake
from rehearsal.engine.aws.shapes import Members, Property, Shape
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.setup.tools import Tools

ROOT = Path(__file__).resolve().parents[4]
OPTIONS = {"opts", "resource_name"}


def used(folder: Path) -> dict[str, set[tuple[str, ...]]]:
    """Return the Python paths (`aws.s3.Bucket`) that are called in a folder, with the keyword paths given to each."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and (called := ast.unparse(node.func)).startswith("aws."):
                found[called] |= set(keyword_paths(node))
    return found


def keyword_paths(call: ast.Call) -> Iterator[tuple[str, ...]]:
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in OPTIONS:
            yield (keyword.arg,)
            yield from ((keyword.arg, *path) for path in literal_paths(keyword.value))


def literal_paths(node: ast.expr) -> Iterator[tuple[str, ...]]:
    """Yield the key paths of dictionaries written out in `node`, lists passed over."""
    if isinstance(node, ast.List):
        for item in node.elts:
            yield from literal_paths(item)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield (key.value,)
                yield from ((key.value, *path) for path in literal_paths(value))


USED = {called: paths for folder in ("components", "stacks") for called, paths in used(ROOT / folder).items()}
CLASSES = {
    f"{info['fqn'].replace('pulumi_aws', 'aws', 1)}.{name}": token
    for info in sdk._modules().values()
    for token, name in info["classes"].items()
}
RESOURCES = sorted(called for called in USED if called in CLASSES)
FUNCTIONS = sorted(called for called in USED if called.rpartition(".")[2].startswith("get_"))


@pytest.fixture(scope="module")
def types(tools: Tools) -> Types:
    cache = tools.cache / "schemas"
    return Types(Catalogue(tools.provider, cache), Descriptions(cache))


def find(members: Members, name: str) -> Property | None:
    """Return the property that a Python name means: keyword arguments are snake_case, dictionary keys either."""
    return next((item for item in members.properties.values() if name in (item.name, snake(item.name))), None)


def check_path(members: Members, path: tuple[str, ...]) -> None:
    found = find(members, path[0])
    assert found is not None, f"{path[0]} does not work"
    assert found.settable, f"{path[0]} is set by the provider"
    shape = innermost(found.shape)
    if len(path) > 1 and shape.kind == "object":
        check_path(shape.object, path[1:])


def innermost(shape: Shape) -> Shape:
    while shape.element is not None:
        shape = shape.element
    return shape


def test_the_repository_s_use_of_the_cloud_is_found() -> None:
    assert len(RESOURCES) > 25
    assert "aws.s3.Bucket" in RESOURCES
    assert any(len(path) > 1 for paths in USED.values() for path in paths)


@pytest.mark.parametrize("called", RESOURCES)
def test_a_resource_that_is_used_works_with_all_that_it_is_given(types: Types, called: str) -> None:
    kind = types.resource(CLASSES[called])
    for path in sorted(USED[called]):
        if not (kind.regional and path == ("region",)):
            check_path(kind.members, path)


@pytest.mark.parametrize("called", FUNCTIONS)
def test_a_function_that_is_used_works_with_all_that_it_is_given(types: Types, called: str) -> None:
    *module, name = called.removesuffix("_output").split(".")
    middle = ".".join(module[1:]) or "index"
    kind = types.function(f"aws:{middle}/{camel(name)}:{camel(name)}")
    for path in sorted(USED[called]):
        check_path(kind.members, path)


def test_no_two_types_of_the_sdk_stand_for_one_of_terraform_s_but_those_that_are_synonyms(types: Types) -> None:
    known = types.catalogue.names("resource")
    tokens_of: dict[str, list[str]] = defaultdict(list)
    for token in sdk.resource_tokens():
        if name := tokens.resource_type(token, known):
            tokens_of[name].append(token)
    shared = [token for group in tokens_of.values() if len(group) > 1 for token in group]
    assert len(tokens_of) > 1450
    assert {token.split("/")[0] for token in shared} == {"aws:alb", "aws:lb", "aws:s3"}
