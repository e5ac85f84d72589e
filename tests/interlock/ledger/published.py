"""A trust root that two people signed, with keys of KMS for the log and the witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from interlock.aws.kms import fetch_public_key
from interlock.duties.duty import SigningDuty
from interlock.release.envelope import enclose, sign_payload
from interlock.release.signing import PrivateKeySigner
from interlock.release.trust.document import PAYLOAD_TYPE, KeyDuty, TrustRoot
from interlock.release.trust.drafting import Change, NewKey, first_root
from rehearsal.cloud.server import LocalCloud

PEOPLE = ("keeper-1", "keeper-2")


def ledger_keys(cloud: LocalCloud) -> dict[SigningDuty, str]:
    """Make the keys of the log and of the witness; return their ARNs."""
    kms = cloud.client("kms")
    return {
        duty: kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        for duty in (SigningDuty.LOG, SigningDuty.WITNESS)
    }


def signed_root(cloud: LocalCloud, keys: Mapping[SigningDuty, str], logs: Sequence[str]) -> tuple[TrustRoot, bytes]:
    """Return the root of `bank` that believes these keys and names these logs, and its envelope."""
    people = {name: PrivateKeySigner(ec.generate_private_key(ec.SECP256R1())) for name in PEOPLE}
    foundation = [NewKey(KeyDuty.FOUNDATION, name, one.public_key()) for name, one in people.items()]
    kms = cloud.client("kms")
    services = [NewKey(KeyDuty(duty.value), None, fetch_public_key(kms, arn)) for duty, arn in keys.items()]
    change = Change([*foundation, *services], threshold=2, log_origins=tuple(f"bank/{log}" for log in logs))
    now = datetime.now(UTC) - timedelta(minutes=1)
    root = first_root("bank", change, now=now, life=timedelta(days=30), key_life=timedelta(days=30))
    signatures = [sign_payload(PAYLOAD_TYPE, root.content, one) for one in people.values()]
    return root, enclose(PAYLOAD_TYPE, root.content, signatures).content
