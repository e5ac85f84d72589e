"""What a provider says, as what a program's author reads."""

from __future__ import annotations

import re

from rehearsal.engine.aws.catalogue import FunctionType, ResourceType
from rehearsal.engine.aws.inputs import Problem
from rehearsal.engine.aws.outputs import concealed
from rehearsal.engine.aws.paths import from_terraform, reworded
from rehearsal.engine.aws.properties import Properties
from rehearsal.engine.terraform.diagnostics import Diagnostic, Path

_SUBJECT = re.compile(r'(?:expected |invalid value for |")([a-z][a-z0-9_]*)\b')


class OperationError(Exception):
    """An operation failed and left nothing; the message is for people."""


def problem_of(kind: ResourceType | FunctionType, said: Diagnostic, given: Properties) -> Problem:
    """Return a diagnostic with Pulumi's paths and names, and without the secrets among what was `given`."""
    path = _meant(kind, said)
    told = concealed(reworded(kind.members, path, str(said)), given)
    return Problem(from_terraform(kind.members, path), told.removeprefix("Missing required argument: "))


def _meant(kind: ResourceType | FunctionType, said: Diagnostic) -> Path:
    """Return where a diagnostic applies: at what it speaks of, when its path ends at a neighbour of that.

    The provider's older SDK appends the members of a deep object to one slice, so that the last one's name may
    overwrite an earlier one's.
    """
    found = _SUBJECT.match(said.summary)
    if found is None or not said.path or str(said.path[-1]) in str(said):
        return said.path
    neighbour = (*said.path[:-1], found[1])
    known = len(from_terraform(kind.members, neighbour)) == len(from_terraform(kind.members, said.path))
    return neighbour if known else said.path
