"""What a provider says, as what a program's author reads."""

from __future__ import annotations

from rehearsal.engine.aws.catalogue import FunctionType, ResourceType
from rehearsal.engine.aws.inputs import Problem
from rehearsal.engine.aws.outputs import concealed
from rehearsal.engine.aws.paths import from_terraform, reworded
from rehearsal.engine.aws.properties import Properties
from rehearsal.engine.terraform.diagnostics import Diagnostic


class OperationError(Exception):
    """An operation failed and left nothing; the message is for people."""


def problem_of(kind: ResourceType | FunctionType, said: Diagnostic, given: Properties) -> Problem:
    """Return a diagnostic with Pulumi's paths and names, and without the secrets among what was `given`."""
    told = concealed(reworded(kind.members, said.path, str(said)), given)
    return Problem(from_terraform(kind.members, said.path), told.removeprefix("Missing required argument: "))
