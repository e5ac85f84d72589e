"""Opening a release: what a request demands under the policy in force, and the order in which bytes are locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from interlock.release.evidence import Evidence, GateName
from interlock.release.manifest import Manifest
from interlock.release.measured import evidence_statement, measured, put_statement
from interlock.release.pin_statement import Dataset, Origin, PinnedRequest, PinPredicate
from interlock.release.predicates import Predicate
from interlock.release.record import Record
from interlock.release.request import ReleaseRequest
from interlock.release.signed_documents import read_as
from interlock.release.signing import Signer
from interlock.release.statement import statement_about
from interlock.release.tiers import Demand, TierRules, TiersPolicy, missing_before_locking
from interlock.release.transfer import LANES, Item, put_all
from interlock.release.vault import StoredObject, VaultReader, VaultWriter, files_prefix, manifest_key


class NotOpened(ValueError):
    """No release can be opened; `reasons` says why, one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reasons))


@dataclass(frozen=True)
class Terms:
    """What a request demands under a policy."""

    policy: TiersPolicy
    digest: str
    """The policy's, as the trust root names it."""
    tier: str
    rules: TierRules
    demands: Mapping[GateName, Demand]
    """What is required, by gate."""


def terms_of(request: ReleaseRequest, policy: TiersPolicy, digest: str, today: date) -> Terms:
    """Return what `request` demands under the policy with that digest. Raises NotOpened with every reason."""
    reasons = []
    if policy.review_by < today:
        reasons.append(f"the policy was to be looked at again by {policy.review_by}: people of the foundation sign one")
    reasons += [str(problem) for problem in missing_before_locking(policy)]
    rules = policy.tiers.get(request.tier)
    if rules is None:
        reasons.append(f"the policy has no tier {request.tier}; there are {', '.join(policy.tiers)}")
    elif request.emergency and rules.emergency is None:
        reasons.append(f"tier {request.tier} has no emergency path")
    if reasons or rules is None:
        raise NotOpened(reasons)
    return Terms(
        policy, digest, request.tier.value, rules, rules.demands(request.produces, emergency=request.emergency)
    )


@dataclass(frozen=True)
class Opening:
    """Everything that a pin statement says besides where in the vault the files lie."""

    request: PinnedRequest
    origin: Origin
    policy: str
    builder: str
    data: Sequence[Dataset] = ()
    """Snapshots that the builder took digests of, beside those that the training run recorded."""

    def predicate(self, objects: Mapping[str, str]) -> PinPredicate:
        """Return the pin's predicate, once it is known which versions the files have."""
        asked = self.request.document
        return PinPredicate(
            **{name: getattr(self.origin, name) for name in Origin.model_fields if name != "data"},
            data=(*self.origin.data, *self.data),
            objects=objects,
            request=self.request,
            tier=asked.tier,
            environment=asked.environment,
            policy=self.policy,
            builder=self.builder,
        )

    def is_of(self, pin: PinPredicate) -> bool:
        """Say whether a pin in the record opened this request under this policy already."""
        return pin.request is not None and (pin.request.sha256, pin.request.submitter, pin.policy) == (
            self.request.sha256, self.request.submitter, self.policy,
        )  # fmt: skip


@dataclass(frozen=True)
class Locked:
    """A release in the vault, and the pin that opened it."""

    files: tuple[StoredObject, ...]
    manifest: StoredObject
    statement: StoredObject
    predicate: PinPredicate


def pins_in(record: Record) -> list[PinPredicate]:
    """Return the pins of a record that can be read as such."""
    found = []
    for one in record.pins:
        try:
            found.append(read_as(PinPredicate, one.statement.predicate))
        except ValueError:
            # Whoever verifies the record refuses it; here it is no pin that could be taken up.
            continue
    return found


def lock(
    folder: Path,
    manifest: Manifest,
    opening: Opening,
    evidence: Sequence[Evidence],
    record: Record,
    *,
    writer: VaultWriter,
    reader: VaultReader,
    signer: Signer,
    progress: Callable[[str], None] = lambda _: None,
    lanes: int = LANES,
) -> Locked:
    """Write a release's files, their manifest, the evidence that preceded it, and at last the pin that opens it.

    `record` is what the vault held of the release before; of what is there already nothing is written again. Raises
    Overwritten if the vault holds other bytes where these belong, and what `writer` and `signer` raise.
    """
    digest = manifest.subject_digest
    prefix = files_prefix(digest)
    items = [Item(prefix + file.path, folder / file.path, file.sha256) for file in manifest.files]
    files = put_all(items, prefix, writer=writer, reader=reader, progress=progress, lanes=lanes)
    stored = writer.put(manifest_key(digest), manifest.content, digest)
    known = measured(record)
    for one in evidence:
        if one.inputs not in known:
            statement = evidence_statement(digest, one)
            put_statement(digest, Predicate.EVIDENCE, statement, signer, writer=writer, reader=reader)
    before = [one for one in pins_in(record) if opening.is_of(one)]
    predicate = before[0] if before else opening.predicate({one.key: one.version_id for one in (*files, stored)})
    pin = statement_about(digest, Predicate.PIN, predicate.model_dump(mode="json"))
    signed = put_statement(digest, Predicate.PIN, pin, signer, writer=writer, reader=reader)
    return Locked(tuple(files), stored, signed, predicate)
