"""Evidence that was made elsewhere: accepted if whom the policy names has signed it, for this release and policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from interlock.release.demanded import Demanded
from interlock.release.digests import sha256
from interlock.release.envelope import InvalidEnvelope, read_sealed
from interlock.release.evidence import Evidence
from interlock.release.predicates import Predicate
from interlock.release.record import envelope_key
from interlock.release.signed_documents import read_as
from interlock.release.signing import PublicKey
from interlock.release.statement import PAYLOAD_TYPE, InvalidStatement, parse_statement
from interlock.release.trust.document import TrustRoot


class NotAccepted(ValueError):
    """An envelope that cannot count for this release; the message says why."""


@dataclass(frozen=True)
class Accepted:
    """Evidence that counts, and where its envelope belongs."""

    evidence: Evidence
    key: str
    payload: str
    """SHA-256 of the payload, in hexadecimal digits."""


def accepted_elsewhere(
    envelope: bytes, subject_digest: str, demanded: Demanded, root: TrustRoot, now: datetime
) -> Accepted | None:
    """Return the evidence in an envelope, or None if it is of another tier or a gate that is not demanded here.

    Raises NotAccepted for one that is broken, of another release or policy, or signed by nobody whom the policy names.
    """
    try:
        sealed = read_sealed(envelope)
        statement = parse_statement(sealed.payload)
        evidence = read_as(Evidence, statement.predicate)
    except (InvalidEnvelope, InvalidStatement) as error:
        raise NotAccepted(f"it is no signed statement: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise NotAccepted(f"it is no evidence: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if sealed.payload_type != PAYLOAD_TYPE or statement.predicate_type != Predicate.EVIDENCE:
        raise NotAccepted(f"it is of the kind {statement.predicate_type!r}, not {Predicate.EVIDENCE.value!r}")
    if not statement.is_about(subject_digest):
        raise NotAccepted("it is about another release")
    demand = demanded.demands.get(evidence.gate)
    if demand is None or evidence.tier != demanded.tier:
        return None
    if evidence.policy != demanded.digest:
        raise NotAccepted(f"it was measured under another policy, {evidence.policy}")
    believed = {
        name: PublicKey.from_pem(key.public_key.encode())
        for name, key in root.keys.items()
        if key.duty in demand.signers and key.believed_at(now)
    }
    if not sealed.signers(believed):
        wanted = ", ".join(demand.signers)
        raise NotAccepted(f"no believed key of those whom the policy names for {evidence.gate} ({wanted}) signed it")
    payload = sha256(sealed.payload).hex()
    return Accepted(evidence, envelope_key(Predicate.EVIDENCE, subject_digest, payload), payload)
