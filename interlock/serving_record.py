"""Writes down what has served: only once an endpoint has settled, and only what gets traffic there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import ValidationError

from interlock.aws.endpoint_state import EndpointState
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.release.acting import write_served
from interlock.release.record import gather
from interlock.release.served import Served
from interlock.release.signed_documents import read_as
from interlock.release.verification.admitted import Admitted
from interlock.release.verification.summary import Summary


def record_served(clients: StackClients, state: EndpointState, admitted: Collection[Admitted]) -> list[str]:
    """Have the deployer sign for each variant that serves a release of the vault; return the vault's keys.

    What was said already is found. `admitted` is what was admitted just now; what had traffic before is looked up, so
    that a run that broke off after the endpoint settled is completed by the next. Raises OutsideFailure.
    """
    known = {one.digest: one.decision.payload for one in admitted if one.decision is not None}
    shares, found = state.shares(), []
    for name, variant in sorted(state.variants.items()):
        release = variant.release
        if release is None or variant.faults or not shares[name] > 0:
            continue
        decision = known.get(release) or _decision(clients, release)
        if decision is None:
            continue
        served = Served(decision=decision, environment=clients.manifest.environment, endpoint=state.name, variant=name)
        written = write_served(
            release,
            served,
            writer=clients.vault_writer,
            reader=clients.vault_reader,
            signer=clients.signer(SigningDuty.DEPLOYER),
        )
        found.append(written.stored.key)
    return found


def _decision(clients: StackClients, digest: str) -> str | None:
    """Return the newest decision under the deployer's own key that admits a release here, believed or not.

    Who verifies judges the decision itself: to name one that does not hold says nothing.
    """
    signer = clients.signer(SigningDuty.DEPLOYER)
    record = gather(clients.vault_reader, digest, {signer.key_id: signer.public_key()})
    passed: Mapping[str, Summary] = {
        one.payload: summary
        for one in record.decisions
        if (summary := _read(one.statement.predicate)) and summary.admits(digest, clients.manifest.environment)
    }
    return max(passed, key=lambda payload: passed[payload].time_verified, default=None)


def _read(predicate: object) -> Summary | None:
    try:
        return read_as(Summary, predicate)
    except ValidationError:
        return None
