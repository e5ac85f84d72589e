"""Where a world is read from: a stack's preview, a saved one, a saved world, or the account that is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from interlock.cli.duties_live import read_live
from interlock.cli.loading import pulumi_stack_of
from interlock.cli.previewing import document_of_stack
from interlock.duties.live import NOT_READ
from interlock.duties.organization import ACCEPTED, above_all, read_controls
from interlock.duties.plan_world import stands_on
from interlock.duties.planned import planned_world
from interlock.duties.world import World, read_world
from interlock.failures import BadInput

StackArgument = Annotated[
    str | None, typer.Argument(metavar="STACK", help="pulumi:<stack> or <stack>. Without it: the one selected here.")
]
PlanOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plan",
        help="A saved `pulumi preview --json --show-sames`, to read in place of making one; twice where a platform "
        "stands on a foundation of another stack.",
    ),
]
WorldOption = Annotated[
    Path | None, typer.Option("--world", help="A saved world, as `interlock duties prove` takes it.")
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="Read the stack's accounts as they are, with the ways into them of its settings.")
]
ReaderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        metavar="ARN",
        help="With --live: a role to read its account as, in place of the settings' own way into it, such as a "
        "security team's. May be given several times.",
    ),
]
AdministratorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--administrator",
        metavar="ARN",
        help="With --live: a role or user that administers one of the accounts, beside those of the settings. It is "
        "set apart: the certificate names it as trusted. May be given several times.",
    ),
]
OrganizationOption = Annotated[
    Path | None,
    typer.Option(
        "--organization",
        metavar="FILE",
        help="The organization's policies above the accounts: what `terraform output -json` of infra/guardrails "
        "prints. Without it none is assumed: each could only deny more.",
    ),
]
_PREVIEW: Final = "accepted is what `pulumi preview --json --show-sames` prints"
SAVED: Final = "--plan FILE"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Read:
    """A world, where it was read from, and which of its policies are taken for more than they can be."""

    world: World
    source: str
    assumed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """What was left out of the world."""


def read(
    stack: str | None,
    plan: Sequence[Path] | None,
    world: Path | None,
    *,
    say: Say,
    live: bool = False,
    readers: Sequence[str] = (),
    administrators: Sequence[str] = (),
) -> Read:
    """Return the world that the options name. Raises BadInput, OutsideFailure, Refusal."""
    given = [name for name, value in (("--plan", plan), ("--world", world), ("--live", live)) if value]
    if len(given) > 1:
        raise BadInput(f"received {' and '.join(given)}; accepted is one of them")
    if readers and not live:
        raise BadInput("--reader: accepted beside --live only, for a preview and a world are read without roles")
    if administrators and not live:
        raise BadInput("--administrator: accepted beside --live only, for a preview knows the stack's own roles alone")
    if world is not None:
        return Read(read_world(text_of(world, "--world"), f"--world: {world}"), f"the world in {world}")
    if plan:
        sources = [f"--plan: {one}" for one in plan]
        documents = [_parsed(text_of(one, "--plan"), source) for one, source in zip(plan, sources, strict=True)]
        return _planned(documents, f"the preview in {' and that in '.join(map(str, plan))}", sources)
    name = pulumi_stack_of(stack)
    if live:
        found, organized = read_live(name, say, readers, administrators)
        return Read(found, f"the accounts of {name} as they are", unread=() if organized else (NOT_READ,))
    say(f"previewing {name}")
    documents = [document_of_stack(name, SAVED)]
    foundation = stands_on(documents[0].get("config") or {})
    if foundation:
        say(f"previewing {foundation}, which {name} stands on")
        documents.append(document_of_stack(foundation, SAVED))
    return _planned(documents, f"a preview of {name}{f' and one of {foundation}' if foundation else ''}")


def read_under(known: Read, organization: Path | None) -> Read:
    """Return a world with the organization's policies of a file above its accounts. Raises BadInput."""
    if organization is None:
        missing = () if NOT_READ in known.unread or any(one.scps for one in known.world.accounts) else (NOT_READ,)
        return replace(known, unread=(*known.unread, *missing))
    source = f"--organization: {organization}"
    controls = read_controls(_parsed(text_of(organization, "--organization"), source, ACCEPTED), source)
    return replace(
        known,
        world=above_all(known.world, controls),
        source=f"{known.source}, under the organization's policies in {organization}",
        unread=tuple(one for one in known.unread if one != NOT_READ),
    )


def read_one(source: str, argument: str, say: Say) -> Read:
    """Return the world of a stack, of world:FILE or of plan:FILE; `argument` is what messages call the source.

    Raises BadInput, OutsideFailure.
    """
    scheme, colon, path = source.partition(":")
    if not source or (colon and (scheme not in ("plan", "world", "pulumi") or not path)):
        raise BadInput(f"{argument}: received {source!r}; accepted is a stack, pulumi:STACK, plan:FILE or world:FILE")
    called = f"{argument}: {source}"
    if scheme == "world" and colon:
        return Read(read_world(text_of(Path(path), argument), called), f"the world in {path}")
    if scheme == "plan" and colon:
        return _planned([_parsed(text_of(Path(path), argument), called)], f"the preview in {path}", [called])
    return read(source, None, None, say=say)


def _planned(documents: Sequence[Any], source: str, sources: Sequence[str] = ()) -> Read:
    found = planned_world(*documents, sources=sources)
    return Read(found.world, source, found.assumed, found.unread)


def text_of(path: Path, option: str) -> str:
    """Return the text of a file. Raises BadInput."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{option}: {path}: {getattr(error, 'strerror', None) or 'is no text'}") from error


def _parsed(text: str, source: str, accepted: str = _PREVIEW) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"{source} holds no JSON; {accepted}") from error
