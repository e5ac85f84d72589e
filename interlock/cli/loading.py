"""Which stack a command works on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Annotated, TypeVar

import typer
from botocore.exceptions import BotoCoreError

from interlock.clients import FoundationClients, StackClients
from interlock.failures import BadInput, OutsideFailure
from interlock.stack import SOURCES, ManifestError, ProvisionedStack, StackNotFoundError, load_foundation

_Clients = TypeVar("_Clients", bound=FoundationClients)

StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        envvar="INTERLOCK_STACK",
        help=f"{SOURCES}. Without it: the stack that Pulumi has selected here.",
        show_default=False,
    ),
]

_ANOTHER_WAY = "without a way into Pulumi's backend: --stack s3://<staging bucket>/stacks/<stack>/manifest.json"


def load_clients(source: str | None) -> StackClients:
    """Return the clients of the stack that `source` names. Raises BadInput, OutsideFailure."""
    return _loaded(lambda named: StackClients(ProvisionedStack.load(named).manifest), source)


def load_foundation_clients(source: str | None) -> FoundationClients:
    """Return the clients of the foundation of the stack that `source` names, with a platform or before there is one.

    Raises BadInput, OutsideFailure.
    """
    return _loaded(lambda named: FoundationClients(load_foundation(named)), source)


def _loaded(load: Callable[[str], _Clients], source: str | None) -> _Clients:
    try:
        clients = load(source or f"pulumi:{_selected_stack()}")
        # A client is made when first used; one made here tells of a wrong endpoint URL before anything is done.
        _ = clients.s3
        return clients
    except StackNotFoundError as error:
        raise OutsideFailure(str(error), next_step=_ANOTHER_WAY if "pulumi:" in str(error) else "") from error
    except BotoCoreError as error:
        raise OutsideFailure(f"no AWS client: {error}", next_step="set AWS credentials for this shell") from error
    except (ManifestError, ValueError) as error:
        raise BadInput(str(error)) from error


def pulumi_stack_of(source: str | None) -> str:
    """Return the Pulumi stack that `source` names, as pulumi:<stack> or <stack>. Raises BadInput for any other."""
    if source is None:
        return _selected_stack()
    scheme, colon, name = source.partition(":")
    if not colon and source:
        return source
    if scheme != "pulumi" or not name:
        raise BadInput(f"stack: received {source!r}; accepted is pulumi:<stack>, because the engine does the work")
    return name


def _selected_stack() -> str:
    missing = "give one with --stack pulumi:<stack>, or select one with: pulumi stack select <stack>"
    try:
        answer = subprocess.run(
            ["pulumi", "stack", "--show-name", "--non-interactive"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise BadInput("stack: none given, and there is no `pulumi` on PATH to ask", next_step=missing) from error
    if answer.returncode != 0 or not answer.stdout.strip():
        raise BadInput("stack: none given, and Pulumi has none selected here", next_step=missing)
    return answer.stdout.strip()
