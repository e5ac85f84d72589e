"""Says which resource types and properties of pulumi-aws work with the Terraform provider in use.

`python -m rehearsal.engine.coverage [--provider BINARY] [--cache DIR] [--type aws:s3/bucket:Bucket]`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.engine.aws.catalogue import VERSIONS, ResourceType, Types, UnknownTypeError
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.aws.shapes import Members, Shape
from rehearsal.engine.terraform.catalogue import Catalogue

# Some types (rules of a web ACL) nest the same block in itself; deeper than this nothing new comes.
_DEEPEST = 8


@dataclass
class Coverage:
    """Counts over all types: how many work, and how many of their properties do."""

    types: int = 0
    missing: list[str] = field(default_factory=list)
    properties: int = 0
    newer: int = 0


def walk(members: Members, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Yield path, Terraform name and kind of each property; a property that does not work has no Terraform name."""
    yield from ((f"{prefix}{name}", "", "") for name in sorted(members.newer))
    for name, item in sorted(members.properties.items()):
        yield f"{prefix}{name}", item.terraform, _described(item.shape, item.settable)
        inner = _innermost(item.shape)
        if inner.kind == "object" and depth < _DEEPEST:
            yield from walk(inner.object, f"{prefix}{name}.", depth + 1)


def survey(types: Types, tokens: list[str]) -> Coverage:
    """Return the counts over the types `tokens`."""
    found = Coverage()
    for token in tokens:
        try:
            kind = types.resource(token)
        except UnknownTypeError:
            found.missing.append(token)
            continue
        found.types += 1
        for _, terraform, _ in walk(kind.members):
            found.properties += bool(terraform)
            found.newer += not terraform
    return found


def _innermost(shape: Shape) -> Shape:
    while shape.element is not None:
        shape = shape.element
    return shape


def _described(shape: Shape, settable: bool) -> str:
    text = shape.kind if shape.element is None else f"{shape.kind} of {_innermost(shape).kind}"
    return text + (", one at most" if shape.flattened else "") + ("" if settable else ", output only")


def _detail(kind: ResourceType) -> Iterator[str]:
    yield f"{kind.token} is {kind.name}" + (", and lives in the region that it names" if kind.regional else "")
    for path, terraform, described in walk(kind.members):
        yield f"  {path:60} {terraform or 'does not work: newer than the provider':40} {described}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.engine.coverage", description=__doc__)
    parser.add_argument("--provider", type=Path, help="the Terraform AWS provider's binary; searched for by default")
    parser.add_argument("--cache", type=Path, help="a folder for what is read of provider and SDK")
    parser.add_argument("--type", dest="token", help="show the properties of this resource type")
    arguments = parser.parse_args()
    types = _types(arguments.provider, arguments.cache)
    if arguments.token is not None:
        try:
            print("\n".join(_detail(types.resource(arguments.token))))
        except UnknownTypeError as problem:
            print(f"error: {problem}", file=sys.stderr)
            return 1
        return 0
    # Reading every class of the SDK takes half a minute and half a gigabyte, which one type does not need.
    from rehearsal.engine.aws import sdk

    found = survey(types, sdk.resource_tokens())
    print(VERSIONS)
    print(f"resource types that work      {found.types:6}")
    print(f"resource types that do not    {len(found.missing):6}")
    print(f"their properties that work    {found.properties:6}")
    print(f"their properties that do not  {found.newer:6}")
    print("types that do not work: " + ", ".join(found.missing))
    return 0


def _types(provider: Path | None, cache: Path | None) -> Types:
    from rehearsal.setup.cache import cache_folder
    from rehearsal.setup.progress import Progress
    from rehearsal.setup.terraform_provider import terraform_provider

    folder = cache or cache_folder() / "schemas"
    return Types(Catalogue(provider or terraform_provider(Progress()), folder), Descriptions(folder))


if __name__ == "__main__":
    sys.exit(main())
