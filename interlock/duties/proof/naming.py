"""Whom documents name: principals that a world does not have, and single sessions of roles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.forms import Form
from interlock.duties.proof.scene import Scene

ACCOUNT_IN_ARN: Final = 4
FOREIGN: Final = "999999999999"
"""An account that belongs to nobody we know."""
FOR_OTHERS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "aws:sourceaccount": (FOREIGN,), "aws:sourcearn": (f"arn:aws:any:eu-west-1:{FOREIGN}:any/other",),
    "aws:sourceorgid": None, "aws:sourceorgpaths": None,
}  # fmt: skip
"""What a service says that acts for somebody of an account that nobody knows."""
NONE_OF_OURS: Final = "000000000000"
_PRINCIPAL: Final = re.compile(r"arn:(?P<partition>[^:]*):iam::(?P<account>[^:]*):(?P<name>[^:]*[/*][^:]*)")
_SESSION: Final = re.compile(r"arn:[^:]*:sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/(?P<called>.+)")
_NUMBER: Final = re.compile(r"[0-9?*]{1,12}")
_ACCOUNT: Final = re.compile(r"(?:arn:[^:]*:iam::)?(?P<account>\d{12})(?::root)?")


def principals_in(written: Any) -> list[str]:
    """Return whatever a document says of principals: every text in it that could name a role or a user."""
    return [one for one in texts(written) if ":iam:" in one or ":sts:" in one]


def for_others(document: Any, ours: Iterable[str]) -> list[Mapping[str, tuple[str, ...] | None]]:
    """Return what a service says that acts for somebody else: of an account that nobody knows, and of each other
    account that a document names or has a pattern for, about things that it has a pattern for."""
    arns = [one.split(":", 5) for one in dict.fromkeys(texts(document)) if _is_arn(one)]
    found = [FOR_OTHERS]
    for number in _others_numbers(document, set(ours)):
        of_it = [_filled(one, number) for one in arns if fnmatchcase(number, one[ACCOUNT_IN_ARN])]
        for arn in dict.fromkeys((f"arn:aws:any:eu-west-1:{number}:any/other", *of_it)):
            found.append({**FOR_OTHERS, "aws:sourceaccount": (number,), "aws:sourcearn": (arn,)})
    return found


def _others_numbers(document: Any, ours: Collection[str]) -> list[str]:
    """Return numbers of accounts that are none of ours: the lowest that there could be, and each that a document names
    or has a pattern for."""
    written = (one.split(":", 5)[ACCOUNT_IN_ARN] if _is_arn(one) else one for one in texts(document))
    numbers = dict.fromkeys((NONE_OF_OURS, *(number for one in written for number in numbers_like(one))))
    return [one for one in numbers if one not in ours]


def _is_arn(text: str) -> bool:
    return text.startswith("arn:") and text.count(":") > ACCOUNT_IN_ARN


def numbers_like(pattern: str) -> Iterator[str]:
    """Yield accounts that a pattern stands for: itself, or two that differ wherever it leaves them free."""
    if _NUMBER.fullmatch(pattern) is None:
        return
    missing = 12 - len(pattern.replace("*", ""))
    for digit in ("0", "9"):
        filled = pattern.replace("*", digit * max(missing, 0), 1).replace("*", "").replace("?", digit)
        if len(filled) == 12:
            yield filled


def _filled(arn: list[str], number: str) -> str:
    head, rest = arn[:ACCOUNT_IN_ARN], arn[ACCOUNT_IN_ARN + 1]
    region = head[3].replace("*", "eu-west-1").replace("?", "1")
    return ":".join((*head[:3], region, number, rest.replace("*", "any").replace("?", "x")))


def outsiders(scene: Scene, document: Any) -> list[Session]:
    """Return somebody of an account that nobody knows, and of each other account that a document tells from it."""
    numbers = _others_numbers(document, {one.id for one in scene.world.accounts})
    return [outsider(scene, one) for one in dict.fromkeys((FOREIGN, *numbers))]


def outsider(scene: Scene, account_id: str = FOREIGN) -> Session:
    """Return somebody of an account whom no document names, and whose own policies allow everything."""
    arn = f"arn:aws:iam::{account_id}:role/any-other"
    return Session(arn, FREE) if scene.is_made(arn) else Session(arn, FREE, Form.WIDENED)


def named(scene: Scene, document: Any) -> tuple[Session, ...]:
    """Return, once each, whom a document names beside the roles and users of the world themselves.

    Of roles and users that the world has: the sessions that it names one by one. Of others, and of accounts: somebody
    whose own policies allow everything; of a pattern, one whom it stands for.
    """
    found = (session for text in dict.fromkeys(texts(document)) for session in _of_text(scene, text))
    return tuple(dict.fromkeys(found))


def sessions_named(scene: Scene, names: Iterable[str]) -> list[Session]:
    """Return the single sessions and users that a policy names, as they are written."""
    found = []
    for one in names:
        session = _SESSION.fullmatch(one)
        found.append(
            _called(scene, session["account"], session["role"], session["called"]) if session else Session(one, FREE)
        )
    return found


def _of_text(scene: Scene, text: str) -> Iterator[Session]:
    if session := _SESSION.fullmatch(text):
        yield _called(scene, session["account"], session["role"], session["called"])
    elif principal := _PRINCIPAL.fullmatch(text):
        of = principal["account"]
        partition = principal["partition"] if re.fullmatch(r"[a-z-]+", principal["partition"]) else "aws"
        ours = [one.id for one in scene.world.accounts if fnmatchcase(one.id, of)]
        for account_id in dict.fromkeys((*ours, *numbers_like(of))):
            for name in _names_like(principal["name"]):
                arn = f"arn:{partition}:iam::{account_id}:{name}"
                if scene.world.principal(arn) is None and not scene.is_made(arn):
                    yield Session(arn, FREE, Form.WIDENED)
    elif (account := _ACCOUNT.fullmatch(text)) and scene.world.account(account["account"]) is None:
        yield outsider(scene, account["account"])


def _called(scene: Scene, account_id: str, role_name: str, called: str) -> Session:
    known = (one for one in scene.world.principals if one.account_id == account_id and one.name == role_name)
    role = next((one for one in known if ":role/" in one.arn), None)
    if role is not None:
        return Session(role.arn, FREE, called=called)
    return Session(f"arn:aws:iam::{account_id}:role/{role_name}", FREE, Form.WIDENED, called)


def _names_like(pattern: str) -> Iterator[str]:
    """Yield names that a pattern stands for, of a role and of a user: `role/x` for `role*/x`, for example."""
    kind, _, rest = pattern.partition("/")
    for one in ("role", "user"):
        if fnmatchcase(one, kind):
            yield f"{one}/{rest.replace('*', 'any').replace('?', 'x') or 'any'}"


def texts(written: Any) -> Iterator[str]:
    if isinstance(written, str):
        yield written
    parts = written.values() if isinstance(written, dict) else written if isinstance(written, list) else ()
    for part in parts:
        yield from texts(part)
