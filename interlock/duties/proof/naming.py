"""Whom documents name: principals that a world does not have, and single sessions of roles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.forms import Form
from interlock.duties.proof.scene import Scene

FOREIGN: Final = "999999999999"
"""An account that belongs to nobody we know."""
FOR_OTHERS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "aws:sourceaccount": (FOREIGN,), "aws:sourcearn": (f"arn:aws:any:eu-west-1:{FOREIGN}:any/other",),
    "aws:sourceorgid": None, "aws:sourceorgpaths": None,
}  # fmt: skip
"""What a service says that acts for somebody of an account that nobody knows."""
_PRINCIPAL: Final = re.compile(r"arn:(?P<partition>[^:]*):iam::(?P<account>[^:]*):(?P<name>(?:role|user).*/.+)")
_SESSION: Final = re.compile(r"arn:[^:]*:sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/(?P<called>.+)")
_ACCOUNT: Final = re.compile(r"(?:arn:[^:]*:iam::)?(?P<account>\d{12})(?::root)?")


def principals_in(written: Any) -> list[str]:
    """Return whatever a document says of principals: every text in it that could name a role or a user."""
    return [one for one in texts(written) if ":iam:" in one or ":sts:" in one]


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


def _of_text(scene: Scene, text: str) -> Iterator[Session]:
    if session := _SESSION.fullmatch(text):
        yield _called(scene, session["account"], session["role"], session["called"])
    elif principal := _PRINCIPAL.fullmatch(text):
        accounts = [principal["account"]]
        if not accounts[0].isdigit():
            accounts = [*(one.id for one in scene.world.accounts), FOREIGN]
        for account_id in accounts:
            arn = f"arn:{principal['partition']}:iam::{account_id}:{_like(principal['name'])}"
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


def _like(pattern: str) -> str:
    """Return a name that a pattern stands for: `role/x` for `role*/x`, for example."""
    return re.sub(r"^(role|user)\*/", r"\1/", pattern).replace("*", "any").replace("?", "x")


def texts(written: Any) -> Iterator[str]:
    if isinstance(written, str):
        yield written
    parts = written.values() if isinstance(written, dict) else written if isinstance(written, list) else ()
    for part in parts:
        yield from texts(part)
