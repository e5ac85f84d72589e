"""Starting a confined process, or not at all."""

from __future__ import annotations

from pathlib import Path

from interlock.failures import OutsideFailure
from interlock.sandbox import answers
from interlock.sandbox.pipes import Broken, ConfinedProcess
from interlock.sandbox.plan import Limits


class CannotConfine(OutsideFailure):
    """This machine does not give what a hostile model is confined by, so nothing of it was run."""


def started(python: str, model: Path, limits: Limits, *, connection: tuple[int, int] | None = None) -> ConfinedProcess:
    """Return a process that is confined and has not heard of a model yet. Raises CannotConfine.

    `connection` is as ConfinedProcess takes it.
    """
    process = ConfinedProcess(python, model, limits, connection=connection)
    try:
        head, _ = process.answer(limits.load_seconds, limits.load_seconds)
        if head.get("confined") is not True:
            raise CannotConfine(
                f"this machine cannot confine a model: it does not give {answers.told(head.get('unconfined'))}",
                next_step="docs/sandbox.md says what a machine that runs gates must allow",
            )
    except Broken as error:
        process.close()
        raise CannotConfine(f"a confined process did not start: {error}") from None
    except BaseException:
        process.close()
        raise
    return process
