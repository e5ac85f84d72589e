"""`interlock release show`: what the vault holds about a release, before anybody judges it."""

from __future__ import annotations

from interlock.cli.loading import StackOption, load_clients
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, rows, visible
from interlock.cli.verdicts import DigestArgument
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput
from interlock.release.digests import is_hex_digest
from interlock.release.measured import evidence_in
from interlock.release.opening import pins_in
from interlock.release.pin_statement import PinPredicate
from interlock.release.record import Record, gather
from interlock.release.signing import PublicKey
from interlock.release.trust.chain import RootRefused, read_signed
from interlock.release.trust.published import Unpublished, read_roots


@command
def show_release(digest: DigestArgument, stack: StackOption = None, output: OutputOption = OutputFormat.TEXT) -> None:
    """Show a release's record as it lies in the vault; nothing is judged: `interlock verify` does that."""
    if not is_hex_digest(digest):
        raise BadInput(f"DIGEST: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    clients = load_clients(stack)
    record = gather(clients.vault_reader, digest, _keys(clients))
    if not record.versions:
        raise BadInput(f"DIGEST: the vault holds no release {digest}")
    table = rows("what", "outcome", "signed by", "statement")
    evidence = {statement.key: one for statement, one in evidence_in(record)}
    for one in record.statements:
        measured = evidence.get(one.key)
        table.add_row(
            visible(measured.gate if measured else one.predicate_type.rpartition(":predicate:")[2]),
            measured.outcome.value if measured else "",
            ", ".join(sorted(one.signers)),
            one.payload[:12] + "…",
        )
    pins = pins_in(record)
    Printer(output).result(_fields(record, pins), [*_lines(record, pins)], table)


def _keys(clients: StackClients) -> dict[str, PublicKey]:
    """Return the keys of the published root by whose they are: enough to show by, not enough to believe."""
    try:
        root = read_signed(read_roots(clients.vault_reader)[-1]).root
    except (Unpublished, RootRefused):
        return dict(clients.public_keys(SigningDuty.BUILDER))
    return {
        f"{key.person or key.duty.value} ({name[:8]}…)": PublicKey.from_pem(key.public_key.encode())
        for name, key in root.keys.items()
    }


def _lines(record: Record, pins: list[PinPredicate]) -> list[str]:
    manifest = record.manifest
    files = f"{len(manifest.files)} files, {manifest.total_size} bytes" if manifest else "no manifest that can be read"
    lines = [f"release {record.digest}", f"  {files}"]
    for pin in pins:
        source = f"{pin.source.kind} {pin.source.name}/{pin.source.version}"
        if pin.request is None:
            lines.append(f"  pinned from {source}, which nobody submitted")
            continue
        asked = pin.request.document
        urgent = ", an emergency" if asked.emergency else ""
        lines.append(
            f"  pinned from {source}, submitted by {pin.request.submitter} with {asked.ticket}: tier {asked.tier} "
            f"for {asked.environment}{urgent}, under policy {pin.policy[:12]}…"
        )
    return [*lines, *(f"  wrong: {one.text}" for one in record.problems)]


def _fields(record: Record, pins: list[PinPredicate]) -> dict[str, object]:
    return {
        "digest": record.digest,
        "files": [file.model_dump() for file in record.manifest.files] if record.manifest else [],
        "pins": [pin.model_dump(mode="json") for pin in pins],
        "statements": [
            {
                "key": one.key,
                "version_id": one.version_id,
                "payload": one.payload,
                "predicate_type": one.predicate_type,
                "signed_by": sorted(one.signers),
                "predicate": one.statement.predicate,
            }
            for one in record.statements
        ],
        "problems": [{"code": one.code.value, "text": one.text, "where": one.where} for one in record.problems],
    }
