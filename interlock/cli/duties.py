"""`interlock duties`: proves who can do what, before anything of it is deployed."""

from __future__ import annotations

import datetime
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.duties_asking import diff_command, explain_command, who_can_command
from interlock.cli.duties_reading import (
    AdministratorOption,
    LiveOption,
    OrganizationOption,
    PlanOption,
    Read,
    ReaderOption,
    StackArgument,
    WorldOption,
    read,
    read_under,
)
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.duties.proof.certificate import Certificate, Claim, certify
from interlock.duties.proof.page import page
from interlock.duties.proof.prove import prove
from interlock.failures import BadInput, Refusal

app = typer.Typer(help="Who can do what, by proof over the policies themselves.", no_args_is_help=True)
app.command("who-can")(who_can_command)
app.command("explain")(explain_command)
app.command("diff")(diff_command)
MOST_SHOWN = 3


@app.command("prove")
@command
def prove_command(
    stack: StackArgument = None,
    plan: PlanOption = None,
    world: WorldOption = None,
    live: LiveOption = False,
    reader: ReaderOption = None,
    administrator: AdministratorOption = None,
    organization: OrganizationOption = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write certificate.json and certificate.html.")
    ] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Prove that duties are separate, evidence is kept and everybody can do their work; or show how not.

    Exit code 0: proved. 1: refuted, with the requests that show it. What is not modelled counts as not proved.
    """
    # Nearly all that a proof makes it keeps, and looking for garbage among it takes a quarter of the time.
    gc.set_threshold(50_000, 20, 100)
    with progress() as say:
        found = read(stack, plan, world, say=say, live=live, readers=reader or (), administrators=administrator or ())
        known = read_under(found, organization)
        say("proving")
        made = certify(
            known.world,
            prove(known.world),
            known.source,
            datetime.datetime.now(datetime.UTC),
            known.assumed,
            known.unread,
        )
    if certificate is not None:
        _write(made, certificate)
    if not made.proved:
        failed = sum(not one.holds for one in made.claims)
        raise Refusal(
            f"{failed} of {len(made.claims)} claims about {made.stack or 'the world'} do not hold",
            reasons=[line for claim in made.claims for line in _refuted(claim)],
            next_step="interlock duties explain PERSON|ROLE ACTION RESOURCE   says why a request is allowed",
            details=made.model_dump(mode="json"),
        )
    Printer(output).result(made.model_dump(mode="json"), _proved(made, known))


def _write(made: Certificate, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "certificate.json").write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (folder / "certificate.html").write_text(page(made), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--certificate: {folder}: {error.strerror}") from error


def _refuted(claim: Claim) -> Sequence[str]:
    if claim.holds:
        return []
    lines = [f"{claim.name}: {claim.sentence}"]
    for one in claim.counterexamples[:MOST_SHOWN]:
        lines.append(f"  {one.words}")
        lines += [f"    {one.decided}: {asked.principal} {asked.action} on {asked.resource}" for asked in one.requests]
    more = len(claim.counterexamples) - MOST_SHOWN
    return [*lines, *([f"  and {more} more"] if more > 0 else [])]


def _proved(made: Certificate, known: Read) -> Sequence[str]:
    return [
        f"proved: {len(made.claims)} claims about {made.stack or 'the world'}, over {len(made.documents)} documents, "
        f"from {known.source}",
        *(f"  {one.name:28} {one.sentence}" for one in made.claims),
        f"  assumed: {len(made.assumptions)} things that no policy can say; the certificate names each",
    ]
