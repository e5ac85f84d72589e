"""Signed notes: a text and, each on a line of its own, signatures below it.

Format: https://c2sp.org/signed-note. Signatures are ECDSA on P-256 over the SHA-256 of the text, as DER; the four bytes
before one are the first of the SHA-256 of the key's DER SubjectPublicKeyInfo, as that page has it for ECDSA.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from interlock.release.digests import sha256
from interlock.release.signing import EcdsaSignature, PublicKey, Signer

KEY_HASH_BYTES: Final = 4
MOST_SIGNATURES: Final = 16
_MARK: Final = "— "
_TIME_BYTES: Final = 8


class InvalidNote(ValueError):
    """Bytes that are no signed note."""


@dataclass(frozen=True)
class NoteSignature:
    """One line: whose key it claims to be, and what that key made."""

    name: str
    key_hash: bytes
    blob: bytes

    def is_by(self, name: str, key_id: str) -> bool:
        """Say whether the line claims to be of the key `key_id`, called `name`."""
        return self.name == name and self.key_hash == key_hash(key_id)

    @property
    def line(self) -> str:
        """The line as it is written."""
        return f"{_MARK}{self.name} {base64.b64encode(self.key_hash + self.blob).decode()}\n"


@dataclass(frozen=True)
class SignedNote:
    """A text, which ends with a newline, and the signatures below it; nothing of it is believed yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @property
    def content(self) -> bytes:
        """The note as it is stored."""
        return (self.text + "\n" + "".join(one.line for one in self.signatures)).encode()

    def with_signature(self, made: NoteSignature) -> SignedNote:
        """Return the note with a further signature."""
        return SignedNote(self.text, (*self.signatures, made))

    def is_signed_by(self, name: str, key: PublicKey) -> bool:
        """Say whether `key`, called `name`, has signed the text."""
        digest = sha256(self.text.encode())
        lines = [one for one in self.signatures if one.is_by(name, key.key_id)]
        return any(key.verifies(digest, EcdsaSignature(one.blob)) for one in lines)

    def cosigned_by(self, name: str, key: PublicKey) -> int | None:
        """Return when (Unix seconds) `key`, called `name`, has co-signed the text, or None if it has not."""
        for one in self.signatures:
            if one.is_by(name, key.key_id) and len(one.blob) > _TIME_BYTES:
                seconds = int.from_bytes(one.blob[:_TIME_BYTES], "big")
                message = sha256(_cosigned(self.text, seconds))
                if key.verifies(message, EcdsaSignature(one.blob[_TIME_BYTES:])):
                    return seconds
        return None


def sign_note(text: str, name: str, key_id: str, signer: Signer) -> NoteSignature:
    """Return the signature over `text` of the key `key_id` (SHA-256 of its SPKI), called `name`."""
    return NoteSignature(name, key_hash(key_id), signer.sign(sha256(text.encode())))


def cosign_note(text: str, seconds: int, name: str, key_id: str, signer: Signer) -> NoteSignature:
    """Return a witness's signature over `text` and the time (Unix seconds) at which it was made.

    What is signed and how the time is written are those of https://c2sp.org/tlog-cosignature, "cosignature/v1", with
    ECDSA on P-256, as all keys of a trust root are, in Ed25519's place.
    """
    made = signer.sign(sha256(_cosigned(text, seconds)))
    return NoteSignature(name, key_hash(key_id), seconds.to_bytes(_TIME_BYTES, "big") + made)


def key_hash(key_id: str) -> bytes:
    """Return what a line says of the key whose SPKI has the SHA-256 `key_id` (hexadecimal digits)."""
    return bytes.fromhex(key_id)[:KEY_HASH_BYTES]


def parse_note(content: bytes) -> SignedNote:
    """Return the note in `content`. Raises InvalidNote."""
    try:
        written = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidNote("the note is not UTF-8") from error
    if any(ord(one) < 0x20 and one != "\n" for one in written):
        raise InvalidNote("the note holds a control character")
    text, found, lines = written.rpartition("\n\n")
    if not found or not text or not lines.endswith("\n"):
        raise InvalidNote("the note has no signatures below its text")
    signatures = [_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > MOST_SIGNATURES:
        raise InvalidNote(f"the note has {len(signatures)} signatures; accepted are {MOST_SIGNATURES} at most")
    return SignedNote(text + "\n", tuple(signatures))


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not name or not encoded or "+" in name or any(one.isspace() for one in name):
        raise InvalidNote("a line below the text is no signature")
    try:
        made = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidNote("a signature is not base64") from error
    if len(made) <= KEY_HASH_BYTES:
        raise InvalidNote("a signature is too short")
    return NoteSignature(name, made[:KEY_HASH_BYTES], made[KEY_HASH_BYTES:])


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
