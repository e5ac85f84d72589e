"""The part of the report about least privilege: what each role is granted, what it used, and why it has the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interlock.pages.markup import Markup, card, join, table, tag

Rights = Sequence[Mapping[str, Any]]
_MOST_RESOURCES = 3


def rights_card(rights: Rights, reviewed: str) -> Markup:
    """Show the rights of all roles; `reviewed` is the day on which somebody last went through the reasons."""
    roles = sorted({one["role"] for one in rights})
    of = {role: [one for one in rights if one["role"] == role] for role in roles}
    return card(
        "Rights against their use",
        tag(
            "p",
            "Each action that a role's policies allow, and how often this rehearsal used it. One that was not used "
            f"has a reason, last reviewed on {reviewed}; a right with neither would have failed the rehearsal, and so "
            "would a reason for a right that was used or is gone.",
            class_="soft",
        ),
        table(
            ("role", "granted", "used", "with a reason"),
            ((tag("code", role), len(own), _used(own), len(own) - _used(own)) for role, own in of.items()),
            numeric=(1, 2, 3),
        ),
        *(_details(role, own) for role, own in of.items()),
    )


def work_card(done: Sequence[Mapping[str, Any]]) -> Markup:
    """Show what every duty did of its own work."""
    return card(
        "What each duty did of its own work",
        tag("p", "The same credentials, for what they are given for: each call had to succeed.", class_="soft"),
        tag("div", table(("under the role", "who", "did"), ((one["duty"], one["who"], one["did"]) for one in done)),
            class_="scroll"),
    )  # fmt: skip


def _used(rights: Rights) -> int:
    return sum(1 for one in rights if one["used"])


def _details(role: str, rights: Rights) -> Markup:
    return tag(
        "details",
        tag("summary", tag("code", role), f": {_used(rights)} of {len(rights)} used"),
        table(("action", "on", "used", "why it is granted all the same"), _rows(rights), numeric=(2,)),
    )


def _rows(rights: Rights) -> Iterator[tuple[object, ...]]:
    for one in sorted(rights, key=lambda one: (not one["used"], one["action"])):
        on = one["on"][:_MOST_RESOURCES]
        more = [f"and {len(one['on']) - len(on)} more"] if len(one["on"]) > len(on) else []
        where = join(tag("div", part) for part in [*(tag("code", each) for each in on), *more])
        yield tag("code", one["action"]), where, one["used"] or "", one["because"] or ""
