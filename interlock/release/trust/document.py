"""What a trust root says, and what makes it one.

The rules of change are those of The Update Framework's root role (TUF specification 1.0, 5.3); the form is our own,
because a TUF root knows neither a key's validity in time nor the date from which a key is distrusted.
Source: https://theupdateframework.github.io/specification/v1.0.33/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlock.release.digests import HexDigest, canonical_json, sha256
from interlock.release.signing import PublicKey
from interlock.release.times import Moment
from interlock.rules import Problem, shown, source_identity

PAYLOAD_TYPE: Final = "application/vnd.interlock.trust-root+json"
LONGEST_LIFE: Final = timedelta(days=400)
"""A year and a month for the ceremony: a root that nobody looks at for longer is nobody's."""


class KeyDuty(StrEnum):
    """What a key may be believed for."""

    FOUNDATION = "foundation"
    APPROVER = "approver"
    BUILDER = "builder"
    DEPLOYER = "deployer"
    RESPONDER = "responder"
    OBSERVER = "observer"
    LOG = "log"
    WITNESS = "witness"


PERSONAL: Final = frozenset({KeyDuty.FOUNDATION, KeyDuty.APPROVER})
"""Duties whose keys belong to one person each."""


class InvalidRoot(ValueError):
    """A document that is no trust root; `problems` holds all that is wrong, by path."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Distrust(_Model):
    """From when a key is not believed any more, and why: what it signed before stands."""

    since: Moment
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class TrustedKey(_Model):
    """A public key on P-256, what it is believed for, and when."""

    duty: KeyDuty
    person: str | None = None
    """The source identity of whoever signs with it; None where the duty is no person's."""
    public_key: str
    """PEM SubjectPublicKeyInfo."""
    valid_from: Moment
    valid_until: Moment
    distrusted: Distrust | None = None

    def believed_at(self, moment: datetime) -> bool:
        """Say whether a signature made at `moment` (UTC) counts."""
        in_time = self.valid_from <= moment < self.valid_until
        return in_time and (self.distrusted is None or moment < self.distrusted.since)


class TrustRoot(_Model):
    """One version of the trust root."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=100)]
    """Whose releases it speaks for, such as the company's or the evidence account's name."""
    version: Annotated[int, Field(ge=1)]
    previous: HexDigest | None = None
    """The fingerprint of the version before; None in version 1."""
    issued_at: Moment
    expires_at: Moment
    threshold: Annotated[int, Field(ge=2, le=20)]
    """How many foundation people must sign a version."""
    keys: Mapping[HexDigest, TrustedKey]
    """By the SHA-256 of their DER SubjectPublicKeyInfo."""
    log_origins: tuple[str, ...] = ()
    """Origin lines of the ledger's logs."""
    policies: Mapping[str, HexDigest] = Field(default_factory=dict)
    """SHA-256 of each signed policy's file, by its name."""

    @property
    def content(self) -> bytes:
        """The document in canonical JSON: what is signed."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the document, in hexadecimal digits."""
        return sha256(self.content).hex()

    def believed(self, duty: KeyDuty, moment: datetime) -> dict[str, TrustedKey]:
        """Return the keys that are believed for `duty` at `moment` (UTC), by their ids."""
        return {name: key for name, key in self.keys.items() if key.duty is duty and key.believed_at(moment)}

    def guardians(self, moment: datetime) -> dict[str, TrustedKey]:
        """Return the foundation people's keys that may sign a root issued at `moment` (UTC), by their ids.

        A key that is distrusted from any day on is none of them: whoever holds it may write any date.
        """
        believed = self.believed(KeyDuty.FOUNDATION, moment)
        return {name: key for name, key in believed.items() if key.distrusted is None}


def parse_root(content: bytes) -> TrustRoot:
    """Return the trust root in `content`, which must be canonical JSON. Raises InvalidRoot with all that is wrong."""
    try:
        root = TrustRoot.model_validate_json(content)
    except ValidationError as error:
        raise InvalidRoot(
            [
                Problem(".".join(map(str, one["loc"])) or "document", shown(one["input"]), one["msg"])
                for one in error.errors()
            ]
        ) from None
    problems = list(_contradictions(root))
    if not problems and root.content != content:
        problems = [Problem("document", "JSON in another form", "the canonical form (RFC 8785), each key once")]
    if problems:
        raise InvalidRoot(problems)
    return root


def parse_draft(text: str) -> TrustRoot:
    """Return the trust root in a draft, which people may have laid out. Raises InvalidRoot."""
    try:
        return parse_root(canonical_json(json.loads(text)))
    except ValueError as error:
        if isinstance(error, InvalidRoot):
            raise
        raise InvalidRoot([Problem("document", shown(text[:80]), f"JSON: {error}")]) from None


def moment(time: datetime) -> datetime:
    """Return `time` as a root writes it: UTC, whole seconds."""
    return time.astimezone(UTC).replace(microsecond=0)


def _contradictions(root: TrustRoot) -> Iterator[Problem]:
    if (root.version == 1) != (root.previous is None):
        yield Problem("previous", shown(root.previous), "nothing in version 1, else the fingerprint of the one before")
    if not root.issued_at < root.expires_at <= root.issued_at + LONGEST_LIFE:
        yield Problem(
            "expires_at",
            root.expires_at.isoformat(),
            f"a time after {root.issued_at.isoformat()} (issued_at), by at most {LONGEST_LIFE.days} days",
        )
    for name, key in root.keys.items():
        yield from _of_key(f"keys.{name[:12]}…", name, key)
    people = {key.person for key in root.guardians(root.issued_at).values()}
    if len(people) < root.threshold:
        yield Problem(
            "threshold",
            f"{root.threshold}, with the keys of {len(people)} foundation people",
            "at most as many as there are foundation people whose keys are valid and trusted",
        )


def _of_key(path: str, name: str, key: TrustedKey) -> Iterator[Problem]:
    try:
        known = PublicKey.from_pem(key.public_key.encode()).key_id
    except ValueError as error:
        yield Problem(f"{path}.public_key", shown(key.public_key), f"a public key on P-256 in PEM: {error}")
    else:
        if known != name:
            yield Problem(path, f"the key {known[:12]}…", "each key under the SHA-256 of its SubjectPublicKeyInfo")
    if (key.duty in PERSONAL) != (key.person is not None):
        whose = "the source identity of its owner" if key.duty in PERSONAL else f"nobody's name for {key.duty}"
        yield Problem(f"{path}.person", shown(key.person), whose)
    if key.person is not None and not source_identity.holds(key.person):
        yield Problem(f"{path}.person", shown(key.person), source_identity.accepted)
    if not key.valid_from < key.valid_until:
        yield Problem(f"{path}.valid_until", key.valid_until.isoformat(), f"a time after {key.valid_from.isoformat()}")
