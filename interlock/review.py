"""What a preview would do, as a comment that reviewers read: losses first, then changes, then what is new.

Format of the preview: pulumi/pkg, backend/display/json.go, PreviewDigest.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlock.adoption import LOSING

MARK: Final = "<!-- interlock review -->"
"""The first line of every comment, by which a later run finds its own."""

LONGEST: Final = 60_000
"""Characters; GitHub takes 65,536."""

_ROWS: Final = 100
_QUIET: Final = ("same", "read", "refresh")


@dataclass(frozen=True)
class Step:
    """What would be done to one resource; `paths` are the properties that differ."""

    operation: str
    kind: str
    name: str
    paths: tuple[str, ...]
    protected: bool

    @property
    def loses(self) -> bool:
        """Whether the resource is not the same one afterwards."""
        return self.operation in LOSING


@dataclass(frozen=True)
class Section:
    """One more thing that was looked at; `passes` is None where nothing was asked for."""

    title: str
    passes: bool | None
    lines: Sequence[str]


def steps_of(document: Mapping[str, Any]) -> list[Step]:
    """Return what `pulumi preview --json` would do to resources of a provider, losses first."""
    found = [_step(one) for one in document.get("steps") or () if _counts(one)]
    return sorted(found, key=lambda step: (not step.loses, step.operation, step.kind, step.name))


def as_markdown(stack: str, steps: Sequence[Step], sections: Sequence[Section]) -> str:
    """Return the comment, in GitHub's Markdown; what comes from a program's author is escaped."""
    text = "\n".join(_lines(stack, steps, sections))
    if len(text) <= LONGEST:
        return text + "\n"
    return text[:LONGEST].rpartition("\n")[0] + "\n\n… the rest is too long for a comment; the job's summary has it.\n"


def refused(steps: Sequence[Step], sections: Sequence[Section]) -> list[str]:
    """Return why this must not be brought up: something protected would be lost, or a section does not pass."""
    lost = [
        f"{step.name} is protected and would be lost ({step.operation})"
        for step in steps
        if step.loses and step.protected
    ]
    return [*lost, *(f"{section.title} does not pass" for section in sections if section.passes is False)]


def _counts(step: Mapping[str, Any]) -> bool:
    state = step.get("newState") or step.get("oldState") or {}
    provider = str(state.get("type", "")).startswith("pulumi:")
    return bool(state.get("custom")) and not provider and step.get("op") not in _QUIET


def _step(step: Mapping[str, Any]) -> Step:
    state = step.get("oldState") or step.get("newState") or {}
    urn = str(step.get("urn", ""))
    return Step(
        str(step.get("op")),
        str(state.get("type", "")),
        urn.rpartition("::")[2],
        tuple(sorted(step.get("detailedDiff") or step.get("diffReasons") or ())),
        bool((step.get("oldState") or {}).get("protect")),
    )


def _lines(stack: str, steps: Sequence[Step], sections: Sequence[Section]) -> Iterator[str]:
    yield from (MARK, f"## Preview of {_escaped(stack)}", "")
    reasons = refused(steps, sections)
    yield "**Refused.** " + "; ".join(map(_escaped, reasons)) + "." if reasons else "Nothing here is refused."
    yield ""
    counts = Counter(step.operation for step in steps)
    yield ", ".join(f"{count} to {operation}" for operation, count in sorted(counts.items())) or "No resource changes."
    yield ""
    changed = [step for step in steps if step.operation != "create"]
    if changed:
        yield from ("| | resource | type | what differs |", "| --- | --- | --- | --- |")
        yield from (_row(step) for step in changed[:_ROWS])
        yield from _more(len(changed))
    new = [step for step in steps if step.operation == "create"]
    if new:
        yield from ("<details><summary>New resources</summary>", "", "| resource | type |", "| --- | --- |")
        yield from (f"| {_code(step.name)} | {_code(step.kind)} |" for step in new[:_ROWS])
        yield from _more(len(new))
        yield from ("</details>", "")
    for section in sections:
        mark = {True: "✅ ", False: "❌ ", None: ""}[section.passes]
        yield from (f"### {mark}{_escaped(section.title)}", "", *(f"- {_escaped(line)}" for line in section.lines), "")


def _row(step: Step) -> str:
    mark = "❌" if step.loses and step.protected else "⚠️" if step.loses else ""
    words = step.operation + (" (protected)" if step.protected and step.loses else "")
    return f"| {mark} {words} | {_code(step.name)} | {_code(step.kind)} | {', '.join(map(_code, step.paths))} |"


def _more(count: int) -> Iterator[str]:
    yield from ("", f"… and {count - _ROWS} more", "") if count > _ROWS else ("",)


def _code(text: str) -> str:
    return f"<code>{_escaped(text)}</code>"


def _escaped(text: str) -> str:
    """Return `text` so that neither Markdown, nor HTML, nor a mention of somebody takes effect."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return "".join(f"&#{ord(one)};" if one in "\\`*_{}[]()#+!|~@" else one for one in plain)
