"""Somebody in a session, and a request of theirs that would be allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.proof.forms import Form
from interlock.duties.proof.permission import Question

FREE: Final = "*"
"""The source identity of a session that may bear any, or none."""


@dataclass(frozen=True)
class Session:
    """Somebody in a role, or as a user; the source identity is None if the session bears none."""

    arn: str
    source_identity: str | None = None
    form: Form = Form.AS_WRITTEN
    called: str = "session"
    """The name of a role's session, which is a part of its ARN."""

    def __hash__(self) -> int:
        # Sessions are looked up all the time, and seldom differ in nothing but what is left out here.
        return hash((self.arn, self.source_identity))

    def __str__(self) -> str:
        who = self.arn.partition(":iam::")[2].replace(":", " ", 1)
        who += f" in a session called {self.called}" if self.called != "session" else ""
        bears = f" as {self.source_identity}" if self.source_identity not in (None, FREE) else ""
        return f"{who}{bears}" + (f" ({self.form})" if self.form is not Form.AS_WRITTEN else "")


@dataclass(frozen=True)
class Call:
    """A request that would be allowed, with the question whose answer it is."""

    session: Session | None
    """None for somebody whom an identity provider signed in."""
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    owner: str
    question: Question

    def request(self) -> request.Request:
        """Return it as the evaluator takes it."""
        return request.Request(
            self.question.principal, self.action, self.resource, dict(self.context), resource_account=self.owner
        )

    def __str__(self) -> str:
        who = str(self.session) if self.session else self.question.principal.name
        return f"{who}: {self.action} on {self.resource}{self.saying}"

    @property
    def saying(self) -> str:
        """What the request says beside who asks for what, in words to go on with."""
        asked = {key: value for key, value in self.context.items() if key not in self.question.principal.context}
        shown = ", ".join(
            f"{key}={'|'.join(value)}"
            for key, value in sorted(asked.items())
            if key not in _OBVIOUS and not key.startswith(_TAGS)
        )
        return f" with {shown}" if shown else ""


_TAGS: Final = "aws:principaltag/interlock:"
_OBVIOUS: Final = frozenset({"aws:viaawsservice", "aws:resourceaccount", "aws:requestedregion"})
