"""The claim about those whom a proof sets apart: nobody of whom anything is claimed becomes one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.proof.taking import ON_POLICIES, ON_ROLES, ON_USERS

BECOMING_A_ROLE: Final = ("sts:AssumeRole", "iam:PassRole", *(edit.action for edit in ON_ROLES))
BECOMING_A_USER: Final = tuple(edit.action for edit in ON_USERS)


def _apart(context: Context) -> Iterator[Violation]:
    sessions = context.sessions()
    for one in context.scene.world.trusted:
        actions = BECOMING_A_ROLE if ":role/" in one.arn else BECOMING_A_USER
        yield from context.first(sessions, actions, one.arn, "come to act as an administrator")
        for arn in sorted({each.editable_arn for each in one.identity if each.editable_arn}):
            others = [each for each in sessions if not context.administers(each)]
            yield from context.first(others, ON_POLICIES, arn, "change what an administrator may do")


PROPERTIES: Final = (
    Property(
        "administrators-stay-apart",
        "Nobody becomes one of the accounts' administrators whom the proof was told of, neither by assuming or passing "
        "their role nor by changing it or their user.",
        _apart,
    ),
)
