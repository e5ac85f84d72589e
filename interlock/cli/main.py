"""The `interlock` command."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from interlock.cli import (
    acts,
    audit,
    cost,
    duties,
    endpoint,
    images,
    ledger,
    passport,
    policy,
    release,
    root,
    serve,
    settings,
    stack,
    verify,
    watch,
    watch_endpoints,
)
from interlock.cli.checking import check_release
from interlock.cli.inventory import inventory_environment
from interlock.cli.model_signing import sign_release_model
from interlock.cli.pinning import pin_release
from interlock.cli.showing import show_release
from interlock.cli.submitting import submit_release

app = typer.Typer(
    name="interlock",
    help="Takes a model from an MLflow registry to production on AWS, with signed evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(stack.app, name="stack")
app.add_typer(release.app, name="release")
release.app.command("inventory")(inventory_environment)
release.app.command("submit")(submit_release)
release.app.command("sign-model")(sign_release_model)
release.app.command("pin")(pin_release)
release.app.command("check")(check_release)
release.app.command("show")(show_release)
for one in (acts.approve, acts.reject, acts.withdraw, acts.revoke, acts.retire, verify.verify, passport.passport):
    app.command(one.__name__)(one)
app.command("serve")(serve.serve)
app.add_typer(audit.app, name="audit")
app.add_typer(policy.app, name="policy")
app.add_typer(root.app, name="root")
app.add_typer(endpoint.app, name="endpoint")
app.add_typer(duties.app, name="duties")
app.command("cost")(cost.cost)
app.add_typer(images.app, name="images")
app.add_typer(ledger.app, name="ledger")
app.add_typer(settings.app, name="settings")
app.add_typer(watch.app, name="watch")
watch.app.command("endpoints")(watch_endpoints.endpoints)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            number = version("interlock")
        except PackageNotFoundError:
            number = "unknown (not installed)"
        sys.stdout.write(f"interlock {number}\n")
        raise typer.Exit


@app.callback()
def interlock(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Exit codes: 0 done, 1 refused (with the reasons), 2 bad input, 3 a service failed (safe to run again)."""


def main() -> None:
    """Run the command line; ends quietly when whoever reads its output has left."""
    try:
        app()
    except BrokenPipeError:
        # Python would write once more at exit, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
