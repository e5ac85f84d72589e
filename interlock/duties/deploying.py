"""The documents of the roles that deploy: templates for `infra/bootstrap`, which makes them before anything else is.

A template is a policy document in which `{stack}`, `{platform_stack}`, `{workload}` and `{evidence}` stand for one
stack's values. A resource with `{region}`, `{vault}` or `{staging}` stands for one for each of the stack's.
`python -m interlock.duties.deploying infra/bootstrap/documents` writes the templates.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from interlock.duties.boundaries import BOUNDED_BY, DEPLOYING, boundary_policy
from interlock.duties.duty import Role
from interlock.duties.duty_policy import managed_parts, rights_policy
from interlock.duties.landscape import Landscape
from interlock.duties.matrix import MATRIX

BOUNDARY: Final = "boundary"
_EACH: Final = ("region", "vault", "staging")
_TEMPLATE: Final = Landscape(
    stack="{stack}", platform_stack="{platform_stack}", workload="{workload}", evidence="{evidence}", audit="{audit}",
    regions=("{region}",), vaults=("{vault}",), staging=("{staging}",), endpoints=(), tables=(),
)  # fmt: skip
_LARGEST: Final = Landscape(
    stack="s" * 12, platform_stack="s" * 12, workload="1" * 12, evidence="2" * 12, audit="3" * 12,
    regions=("ap-southeast-1", "ap-northeast-1"), vaults=tuple(one * 63 for one in "abc"),
    staging=tuple(one * 63 for one in "def"),
    endpoints=(), tables=(),
)  # fmt: skip
"""What fits into IAM's policies with these names fits with any. Buckets with names of their own stand beside the
pattern of the others."""


def templates() -> dict[str, str]:
    """Return the templates by their files' names: a boundary and as many policies of rights as IAM takes, by role."""
    found: dict[str, str] = {}
    for role in DEPLOYING:
        found[f"{role}-{BOUNDARY}.json"] = boundary_policy(BOUNDED_BY[role], _TEMPLATE)
        for number, part in enumerate(managed_parts(MATRIX[role], _LARGEST), start=1):
            found[f"{role}-{number}.json"] = rights_policy(part, _TEMPLATE)
    return {name: json.dumps(json.loads(text), indent=2) + "\n" for name, text in found.items()}


def filled(template: str, land: Landscape) -> dict[str, Any]:
    """Return the document of one stack, as `infra/bootstrap` fills the template in."""
    values = {
        "stack": land.stack,
        "platform_stack": land.platform,
        "workload": land.workload,
        "evidence": land.evidence,
    }
    for key, value in values.items():
        template = template.replace(f"{{{key}}}", value)
    document: dict[str, Any] = json.loads(template)
    each = dict(zip(_EACH, (land.regions, land.vaults, land.staging), strict=True))
    for statement in document["Statement"]:
        for key in statement.keys() & {"Resource", "NotResource"}:
            statement[key] = sorted(set(_expanded(statement[key], each)))
    return document


def documents_of(role: Role, land: Landscape) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the boundary of a role that deploys, and its policies by the names that IAM knows them by."""
    parts = {name: filled(text, deploying_landscape(land)) for name, text in templates().items()}
    rights = {
        f"{land.prefix}-{name.removesuffix('.json')}": one
        for name, one in parts.items()
        if name.startswith(f"{role}-") and BOUNDARY not in name
    }
    return parts[f"{role}-{BOUNDARY}.json"], rights


def deploying_landscape(land: Landscape) -> Landscape:
    """Return the stack as `infra/bootstrap` is told of it: its buckets by patterns, where their names are their own."""
    return Landscape(
        stack=land.stack,
        platform_stack=land.platform,
        workload=land.workload,
        evidence=land.evidence,
        audit=land.audit,
        regions=land.regions,
        vaults=_patterns(f"{land.prefix}-vault-*", land.vaults),
        staging=_patterns(f"{land.prefix}-staging-*", land.staging),
        endpoints=(),
        tables=(),
    )


def _patterns(own: str, names: Sequence[str]) -> tuple[str, ...]:
    return (own, *(one for one in names if not fnmatchcase(one, own)))


def _expanded(resources: str | Sequence[str], each: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for resource in [resources] if isinstance(resources, str) else resources:
        found = [resource]
        for key, values in each.items():
            mark = f"{{{key}}}"
            found = [one.replace(mark, value) for one in found for value in (values if mark in one else ("",))]
        yield from found


def write(folder: Path) -> None:
    """Write the templates into `folder`, and take away what is no longer one."""
    folder.mkdir(parents=True, exist_ok=True)
    made = templates()
    for old in folder.glob("*.json"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
