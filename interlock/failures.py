"""The ways in which a command can end without having done its work, each with its own exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Failure(Exception):
    """Ends a command with one message; `next_step` says what whoever ran it can do, `details` is for programs."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        reasons: Sequence[str] = (),
        next_step: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reasons = tuple(reasons)
        self.next_step = next_step
        self.details = dict(details or {})

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {reason}" for reason in self.reasons)])


class Refusal(Failure):
    """What was asked for may not be done; `reasons` name each condition that is not met."""

    exit_code = 1


class BadInput(Failure):
    """What was asked for makes no sense: the message names the field, the value received and what is accepted."""

    exit_code = 2


class OutsideFailure(Failure):
    """A service did not do what it was asked to; running the command again is safe."""

    exit_code = 3


class NotPermitted(OutsideFailure):
    """A service answered that whoever asked may not do it: running the command again helps under another role only."""

    exit_code = Refusal.exit_code
