"""Pins: takes a submission, looks at its bytes while they can still be deleted, and locks and signs them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from interlock.building.fetching import Fetched, erase_bytes, fetch
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.mlflow.registry import Credentials
from interlock.release.digests import sha256
from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates import gate as gates
from interlock.release.gates import running
from interlock.release.gates.gate import Document, GateInputs
from interlock.release.gates.registry import UnknownGate, find_gate
from interlock.release.measured import measured
from interlock.release.opening import Locked, NotOpened, Opening, Terms, lock, terms_of
from interlock.release.pin_statement import Dataset, Origin
from interlock.release.record import Record, gather_built
from interlock.release.submitting import DatedAhead, NoSubmission, SeveralSubmissions, Submission, find_submission
from interlock.release.tiers import BEFORE_LOCKING
from interlock.release.vault import Lock, Overwritten
from interlock.release.verification.trust import Trust


@dataclass(frozen=True)
class Pinned:
    """What pinning a submission came to."""

    submission: Submission
    fetched: Fetched
    locked: Locked
    evidence: tuple[Evidence, ...]
    """Of the gates that preceded the locking."""
    lock: Lock

    @property
    def digest(self) -> str:
        return self.fetched.manifest.subject_digest


def pin_submission(
    clients: StackClients,
    wanted: str,
    trust: Trust,
    credentials: Callable[[], Credentials | None],
    *,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
    data: Sequence[Dataset] = (),
) -> Pinned:
    """Pin what a submission asks for, under the policy in force, as the builder.

    Whatever a run that was broken off has done is not done again. Of bytes that the gates before locking refuse nothing
    is locked, and nothing stays staged. Raises BadInput, Refusal, OutsideFailure.
    """
    progress(f"look for {wanted}")
    try:
        submission = find_submission(wanted, clients.staging_reader, now=clock())
        terms = _terms(submission, trust, clock())
    except SeveralSubmissions as error:
        raise BadInput(
            f"submission: {error}", next_step="interlock release pin SUBMITTER/ID, as the submitter tells"
        ) from error
    except DatedAhead as error:
        raise BadInput(f"submission: {error}", next_step="run it again then") from error
    except NoSubmission as error:
        raise BadInput(
            f"submission: {error}",
            next_step="a creator runs  interlock release submit NAME/VERSION --tier … --ticket …",
        ) from error
    except NotOpened as error:
        raise Refusal(f"{wanted} cannot be opened for release", reasons=error.reasons) from error
    builder = clients.session_name()
    with tempfile.TemporaryDirectory(prefix="interlock-pin-") as scratch:
        fetched = fetch(clients, submission, credentials, Path(scratch), progress)
        record = _record(clients, fetched)
        evidence = _before_locking(fetched, terms, record, clock, builder, progress)
        if any(one.outcome is not Outcome.PASSED for one in evidence):
            erase_bytes(clients, submission)
            raise _unfit(wanted, evidence)
        opening = Opening(submission.pinned, fetched.origin, terms.digest, builder, data)
        try:
            locked = lock(
                fetched.folder,
                fetched.manifest,
                opening,
                evidence,
                record,
                writer=clients.vault_writer,
                reader=clients.vault_reader,
                signer=clients.signer(SigningDuty.BUILDER),
                progress=progress,
            )
        except Overwritten as error:
            raise Refusal(f"{wanted} was not pinned", reasons=[str(error)]) from error
        held = clients.vault_reader.lock(locked.manifest.key, locked.manifest.version_id)
        if held is None or held.mode != "COMPLIANCE":
            raise Refusal(f"the vault does not lock {locked.manifest.key}, so that it proves nothing")
        progress("take the staged bytes away")
        erase_bytes(clients, submission)
        return Pinned(submission, fetched, locked, tuple(evidence), held)


def _terms(submission: Submission, trust: Trust, now: datetime) -> Terms:
    digest = trust.policy_in_force
    if digest is None or digest not in trust.policies:
        fault = trust.faults.get(digest or "")
        raise NotOpened([fault.text if fault else f"version {trust.root.version} of the trust root names no policy"])
    return terms_of(submission.request, trust.policies[digest], digest, now.date())


def _record(clients: StackClients, fetched: Fetched) -> Record:
    """Return what the vault holds of the release already, as the builder signed it."""
    public = clients.signer(SigningDuty.BUILDER).public_key()
    return gather_built(clients.vault_reader, fetched.manifest.subject_digest, {public.key_id: public})


def _before_locking(
    fetched: Fetched,
    terms: Terms,
    record: Record,
    clock: Callable[[], datetime],
    builder: str,
    progress: Callable[[str], None],
) -> list[Evidence]:
    known = measured(record)
    inputs = GateInputs(
        manifest=fetched.manifest,
        folder=fetched.folder,
        now=clock(),
        documents=documents_beside(fetched.folder),
        protected_attributes=terms.policy.protected_attributes,
        approved_sources=terms.rules.sources,
        origin=origin_for_gates(fetched.origin),
    )
    evidence = []
    for name in BEFORE_LOCKING:
        progress(f"gate {name}, before anything is locked")
        try:
            gate = find_gate(name)
        except UnknownGate as error:
            raise OutsideFailure(f"nothing can be pinned here: {error}") from error
        asked = running.Terms(terms.digest, terms.tier, terms.rules.evidence[name])
        prepared = running.prepare_gate(gate, replace(inputs, now=clock()), asked)
        before = known.get(prepared.digest)
        evidence.append(before[1] if before is not None else _run(prepared, clock, builder))
    return evidence


def _run(prepared: running.PreparedGate, clock: Callable[[], datetime], builder: str) -> Evidence:
    answer = prepared.answer(clock, builder)
    if answer.unfit is not None:
        raise Refusal(f"the gate {prepared.gate.name} could not look at the release: {answer.unfit}")
    return answer.evidence


def documents_beside(folder: Path, parts: Iterable[str] = ()) -> dict[str, Document]:
    """Return the documents that lie in a release itself, by what gates call them: its contract, and of `parts` each
    that lies there as `<part>.md`.
    """
    found = {}
    for part, name in {**{part: f"{part}.md" for part in parts}, **_BESIDE}.items():
        file = folder / name
        if file.is_file():
            content = file.read_bytes()
            found[part] = Document(content, sha256(content).hex(), in_release=True)
    return found


_BESIDE: Final = {"contract": "contract.yaml"}


def origin_for_gates(origin: Origin) -> gates.Origin:
    """Return what gates are told of where a release comes from."""
    names = [one.name for one in origin.data]
    return gates.Origin(
        origin.sources,
        # Several snapshots of one name, such as for training and for evaluation, are told apart by their use.
        {one.name if names.count(one.name) == 1 else f"{one.name} {one.context}": one.digest for one in origin.data},
    )


def _unfit(wanted: str, evidence: Sequence[Evidence]) -> Refusal:
    failed = [one for one in evidence if one.outcome is not Outcome.PASSED]
    return Refusal(
        f"{wanted} was not pinned: nothing of it was locked, and what was staged of it is erased",
        reasons=[f"{one.gate}: {reason}" for one in failed for reason in one.reasons],
        details={"gates": [one.model_dump(mode="json") for one in failed]},
    )
