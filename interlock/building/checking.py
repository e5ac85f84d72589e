"""Checks a release: runs the gates that its tier demands, signs what they measured, and says what is still missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from interlock.building.champions import Champion, Champions
from interlock.building.inputs import CheckInputs
from interlock.building.pinning import documents_beside, origin_for_gates
from interlock.building.workshop import Bench, Confine, confined, laid_out
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, Refusal
from interlock.release.demanded import Demanded, SignedEvidence, Standing, standings, terms_in
from interlock.release.digests import is_hex_digest, sha256
from interlock.release.elsewhere import NotAccepted, accepted_elsewhere
from interlock.release.evidence import Outcome
from interlock.release.gates import running
from interlock.release.gates.gate import Document, Gate, GateInputs
from interlock.release.gates.registry import UnknownGate, find_gate
from interlock.release.gates.sbom import SbomGate, bill_of
from interlock.release.measured import evidence_statement, put_statement
from interlock.release.predicates import Predicate
from interlock.release.record import Record, gather_built
from interlock.release.statement import Statement, statement_about
from interlock.release.test_result import TESTING_GATE, result_statement
from interlock.release.tiers import BEFORE_LOCKING
from interlock.release.verification.readings import read
from interlock.release.verification.trust import Trust


@dataclass
class Checked:
    """What a check came to."""

    digest: str
    standings: tuple[Standing, ...] = ()
    """What each gate that is demanded stands at, after the run."""
    ran: list[str] = field(default_factory=list)
    """The gates that were measured in this run, and not found measured."""
    missing: dict[str, str] = field(default_factory=dict)
    """By gate, why it could not even be tried here."""

    @property
    def failed(self) -> tuple[Standing, ...]:
        """What keeps the release from being admitted."""
        return tuple(one for one in self.standings if not one.passed)


@dataclass(frozen=True)
class Check:
    """One run of `interlock release check`."""

    clients: StackClients
    trust: Trust
    inputs: CheckInputs
    clock: Callable[[], datetime]
    progress: Callable[[str], None]
    confine: Confine = confined

    def run(self, digest: str, only: Sequence[str] = ()) -> Checked:
        """Measure what is demanded of a release and was not measured yet, as the builder.

        Each gate's evidence is signed and stored as soon as it is there, so that a run that is broken off is taken up
        by the next. Raises BadInput, Refusal, and OutsideFailure where the machine and not the release is at fault:
        then nothing is signed of that gate.
        """
        record = self._record("DIGEST", digest)
        demanded = self._demanded(record)
        wanted = self._wanted(demanded, only)
        checked = Checked(digest)
        for one in demanded:
            self._take_from_elsewhere(digest, one, record)
        left = [(one, gate) for one in demanded for gate in one.demands if gate in wanted]
        left = list(self._unmeasured(left, record, only))
        if left:
            with ExitStack() as stack:
                champions = self._champions(stack)
                if self.inputs.champion is not None:
                    pins = [pin for one in demanded for pin in one.pins]
                    champions.accept(digest, pins, self.inputs.champion)
                bench = stack.enter_context(laid_out(record, self.clients.vault_reader, self.confine, self.progress))
                given = self._given(bench)
                self.progress(f"measure as {self._builder}")
                for number, (one, gate) in enumerate(left, start=1):
                    self.progress(f"gate {number} of {len(left)}, {gate}")
                    self._measure(gate, one, given, record, checked, champions)
        self._tell_in_the_standard_form(self._record("DIGEST", digest))
        after = self._recorded(self._record("DIGEST", digest))
        checked.standings = tuple(
            standing for one in demanded for standing in standings(one, after, only=wanted, missing=checked.missing)
        )
        return checked

    @cached_property
    def _builder(self) -> str:
        """The caller's session name: whoever chooses what is measured on approves nothing of it."""
        return self.clients.session_name()

    def _record(self, field_name: str, digest: str) -> Record:
        if not is_hex_digest(digest):
            raise BadInput(f"{field_name}: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
        record = gather_built(self.clients.vault_reader, digest, self.trust.public_keys())
        if not record.versions:
            raise BadInput(f"{field_name}: the vault holds no release {digest}")
        return record

    def _recorded(self, record: Record) -> list[SignedEvidence]:
        found = read(record, self.trust.root).evidence
        return [SignedEvidence(one.what, frozenset(key.duty for key in one.keys)) for one in found]

    def _demanded(self, record: Record) -> list[Demanded]:
        pins = [one.what for one in read(record, self.trust.root).pins]
        demanded = terms_in(pins, self.trust.policies, self.trust.policy_in_force)
        if not demanded:
            raise Refusal(
                f"the release {record.digest} was not opened under a policy that the trust root names",
                reasons=[one.text for one in (*record.problems, *self.trust.faults.values())],
                next_step="interlock release pin SUBMISSION opens it",
            )
        return demanded

    def _wanted(self, demanded: Sequence[Demanded], only: Sequence[str]) -> frozenset[str]:
        known = {gate for one in demanded for gate in one.demands}
        strange = sorted(set(only) - known)
        if strange:
            raise BadInput(f"--gate: received {', '.join(strange)}; accepted is one of {', '.join(sorted(known))}")
        return frozenset(only or known)

    def _take_from_elsewhere(self, digest: str, one: Demanded, record: Record) -> None:
        for path, envelope in self.inputs.envelopes:
            try:
                accepted = accepted_elsewhere(envelope, digest, one, self.trust.root, self.clock())
            except NotAccepted as error:
                raise BadInput(f"evidence: {path} is not accepted: {error}") from error
            if accepted is None or any(known.payload == accepted.payload for known in record.statements):
                continue
            self.progress(f"store the evidence of {accepted.evidence.gate} that was made elsewhere")
            self.clients.vault_writer.put(accepted.key, envelope, sha256(envelope).hex())

    def _unmeasured(
        self, left: Sequence[tuple[Demanded, str]], record: Record, only: Sequence[str]
    ) -> Iterator[tuple[Demanded, str]]:
        """Yield what is to be tried: not what was decided before locking, nor what others alone may sign."""
        recorded = self._recorded(record)
        for one, gate in left:
            decided = [known for known in standings(one, recorded, only=[gate], missing={}) if known.evidence]
            before = gate in BEFORE_LOCKING and decided and gate not in only
            if not before and one.is_ours(gate):
                yield one, gate

    def _given(self, bench: Bench) -> GateInputs:
        return GateInputs(
            manifest=bench.manifest,
            folder=bench.folder,
            now=self.clock(),
            predictor=bench.model.predictor,
            server=bench.model.server,
            tables=self.inputs.tables,
            documents={**self.inputs.documents, **self._own_documents(bench.folder)},
        )

    def _own_documents(self, folder: Path) -> Mapping[str, Document]:
        """Return the documents in the release, which approvers see and serving reads: no others stand in for them."""
        given = self.inputs.documents
        own = documents_beside(folder, given)
        others = sorted(part for part, one in own.items() if part in given and given[part].sha256 != one.sha256)
        if others:
            raise BadInput(
                "; ".join(
                    f"documents.{part}: received a file of digest {given[part].sha256[:12]}…; the release holds its "
                    f"own, {own[part].sha256[:12]}…, and accepted is that one alone"
                    for part in others
                )
            )
        return own

    def _champions(self, stack: ExitStack) -> Champions:
        vault = self.clients.vault_reader
        return Champions(vault, vault, self.trust, self.confine, self.progress, stack)

    def _measure(
        self, gate: str, one: Demanded, given: GateInputs, record: Record, checked: Checked, champions: Champions
    ) -> None:
        try:
            found = find_gate(gate)
        except UnknownGate as error:
            checked.missing[gate] = str(error)
            return
        tried: set[str] = set()
        for pin in one.pins:
            prepared = self._prepared(found, one, given, champions.of(record.digest, pin))
            # What depends on no champion, or on the same one, is the same measurement.
            if prepared.digest not in tried:
                tried.add(prepared.digest)
                self._answer(prepared, one, record, checked)

    def _prepared(
        self, found: Gate, one: Demanded, given: GateInputs, champion: Champion | None
    ) -> running.PreparedGate:
        inputs = replace(
            given,
            now=self.clock(),
            champion=champion,
            champion_digest=champion.digest if champion else None,
            protected_attributes=one.policy.protected_attributes,
            approved_sources=one.rules.sources,
            origin=origin_for_gates(one.pin),
        )
        return running.prepare_gate(found, inputs, running.Terms(one.digest, one.tier, one.demands[found.name]))

    def _answer(self, prepared: running.PreparedGate, one: Demanded, record: Record, checked: Checked) -> None:
        gate = prepared.gate.name
        known = [signed for signed in self._recorded(record) if signed.evidence.inputs == prepared.digest]
        if any(before.counts(one.demands[gate]) for before in known):
            return
        answer = prepared.answer(self.clock, self._builder)
        if answer.unfit is not None:
            # Failed evidence is for good, and this is no fault of the release's bytes.
            checked.missing[gate] = answer.unfit
            return
        evidence = answer.evidence
        if gate == SbomGate.name and evidence.outcome is Outcome.PASSED:
            # Before the evidence, so that whoever finds this gate measured finds its bill as well.
            bill = statement_about(record.digest, Predicate.BILL_OF_MATERIALS, bill_of(prepared.inputs))
            self._put(record.digest, Predicate.BILL_OF_MATERIALS, bill)
        self._put(record.digest, Predicate.EVIDENCE, evidence_statement(record.digest, evidence))
        if gate not in checked.ran:
            checked.ran.append(gate)

    def _tell_in_the_standard_form(self, record: Record) -> None:
        """Sign what the gate of tests found as a test result, too; a run that broke off left some untold."""
        told = {one.payload for one in record.of(Predicate.TEST_RESULT)}
        for one in read(record, self.trust.root).evidence:
            statement = result_statement(record.digest, one.what, one.payload)
            if one.what.gate == TESTING_GATE and sha256(statement.content).hex() not in told:
                self._put(record.digest, Predicate.TEST_RESULT, statement)

    def _put(self, digest: str, kind: Predicate, statement: Statement) -> None:
        signer = self.clients.signer(SigningDuty.BUILDER)
        writer, reader = self.clients.vault_writer, self.clients.vault_reader
        put_statement(digest, kind, statement, signer, writer=writer, reader=reader)
