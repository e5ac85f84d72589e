"""What the steps that run Terraform share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.infra import InfraError
from rehearsal.story.context import Context
from rehearsal.story.step import Unexpected


def apply_root(context: Context, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Initialize and apply a root module of `infra/`, as the administrator of each account that `values` name.

    Returns its outputs. Raises Unexpected.
    """
    administer(context, values)
    assert context.infra is not None
    root = context.infra.root(path)
    with terraform(f"to apply infra/{path.partition('/')[0]}"):
        context.busy("terraform init")
        root.initialize()
        context.busy("terraform apply")
        root.apply(values)
        context.by_terraform |= root.arns()
        return root.outputs()


def administer(context: Context, values: Mapping[str, Any]) -> None:
    """Note that the step acts as the administrator of each account that the variables of a root module name."""
    context.administer(*(one for name, one in values.items() if name.endswith("_account_id")))


@contextlib.contextmanager
def terraform(expected: str) -> Iterator[None]:
    """Have Terraform's failure be the step's, which expected it `to …`."""
    try:
        yield
    except InfraError as failed:
        raise Unexpected(f"Terraform {expected}", str(failed)[-4000:]) from failed
