"""DSSE envelopes: a statement together with the signatures below it.

Format: https://github.com/secure-systems-lab/dsse (protocol.md and envelope.md, v1.0)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlock.release.digests import Sha256, canonical_json, sha256
from interlock.release.signing import EcdsaSignature, PublicKey, Signer
from interlock.release.statement import PAYLOAD_TYPE, InvalidStatement, Statement, parse_statement

MOST_SIGNATURES: Final = 40
"""On one envelope, twice the highest threshold of a root: a new version may be signed by the old people and the new.

Each is tried with every key of the root before anything in the envelope is believed.
"""


class InvalidEnvelope(ValueError):
    """An envelope that is malformed, or that none of the given keys has signed."""


class Signature(BaseModel):
    """One signature; `keyid` is a hint for whoever looks for the key and proves nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    keyid: str = ""
    sig: str


class Envelope(BaseModel):
    """A payload (base64) of a type, and signatures over both."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    payload: str
    payload_type: str = Field(alias="payloadType")
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=MOST_SIGNATURES)]

    @property
    def content(self) -> bytes:
        """The envelope as it is stored, in canonical JSON."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that a DSSE signature is made over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def signed_digest(payload_type: str, payload: bytes) -> Sha256:
    """Return the digest that a signer is asked to sign."""
    return sha256(pre_authentication_encoding(payload_type, payload))


@dataclass(frozen=True)
class Sealed:
    """What an envelope holds, decoded; nothing of it is believed before `signers` has named who signed."""

    payload_type: str
    payload: bytes
    signatures: tuple[EcdsaSignature, ...]

    def signers(self, keys: Mapping[str, PublicKey]) -> frozenset[str]:
        """Return the names of those `keys` that signed."""
        digest = signed_digest(self.payload_type, self.payload)
        return frozenset(
            name for name, key in keys.items() if any(key.verifies(digest, one) for one in self.signatures)
        )


def sign_payload(payload_type: str, payload: bytes, signer: Signer) -> Signature:
    """Return `signer`'s signature over a payload of a type."""
    made = signer.sign(signed_digest(payload_type, payload))
    return Signature(keyid=signer.key_id, sig=base64.b64encode(made).decode())


def enclose(payload_type: str, payload: bytes, signatures: Sequence[Signature]) -> Envelope:
    """Return the envelope of a payload and its signatures, one at least."""
    return Envelope(payload=base64.b64encode(payload).decode(), payloadType=payload_type, signatures=tuple(signatures))


def seal(statement: Statement, signer: Signer) -> Envelope:
    """Return `statement` signed by `signer`."""
    payload = statement.content
    return enclose(PAYLOAD_TYPE, payload, [sign_payload(PAYLOAD_TYPE, payload, signer)])


def read_sealed(content: bytes) -> Sealed:
    """Return what the envelope in `content` holds. Raises InvalidEnvelope."""
    envelope = parse_envelope(content)
    return Sealed(
        envelope.payload_type,
        _decoded("payload", envelope.payload),
        tuple(EcdsaSignature(_decoded("signature", one.sig)) for one in envelope.signatures),
    )


def open_envelope(content: bytes, keys: Mapping[str, PublicKey]) -> tuple[Statement, frozenset[str]]:
    """Return the statement in an envelope and the names of those `keys` that signed it, one at least.

    Needs no network. Raises InvalidEnvelope if none did, or if `content` is not an envelope around a statement.
    """
    sealed = read_sealed(content)
    signers = sealed.signers(keys)
    if not signers:
        known = ", ".join(sorted(keys)) or "none given"
        raise InvalidEnvelope(f"no signature was made by a known key ({known})")
    if sealed.payload_type != PAYLOAD_TYPE:
        raise InvalidEnvelope(f"the payload is of type {sealed.payload_type!r}, not {PAYLOAD_TYPE!r}")
    try:
        return parse_statement(sealed.payload), signers
    except InvalidStatement as error:
        raise InvalidEnvelope(f"the payload is not a statement: {error}") from error


def payload_digest(content: bytes) -> str:
    """Return the SHA-256 of an envelope's payload in hexadecimal digits. Raises InvalidEnvelope."""
    return sha256(read_sealed(content).payload).hex()


def parse_envelope(content: bytes) -> Envelope:
    """Return the envelope in `content` as it is written. Raises InvalidEnvelope."""
    try:
        return Envelope.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise InvalidEnvelope(f"{where}: {first['msg']}") from error


def _decoded(what: str, text: str) -> bytes:
    try:
        # DSSE lets a producer choose either alphabet.
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidEnvelope(f"the {what} is not base64") from error
