"""Takes what exists already into a stack's state, in place of what the program would make anew.

Nothing in the account changes by it: `pulumi up` does that, and what it would do to each adopted resource is told here.
Format of the document: https://www.pulumi.com/docs/iac/adopting-pulumi/import/ ("Bulk import operations").
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from interlock.failures import BadInput, OutsideFailure, Refusal

LOSING: Final = ("delete", "replace", "create-replacement", "delete-replaced", "discard", "discard-replaced")
"""Steps of the engine after which a resource is not the one it was."""

_PROVIDER_PREFIX: Final = "pulumi:providers:"


@dataclass(frozen=True)
class Change:
    """What the next `pulumi up` would do to an adopted resource; `paths` are the properties that differ."""

    name: str
    operation: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Adoption:
    """What was taken into the state now, what was there before, and what `pulumi up` would change of both."""

    imported: tuple[str, ...]
    already: tuple[str, ...]
    changes: tuple[Change, ...]


def chosen(resources: Sequence[Mapping[str, Any]], identifiers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the entries of an import document for `identifiers` (by logical name), with all that they hang on.

    `resources` are the entries that `pulumi preview --import-file` wrote: everything that would be created. Raises
    BadInput naming each name that is not among them.
    """
    by_name: dict[str, Mapping[str, Any]] = {one["name"]: one for one in resources}
    known = [name for name, one in by_name.items() if "id" in one]
    problems = [_unknown(name, known) for name in identifiers if name not in known]
    if problems:
        raise BadInput("resources: there is no such resource to adopt", reasons=problems)
    wanted = set(identifiers)
    for name in identifiers:
        wanted |= set(_needed(by_name, by_name[name]))
    return [
        {**one, "id": identifiers[name]} if name in identifiers else dict(one)
        for name, one in by_name.items()
        if name in wanted
    ]


def _unknown(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"received {name!r}" + (f"; did you mean {close[0]!r}?" if close else "; accepted is a resource's name")


def _needed(by_name: Mapping[str, Mapping[str, Any]], one: Mapping[str, Any]) -> Iterator[str]:
    for other in (str(one.get("parent", "")), str(one.get("provider", ""))):
        if other in by_name:
            yield other
            yield from _needed(by_name, by_name[other])


def known_as(identifier: str, texts: Sequence[str]) -> bool:
    """Return whether `identifier` is one of `texts`, or made of several: a route table's association is imported as
    `<subnet's id>/<table's id>`, and has another id in the state."""
    return identifier in texts or ("/" in identifier and all(part in texts for part in identifier.split("/")))


def changes_of(steps: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Change]:
    """Return what the steps of a preview do to the resources called `names`, unchanged ones left out."""
    found = []
    for step in steps:
        name = str(step["urn"]).rpartition("::")[2]
        state = step.get("newState") or step.get("oldState") or {}
        if name in names and state.get("custom") and step["op"] != "same":
            found.append(Change(name, str(step["op"]), tuple(sorted(step.get("detailedDiff") or {}))))
    return found


def adopt(
    pulumi_stack: str,
    identifiers: Mapping[str, str],
    *,
    directory: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    options: Sequence[str] = (),
) -> Adoption:
    """Import the resources with these ids (by the program's logical names) into the stack's state.

    What is in the state already is left as it is, so that the command can be run again. `options` are passed on to
    each command of the engine. Raises BadInput for unknown names, Refusal if the next `pulumi up` would replace or
    delete something adopted, OutsideFailure if the engine fails.
    """
    engine = _Engine(pulumi_stack, directory, options)
    state = engine.identities()
    already = {name: state[name] for name in identifiers if name in state}
    others = [
        f"{name} is {found[0]!r} in the state, not {identifiers[name]!r}"
        for name, found in already.items()
        if not known_as(identifiers[name], found)
    ]
    if others:
        raise Refusal("the stack has other resources of these names", reasons=others)
    missing = {name: one for name, one in identifiers.items() if name not in already}
    if missing:
        progress("preview what the program would make")
        with tempfile.TemporaryDirectory() as scratch:
            document = Path(scratch) / "import.json"
            engine.run("preview", "--import-file", str(document))
            entries = chosen(json.loads(document.read_text()).get("resources") or [], missing)
            document.write_text(json.dumps({"resources": entries}))
            progress(f"import {len(missing)} resources")
            engine.run("import", "--file", str(document), "--yes", "--generate-code=false")
    progress("preview what would change")
    changes = changes_of(json.loads(engine.run("preview", "--json", "--diff")).get("steps") or [], list(identifiers))
    lost = [one for one in changes if one.operation in LOSING]
    if lost:
        raise Refusal(
            "the next pulumi up would not keep what was adopted",
            reasons=sorted({f"{one.name}: {one.operation} because of {', '.join(one.paths)}" for one in lost}),
            next_step="give the stack's settings what these have, or take them out with: pulumi state delete <urn>",
        )
    return Adoption(tuple(missing), tuple(already), tuple(changes))


class _Engine:
    """The engine's command, for one stack of the project in `directory` (the working directory if none is given)."""

    def __init__(self, stack: str, directory: Path | None, options: Sequence[str]) -> None:
        self._stack = stack
        self._directory = directory
        self._options = options

    def identities(self) -> Mapping[str, Sequence[str]]:
        """Return by logical name what the state's resources are known by: their id, then what else names them.

        Some are imported by another name than their id: a DB instance has the id of its resource in AWS.
        """
        try:
            found = json.loads(self._call(["stack", "export"]))["deployment"].get("resources") or []
        except (ValueError, KeyError, AttributeError) as error:
            raise OutsideFailure(f"pulumi exported no state of {self._stack}: {error}") from error
        return {
            one["urn"].rpartition("::")[2]: [str(one["id"]), *_texts(one.get("outputs") or {})]
            for one in found
            if one.get("custom") and not one["type"].startswith(_PROVIDER_PREFIX)
        }

    def run(self, *arguments: str) -> str:
        return self._call([*arguments, *self._options])

    def _call(self, arguments: Sequence[str]) -> str:
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never", "--stack", self._stack]
        try:
            answer = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise OutsideFailure("there is no `pulumi` on PATH to import with") from error
        if answer.returncode != 0:
            said = [line for line in (answer.stderr or answer.stdout).splitlines() if line.strip()][-15:]
            raise OutsideFailure(f"pulumi {arguments[0]} failed for {self._stack}", reasons=said)
        return answer.stdout


def _texts(outputs: Mapping[str, Any]) -> list[str]:
    return [value for value in outputs.values() if isinstance(value, str)]
