#!/usr/bin/env python3
"""Checks an audit bundle of a release with Python's own library alone: no network, no AWS, no package.

    python3 verify.py BUNDLE.zip --root FINGERPRINT

It believes nothing in the bundle but what follows from the fingerprint of the trust root, which must be known from
elsewhere: 64 hexadecimal digits, the SHA-256 of the first version of the root. Take this file, too, from a place that
the bundle's author does not control; it prints its own SHA-256.

Exit codes: 0 everything holds; 1 refused, with the reasons; 2 this is no bundle that could be checked.

Formats: in-toto Statement v1; DSSE v1.0; RFC 8785 (canonical JSON); RFC 6962 (Merkle trees); C2SP tlog-checkpoint,
tlog-tiles and signed-note; ECDSA on P-256 with SHA-256 (FIPS 186-5, SEC 1).
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import itertools
import json
import math
import os
import re
import stat
import sys
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

# --------------------------------------------------------------------------------------------------- what is said


class Unfit(Exception):
    """What was given is no bundle that could be checked at all."""


class Broken(Exception):
    """A document or signature is not what it should be; `code` is the kind of reason."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Unreadable(Broken):
    """A statement that could only have helped the release does not say what its kind says."""


@dataclass(frozen=True)
class Reason:
    """Why the record is refused: the code is for programs, `where` names the object or statement."""

    code: str
    text: str
    where: str = ""


MOST_TOLD = 1000
"""How many reasons of one code are told: whoever made the bundle decides how many there are."""


@dataclass
class Report:
    """What was checked, why it is refused, and what could not be known."""

    checks: list[tuple[str, str]] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    """What is wrong, and refuses nothing by itself."""
    facts: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    untold: Counter[str] = field(default_factory=Counter)
    """By code, how many reasons there are beside those that are told."""
    _known: set[Reason] = field(default_factory=set)
    _told: Counter[str] = field(default_factory=Counter)

    def refuse(self, code: str, text: str, where: str = "") -> None:
        reason = Reason(code, text, where)
        if reason in self._known:
            return
        self._known.add(reason)
        if self._told[code] == MOST_TOLD:
            self.untold[code] += 1
            return
        self._told[code] += 1
        self.reasons.append(reason)

    def note(self, code: str, text: str, where: str = "") -> None:
        if len(self.notes) < MOST_TOLD:
            self.notes.append(Reason(code, text, where))

    def checked(self, name: str, result: str) -> None:
        self.checks.append((name, result))


def shown(value: object, limit: int = 300) -> str:
    """Return a text in which nothing acts on a terminal: names and reasons come from whoever wrote them."""
    text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"


# ---------------------------------------------------------------------------------------------- JSON as it is signed


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _exact(text: str) -> int:
    # Longer ones are not even counted: to read them takes the square of their length.
    if len(text) > 17 or abs(int(text)) >= 2**53:
        raise ValueError("an integer of 2^53 or more is not exact for every reader")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{shown(text, 20)} is larger than any number of JSON's readers")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def parse_json(content: bytes, code: str) -> Any:
    """Return the document in `content`; what readers of JSON take differently is refused.

    That is a key that stands twice, NaN, a large integer, lone surrogates, bytes that are no UTF-8, and deep nests.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_exact,
        )
        if not fits_depth(document):
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Broken(code, f"it is no JSON: {shown(error, 120)}") from None
    return document


DEEPEST = 100


def fits_depth(document: Any) -> bool:
    """Say whether a document is nested at most `DEEPEST` deep."""
    level = [document]
    for _ in range(DEEPEST + 1):
        inside = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [value for values in inside for value in values if isinstance(value, dict | list)]
        if not level:
            return True
    return False


def canonical_json(document: Any) -> bytes:
    """Return `document` in the form of RFC 8785. Raises ValueError for what that form cannot hold."""
    try:
        return "".join(_canonical(document)).encode("utf-8")
    except (UnicodeEncodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _canonical(value: Any) -> Iterator[str]:
    if value is None or value is True or value is False:
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, str):
        yield json.dumps(value, ensure_ascii=False)
    elif isinstance(value, int):
        if abs(value) >= 2**53:
            raise ValueError("an integer of 2^53 or more")
        yield str(value)
    elif isinstance(value, float):
        yield _number(value)
    elif isinstance(value, list):
        yield "["
        for index, one in enumerate(value):
            yield "," if index else ""
            yield from _canonical(one)
        yield "]"
    else:
        yield "{"
        for index, key in enumerate(sorted(value, key=lambda name: name.encode("utf-16-be"))):
            yield "," if index else ""
            yield json.dumps(key, ensure_ascii=False) + ":"
            yield from _canonical(value[key])
        yield "}"


def _number(value: float) -> str:
    """Write a float as ECMAScript does (ECMA-262, Number::toString), which RFC 8785 demands."""
    if not math.isfinite(value):
        raise ValueError("a number that is not finite")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent
    if 0 < point <= 21:
        text = text.ljust(point, "0")
        whole, rest = text[:point], text[point:]
        text = f"{whole}.{rest}" if rest else whole
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        head, rest = text[0], text[1:]
        text = f"{head}{'.' + rest if rest else ''}e{point - 1:+d}"
    return ("-" if sign else "") + text


def parse_canonical(content: bytes, code: str) -> Any:
    """Return the document in `content`, which must be the one canonical form of it."""
    document = parse_json(content, code)
    try:
        same = canonical_json(document) == content
    except ValueError as error:
        raise Broken(code, f"it has no canonical form: {error}") from None
    if not same:
        raise Broken(code, "it is not in canonical form (RFC 8785)")
    return document


# ------------------------------------------------------------------------------------------------- forms of documents

Check = Callable[[Any, str], None]


def _wrong(where: str, value: object, accepted: str) -> ValueError:
    return ValueError(f"{where}: received {shown(json.dumps(value, default=str), 80)}; accepted is {accepted}")


def text_of(pattern: str = r"[\s\S]*", accepted: str = "text") -> Check:
    compiled = re.compile(pattern)

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise _wrong(where, value, accepted)

    return check


def short(most: int | None, least: int = 0) -> Check:
    """Return the check of a text's length in characters."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or len(value) < least or (most is not None and len(value) > most):
            raise _wrong(where, value, f"a text of {least} to {most or 'any number of'} characters")

    return check


def integer(low: int, high: int = 2**53 - 1) -> Check:
    def check(value: Any, where: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(where, value, f"an integer from {low} to {high}")

    return check


def one_of(*values: Any) -> Check:
    def check(value: Any, where: str) -> None:
        if not any(value == one and type(value) is type(one) for one in values):
            raise _wrong(where, value, " or ".join(map(repr, values)))

    return check


def maybe(inner: Check) -> Check:
    def check(value: Any, where: str) -> None:
        if value is not None:
            inner(value, where)

    return check


def list_of(inner: Check, least: int = 0, most: int | None = None) -> Check:
    accepted = f"a list of {least} {'or more' if most is None else f'to {most}'}"

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
            raise _wrong(where, value, accepted)
        for index, one in enumerate(value):
            inner(one, f"{where}.{index}")

    return check


def map_of(inner: Check, key: Check | None = None) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, value, "an object")
        for name, one in value.items():
            if key is not None:
                key(name, where)
            inner(one, f"{where}.{name}")

    return check


def form(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, closed: bool = True) -> Check:
    """Return the check of an object's keys; `closed` refuses those that are not named."""
    others = optional or {}

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, value, "an object")
        missing = sorted(set(required) - set(value))
        strange = sorted(set(value) - set(required) - set(others)) if closed else []
        if missing or strange:
            raise ValueError(f"{where}: lacks {missing or 'nothing'}, has unknown {shown(strange, 80)}")
        for name, inner in (*required.items(), *others.items()):
            if name in value:
                inner(value[name], f"{where}.{name}")

    return check


EARLIEST_TIME, LATEST_TIME = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between them a time can be moved to UTC, and a span be added to it, without running over an end of the calendar."""


_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)


def _is_time(value: Any, where: str) -> None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and _TIME.fullmatch(value) else None
        if moment is None or not EARLIEST_TIME <= moment < LATEST_TIME:
            raise ValueError
    except ValueError:
        raise _wrong(where, value, "a time with its zone (RFC 3339), from the year 2000 to 8999") from None


def anything(value: Any, where: str) -> None:
    """Accept every value: what it says is judged where it is used."""


HEX = text_of(r"[0-9a-f]{64}", "64 hexadecimal digits")
TEXT = text_of()
TIME: Check = _is_time


def fit(document: Any, check: Check, code: str, what: str) -> Any:
    """Return `document` if it has the form that `check` demands. Raises Broken."""
    try:
        check(document, what)
    except (ValueError, RecursionError) as error:
        raise Broken(code, str(error)) from None
    return document


def when(text: str) -> datetime:
    """Return the time in a document that was checked already."""
    return datetime.fromisoformat(text).astimezone(UTC)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# -------------------------------------------------------------------------------------------------------- ECDSA, P-256
# Domain parameters: NIST SP 800-186, 3.2.1.3. Points are Jacobian (X, Y, Z), x = X/Z², y = Y/Z³; Z = 0 at infinity.

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""What precedes the 64 bytes of a point in a SubjectPublicKeyInfo of a key on P-256 (RFC 5480)."""

Point = tuple[int, int, int]


def _double(point: Point) -> Point:
    """Formula dbl-2001-b of the Explicit-Formulas Database, for a = -3."""
    x, y, z = point
    delta, gamma = z * z % _P, y * y % _P
    beta = x * gamma % _P
    alpha = 3 * (x - delta) * (x + delta) % _P
    x3 = (alpha * alpha - 8 * beta) % _P
    z3 = ((y + z) * (y + z) - gamma - delta) % _P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % _P, z3


def _add(one: Point, other: Point) -> Point:
    """Formula add-2007-bl of the Explicit-Formulas Database, with the cases that it leaves out."""
    if one[2] == 0:
        return other
    if other[2] == 0:
        return one
    x1, y1, z1 = one
    x2, y2, z2 = other
    z1z1, z2z2 = z1 * z1 % _P, z2 * z2 % _P
    u1, u2 = x1 * z2z2 % _P, x2 * z1z1 % _P
    s1, s2 = y1 * z2 * z2z2 % _P, y2 * z1 * z1z1 % _P
    h, r = (u2 - u1) % _P, 2 * (s2 - s1) % _P
    if h == 0:
        return _double(one) if r == 0 else (1, 1, 0)
    i = 4 * h * h % _P
    j, v = h * i % _P, u1 * i % _P
    x3 = (r * r - j - 2 * v) % _P
    return x3, (r * (v - x3) - 2 * s1 * j) % _P, ((z1 + z2) * (z1 + z2) - z1z1 - z2z2) * h % _P


def _multiples(point: Point) -> list[Point]:
    """Return 0, 1, … 15 times `point`."""
    found: list[Point] = [(1, 1, 0), point]
    for number in range(2, 16):
        found.append(_double(found[number // 2]) if number % 2 == 0 else _add(found[number - 1], point))
    return found


_G_MULTIPLES = _multiples(_G)


def _sum_of_products(u: int, v: int, point: Sequence[Point]) -> Point:
    """Return u·G + v·Q by Shamir's trick, four bits at a time; `point` holds the multiples of Q."""
    found: Point = (1, 1, 0)
    for shift in range(252, -4, -4):
        found = _double(_double(_double(_double(found))))
        found = _add(found, _G_MULTIPLES[u >> shift & 15])
        found = _add(found, point[v >> shift & 15])
    return found


class PublicKey:
    """A public key on P-256. Raises ValueError for a point that is not on the curve."""

    def __init__(self, spki: bytes) -> None:
        if len(spki) != len(_SPKI) + 64 or not spki.startswith(_SPKI):
            raise ValueError("it is no uncompressed public key on P-256")
        x, y = int.from_bytes(spki[-64:-32], "big"), int.from_bytes(spki[-32:], "big")
        if x >= _P or y >= _P or (y * y - x * x * x + 3 * x - _B) % _P:
            raise ValueError("its point is not on the curve P-256")
        self.key_id = sha256(spki)
        self._multiples = _multiples((x, y, 1))

    @classmethod
    def from_pem(cls, text: str) -> PublicKey:
        """Read a PEM SubjectPublicKeyInfo (RFC 7468)."""
        match = re.fullmatch(r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)-----END PUBLIC KEY-----\n?", text)
        if match is None:
            raise ValueError("it is no public key in PEM")
        return cls(base64.b64decode(match[1].replace("\n", ""), validate=True))

    def verifies(self, digest: bytes, signature: bytes) -> bool:
        """Say whether `signature` (DER) over a SHA-256 `digest` was made with this key (FIPS 186-5, 6.4.2)."""
        numbers = _numbers(signature)
        if numbers is None:
            return False
        r, s = numbers
        if not (0 < r < _N and 0 < s < _N):
            return False
        inverse = pow(s, -1, _N)
        e = int.from_bytes(digest, "big")
        x, _, z = _sum_of_products(e * inverse % _N, r * inverse % _N, self._multiples)
        if z == 0:
            return False
        # x/z² = r modulo N, without the division: r and r + N are the only residues modulo P that it can be.
        zz = z * z % _P
        return x == r * zz % _P or (r + _N < _P and x == (r + _N) * zz % _P)


def _numbers(signature: bytes) -> tuple[int, int] | None:
    """Return r and s of a DER `Ecdsa-Sig-Value` (RFC 3279, 2.2.3), or None for any other bytes."""
    if len(signature) < 8 or signature[0] != 0x30 or signature[1] != len(signature) - 2 or signature[1] > 127:
        return None
    found, rest = [], signature[2:]
    for _ in range(2):
        if len(rest) < 3 or rest[0] != 0x02 or not 1 <= rest[1] <= min(33, len(rest) - 2):
            return None
        body, rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        if body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
            return None
        found.append(int.from_bytes(body, "big"))
    return (found[0], found[1]) if not rest else None


# --------------------------------------------------------------------------------------------------------- envelopes

STATEMENT_TYPE = "application/vnd.in-toto+json"
ROOT_TYPE = "application/vnd.interlock.trust-root+json"


@dataclass(frozen=True)
class Sealed:
    """What a DSSE envelope holds; nothing of it is believed before somebody is known to have signed it."""

    payload_type: str
    payload: bytes
    signatures: tuple[bytes, ...]

    @property
    def payload_digest(self) -> str:
        return sha256(self.payload)

    def signers(self, keys: Mapping[str, PublicKey]) -> frozenset[str]:
        """Return the names of those `keys` that signed it; the likeliest first, for each signature is of one key."""
        kind = self.payload_type.encode()
        encoded = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)
        digest = hashlib.sha256(encoded).digest()
        found = (next((name for name, key in keys.items() if key.verifies(digest, s)), None) for s in self.signatures)
        return frozenset(name for name in found if name is not None)


MOST_SIGNATURES = 40
"""On one envelope, twice the highest threshold of a root: a new version may be signed by the old people and the new.

Each is tried with every key of the root before anything in the envelope is believed.
"""

_ENVELOPE = form(
    {
        "payload": TEXT,
        "payloadType": TEXT,
        "signatures": list_of(form({"sig": TEXT}, {"keyid": TEXT}, closed=False), least=1, most=MOST_SIGNATURES),
    },
    closed=False,
)


def read_sealed(content: bytes, code: str) -> Sealed:
    """Return what the envelope in `content` holds. Raises Broken."""
    document = fit(parse_json(content, code), _ENVELOPE, code, "envelope")
    try:
        payload = _base64(document["payload"])
        signatures = tuple(_base64(one["sig"]) for one in document["signatures"])
    except (binascii.Error, ValueError):
        raise Broken(code, "its payload or a signature is not base64") from None
    return Sealed(document["payloadType"], payload, signatures)


def _base64(text: str) -> bytes:
    # DSSE lets a producer choose either alphabet.
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)


# -------------------------------------------------------------------------------------------------------- trust root

DUTIES = ("foundation", "approver", "builder", "deployer", "responder", "observer", "log", "witness")
PERSONAL = ("foundation", "approver")
LONGEST_LIFE = timedelta(days=400)

_ROOT = form(
    {
        "schema_version": one_of(1),
        "name": text_of(r"[\s\S]{1,100}", "1 to 100 characters"),
        "version": integer(1),
        "previous": maybe(HEX),
        "issued_at": TIME,
        "expires_at": TIME,
        "threshold": integer(2, 20),
        "keys": map_of(
            form(
                {
                    "duty": one_of(*DUTIES),
                    "person": maybe(TEXT),
                    "public_key": TEXT,
                    "valid_from": TIME,
                    "valid_until": TIME,
                    "distrusted": maybe(form({"since": TIME, "reason": text_of(r"[\s\S]{1,500}", "a reason")})),
                }
            ),
            key=HEX,
        ),
        "log_origins": list_of(TEXT),
        "policies": map_of(HEX),
    }
)


@dataclass(frozen=True)
class TrustedKey:
    """A key of the root, what it is believed for, and when."""

    duty: str
    person: str | None
    public_key: PublicKey
    valid_from: datetime
    valid_until: datetime
    distrusted_since: datetime | None

    def doubt(self, moment: datetime) -> tuple[str, str] | None:
        """Return why a signature that existed at `moment` does not count, or None if it does."""
        if self.distrusted_since is not None and moment >= self.distrusted_since:
            return "key-distrusted", f"was signed with a key that is distrusted since {told(self.distrusted_since)}"
        if not self.valid_from <= moment < self.valid_until:
            return "key-not-believed-then", f"was signed with a key that is not valid at {told(moment)}"
        return None


@dataclass(frozen=True)
class Root:
    """One version of the trust root as signed; believed only as part of a chain."""

    document: Mapping[str, Any]
    fingerprint: str
    sealed: Sealed
    keys: Mapping[str, TrustedKey]
    issued_at: datetime
    expires_at: datetime

    @property
    def version(self) -> int:
        return int(self.document["version"])

    @property
    def threshold(self) -> int:
        return int(self.document["threshold"])

    @property
    def policy(self) -> str | None:
        """The digest of the tiers policy that it names."""
        return self.document["policies"].get("tiers")  # type: ignore[no-any-return]

    def guardians(self, moment: datetime) -> dict[str, TrustedKey]:
        """Return the foundation people's keys that may sign a root issued at `moment`.

        A key that is distrusted from any day on is none of them: whoever holds it may write any date.
        """
        return {
            name: key
            for name, key in self.keys.items()
            if key.duty == "foundation" and key.distrusted_since is None and key.doubt(moment) is None
        }


def told(moment: datetime) -> str:
    """Return a time for people, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def read_root(content: bytes) -> Root:
    """Return the root in an envelope, whoever signed it. Raises Broken."""
    code = "root-refused"
    sealed = read_sealed(content, code)
    if sealed.payload_type != ROOT_TYPE:
        raise Broken(code, f"its payload is of type {shown(sealed.payload_type, 60)!r}, not {ROOT_TYPE!r}")
    document = fit(parse_canonical(sealed.payload, code), _ROOT, code, "root")
    keys = {}
    for name, one in document["keys"].items():
        try:
            public_key = PublicKey.from_pem(one["public_key"])
        except ValueError as error:
            raise Broken(code, f"the key {name[:12]}…: {error}") from None
        if public_key.key_id != name:
            raise Broken(code, f"the key {name[:12]}… is not the one that its name says")
        if (one["duty"] in PERSONAL) != (one["person"] is not None):
            raise Broken(code, f"the key {name[:12]}… of the {one['duty']} names the wrong kind of owner")
        since = one["distrusted"] and when(one["distrusted"]["since"])
        keys[name] = TrustedKey(
            one["duty"], one["person"], public_key, when(one["valid_from"]), when(one["valid_until"]), since
        )
    issued, expires = when(document["issued_at"]), when(document["expires_at"])
    root = Root(document, sealed.payload_digest, sealed, keys, issued, expires)
    if (root.version == 1) != (document["previous"] is None):
        raise Broken(code, "a version but the first names the one before it, and the first names none")
    if not issued < expires <= issued + LONGEST_LIFE:
        raise Broken(code, f"it lives from {told(issued)} to {told(expires)}; at most {LONGEST_LIFE.days} days")
    if any(not key.valid_from < key.valid_until for key in keys.values()):
        raise Broken(code, "a key of it ends before it begins")
    if len({key.person for key in root.guardians(issued).values()}) < root.threshold:
        raise Broken(code, "its threshold is above the number of its foundation people")
    return root


def verify_chain(contents: Sequence[bytes], fingerprint: str) -> list[Root]:
    """Return the roots of a chain that begins with the one whose fingerprint is known from elsewhere.

    The rules are TUF's (specification 1.0, 5.3). That the newest may have expired is the caller's to say. Raises
    Broken.
    """
    if not contents:
        raise Broken("root-missing", "the bundle holds no trust root")
    read = [read_root(content) for content in contents]
    # What came before the version that the auditor knows is not needed to believe in it.
    roots = read[next((index for index, one in enumerate(read) if one.fingerprint == fingerprint), 0) :]
    first = roots[0]
    if first.fingerprint != fingerprint:
        raise Broken(
            "root-refused",
            f"version {first.version} has the fingerprint {first.fingerprint}; the one given is {fingerprint}",
        )
    _demand_signed(first, first, "its own")
    for before, after in itertools.pairwise(roots):
        _demand_successor(before, after)
    return roots


def _demand_successor(before: Root, after: Root) -> None:
    old, new = before.document, after.document
    if new["version"] != old["version"] + 1:
        raise Broken("root-refused", f"version {new['version']} follows version {old['version']}")
    what = f"version {new['version']}"
    if new["previous"] != before.fingerprint:
        raise Broken("root-refused", f"{what} names another version {old['version']} before it")
    if new["name"] != old["name"] or after.issued_at < before.issued_at:
        raise Broken("root-refused", f"{what} is another's root, or was issued before the one that it follows")
    for name, key in before.keys.items():
        now = after.keys.get(name)
        if now is None or (now.duty, now.person, now.valid_from) != (key.duty, key.person, key.valid_from):
            raise Broken("root-refused", f"{what} has lost the key {name[:12]}… or says something else of it")
        since = now.distrusted_since
        if key.distrusted_since is not None and (since is None or since > key.distrusted_since):
            raise Broken("root-refused", f"{what} trusts the key {name[:12]}… again, which was distrusted")
    _demand_signed(after, before, f"version {before.version}'s")
    _demand_signed(after, after, "its own")


def _demand_signed(root: Root, judge: Root, whose: str) -> None:
    guardians = judge.guardians(root.issued_at)
    signers = root.sealed.signers({name: key.public_key for name, key in guardians.items()})
    people = {guardians[name].person for name in signers}
    if len(people) < judge.threshold:
        raise Broken(
            "root-refused",
            f"version {root.version} is signed by {len(people)} of {judge.threshold} of {whose} foundation people",
        )


# ------------------------------------------------------------------------------------------------------- the bundle

MOST_ENTRIES = 400_000
LARGEST_DOCUMENT = 256 * 2**20
LARGEST_BUNDLE = 2**41
VAULT = "vault/"
_NAME = re.compile(r"[^/\\]+(/[^/\\]+)*")


class Bundle(ABC):
    """The files of a bundle by their names; nothing is ever written to disk, and links are not followed."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Return a file of the bundle, opened for reading. Raises what `chunks` catches."""

    def read(self, name: str) -> bytes:
        """Return a document. Raises Broken if its bytes cannot be had."""
        content = bytearray()
        for chunk in self.chunks(name):
            content += chunk
            if len(content) > LARGEST_DOCUMENT:
                raise Broken("object-altered", f"it is a document of more than {LARGEST_DOCUMENT} bytes")
        return bytes(content)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes, a part at a time. Raises Broken if they cannot be had."""
        if name not in self.names:
            raise Broken("object-missing", "it is not in the bundle")
        try:
            with self.open(name) as file:
                while chunk := file.read(2**20):
                    yield chunk
        except (OSError, zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, zlib.error) as error:
            raise Broken("object-altered", f"its bytes cannot be read: {shown(error, 120)}") from None

    def below(self, prefix: str) -> list[str]:
        """Return the vault's keys under `prefix` whose bytes are in the bundle, sorted."""
        start = VAULT + prefix
        return sorted(name[len(VAULT) :] for name in self.names if name.startswith(start))


class FolderBundle(Bundle):
    """A bundle that somebody unpacked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(self._found("", folder))

    def _found(self, prefix: str, folder: Path) -> Iterator[str]:
        for entry in os.scandir(folder):
            mode = entry.stat(follow_symlinks=False).st_mode
            name = prefix + entry.name
            if stat.S_ISDIR(mode):
                yield from self._found(f"{name}/", Path(entry.path))
            elif stat.S_ISREG(mode):
                yield name
            else:
                raise Broken("not-a-regular-file", f"{shown(name)} is a link or no regular file")

    def open(self, name: str) -> IO[bytes]:
        return os.fdopen(os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW), "rb")


class ZipBundle(Bundle):
    """A bundle as it was exported."""

    def __init__(self, path: Path) -> None:
        try:
            self.archive = zipfile.ZipFile(path)
            entries = self.archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise Unfit(f"{shown(path)} is no zip archive: {shown(error, 120)}") from None
        files = [entry for entry in entries if not entry.is_dir()]
        names = [entry.filename for entry in files]
        if len(files) > MOST_ENTRIES or sum(entry.file_size for entry in files) > LARGEST_BUNDLE:
            raise Unfit(f"the archive claims to hold more than {MOST_ENTRIES} files or {LARGEST_BUNDLE} bytes")
        for entry in files:
            self._demand_safe(entry)
        if len(set(names)) != len(names):
            raise Broken("object-added", "the archive holds two files of one name")
        super().__init__(names)

    def _demand_safe(self, entry: zipfile.ZipInfo) -> None:
        name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
        parts = name.split("/")
        if _NAME.fullmatch(name) is None or {"", ".", ".."} & set(parts) or not name.isprintable() or ":" in parts[0]:
            raise Broken("object-added", f"the archive holds a file of the unsafe name {shown(name)!r}")
        if kind not in (0, stat.S_IFREG):
            raise Broken("not-a-regular-file", f"{shown(name)} is a link or no regular file")
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Broken("object-altered", f"{shown(name)} is encrypted, or packed in a way that is not read here")

    def open(self, name: str) -> IO[bytes]:
        # A file that unpacks to more than it claims is ended by zipfile itself at the size claimed.
        return self.archive.open(name)


def open_bundle(path: Path) -> Bundle:
    """Return the bundle at `path`, a zip archive or a folder. Raises Unfit, Broken."""
    try:
        return FolderBundle(path) if path.is_dir() else ZipBundle(path)
    except OSError as error:
        raise Unfit(f"{shown(path)} cannot be read: {error.strerror}") from None


# -------------------------------------------------------------------------------------------------------- the ledger

_LEAF = form(
    {
        "schema_version": one_of(1),
        "kind": one_of("statement", "epoch", "late"),
        "key": text_of(r"[\s\S]{1,1024}", "a key of the vault"),
        "version_id": text_of(r"[\s\S]{0,1024}", "a VersionId"),
        "sha256": HEX,
        "payload": HEX,
        "predicate_type": text_of(r"[\s\S]{0,300}", "a type of predicate"),
        "subject": maybe(HEX),
        "recorded_at": TIME,
    }
)
_CHECKPOINT = re.compile(
    r"(?P<origin>[^\s+]+)\n(?P<size>0|[1-9]\d{0,14})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"time (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\nnumber (?P<number>0|[1-9]\d{0,8})\n"
)
_SIGNATURE_LINE = re.compile(r"— (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/]+=*)")
_LOG_NAME = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]-(?P<epoch>[1-9][0-9]{0,5})")
_WIDTH = 256


@dataclass(frozen=True)
class Checkpoint:
    """One state of a log, as signed; nothing of it is believed before its signatures are."""

    text: str
    origin: str
    size: int
    root: bytes
    time: datetime
    number: int
    lines: tuple[tuple[str, bytes], ...]
    """Whose signature each line claims to be, and the four bytes that name the key before the signature."""

    def is_signed_by(self, key: PublicKey) -> bool:
        """Say whether the log's own key made one of the signatures (C2SP signed-note)."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return any(key.verifies(digest, blob) for blob in self._of(self.origin, key))

    def witnessed_at(self, witness: str, key: PublicKey) -> datetime | None:
        """Return when a witness has co-signed it, or None (C2SP tlog-cosignature, with ECDSA)."""
        for blob in self._of(witness, key):
            seconds = int.from_bytes(blob[:8], "big")
            message = f"cosignature/v1\ntime {seconds}\n{self.text}".encode()
            if key.verifies(hashlib.sha256(message).digest(), blob[8:]) and seconds < 2**37:
                return datetime.fromtimestamp(seconds, UTC)
        return None

    def _of(self, name: str, key: PublicKey) -> list[bytes]:
        mark = bytes.fromhex(key.key_id)[:4]
        return [blob[4:] for whose, blob in self.lines if whose == name and blob[:4] == mark]


def read_checkpoint(content: bytes) -> Checkpoint:
    """Return the checkpoint in a signed note, whoever signed it. Raises Broken."""
    try:
        text, _, rest = content.decode("utf-8").partition("\n\n")
        match = _CHECKPOINT.fullmatch(f"{text}\n")
        if match is None or not rest.endswith("\n") or rest.count("\n") > 16:
            raise ValueError("it has not the form of a checkpoint")
        lines = []
        for line in rest[:-1].split("\n"):
            signed = _SIGNATURE_LINE.fullmatch(line)
            if signed is None:
                raise ValueError("a line below its text is no signature")
            lines.append((signed["name"], base64.b64decode(signed["blob"], validate=True)))
        TIME(match["time"], "time")
        return Checkpoint(
            match[0], match["origin"], int(match["size"]), base64.b64decode(match["root"], validate=True),
            datetime.fromisoformat(match["time"]), int(match["number"]), tuple(lines),
        )  # fmt: skip
    except ValueError as error:
        raise Broken("ledger-refused", f"it is no checkpoint: {shown(error, 120)}") from None


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A Merkle tree that only grows, as the roots of its full subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        self._full.append(leaf)
        self.size += 1
        # As many subtrees of equal size are at the end as the size has zeros at its end.
        for _ in range((self.size & -self.size).bit_length() - 1):
            right = self._full.pop()
            self._full.append(node_hash(self._full.pop(), right))

    def root(self) -> bytes:
        if not self._full:
            return hashlib.sha256(b"").digest()
        found = self._full[-1]
        for one in reversed(self._full[:-1]):
            found = node_hash(one, found)
        return found


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that an inclusion proof leads to, or None for one of the wrong length (RFC 9162, 2.1.3.2)."""
    place, last, found = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for one in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = node_hash(one, found)
            while place & 1 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None


def roots_by_consistency(old: int, new: int, path: Sequence[bytes], root: bytes) -> tuple[bytes, bytes] | None:
    """Return the older and the newer root that a consistency proof leads to, or None (RFC 9162, 2.1.4.2).

    `root` is the older root, from which the proof starts where `old` is a power of two.
    """
    if not 0 < old < new:
        return None
    nodes = [root, *path] if old & (old - 1) == 0 else list(path)
    if not nodes:
        return None
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = nodes[0]
    for one in nodes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while place & 1 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, one)
        place, last = place >> 1, last >> 1
    return (before, after) if last == 0 else None


@dataclass(frozen=True)
class Leaf:
    """That a statement lay in the vault, and when the sequencer saw it."""

    log: str
    index: int
    kind: str
    key: str
    version_id: str
    sha256: str
    payload: str
    predicate_type: str
    subject: str | None
    recorded_at: datetime
    hash: bytes


@dataclass
class Log:
    """A log whose leaves are those that its newest checkpoint signs for."""

    name: str
    newest: Checkpoint
    leaves: list[Leaf]
    roots: dict[int, bytes]
    """The root at each size that a checkpoint names."""
    sightings: list[Checkpoint] = field(default_factory=list)
    """The checkpoints that the witness has co-signed, oldest first."""
    end: int = 0
    """How many of its leaves count: what comes after is the lost tail of a log from which another goes on."""

    @property
    def witnessed_size(self) -> int:
        """How many entries the witness has seen."""
        return self.sightings[-1].size if self.sightings else 0

    @property
    def counted(self) -> list[Leaf]:
        """The leaves that count, without the one that begins an epoch."""
        return [leaf for leaf in self.leaves[: self.end] if leaf.kind != "epoch"]


def entries_of(content: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle of `width` entries (C2SP tlog-tiles). Raises Broken."""
    found, place = [], 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 2], "big")
        found.append(content[place + 2 : place + 2 + length])
        place += 2 + length
    if place != len(content) or len(found) != width:
        raise Broken("ledger-refused", f"it holds {len(found)} entries; the checkpoint says {width}")
    return found


def read_leaf(log: str, index: int, content: bytes) -> Leaf:
    """Return the leaf in an entry of a log. Raises Broken."""
    code = "ledger-refused"
    one = fit(parse_canonical(content, code), _LEAF, code, f"leaf {index}")
    return Leaf(
        log, index, one["kind"], one["key"], one["version_id"], one["sha256"], one["payload"],
        one["predicate_type"], one["subject"], when(one["recorded_at"]), leaf_hash(content),
    )  # fmt: skip


def epoch_of(log: str) -> int:
    """Return the epoch (from 1) of the log `<region>-<epoch>`, 0 for what is no such name."""
    match = _LOG_NAME.fullmatch(log)
    return int(match["epoch"]) if match else 0


def bundle_path(index: int) -> str:
    """Return where entry bundle `index` of a log lies (C2SP tlog-tiles)."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "tile/entries/" + "/".join(reversed(groups))


class LedgerReader:
    """Reads and checks the logs in a bundle."""

    def __init__(self, bundle: Bundle, roots: Sequence[Root], report: Report) -> None:
        self.bundle, self.root, self.report = bundle, roots[-1], report
        self.witness_name = self._named("witness")

    def _named(self, last: str) -> str:
        return re.sub(r"[\s+]+", "-", str(self.root.document["name"])) + f"/{last}"

    def logs(self, known: Sequence[Checkpoint]) -> list[Log]:
        """Return the logs that hold; `known` are checkpoints that the auditor has from elsewhere."""
        names = {key.split("/")[1] for prefix in ("ledger/", "witness/") for key in self.bundle.below(prefix)}
        found = []
        for name in sorted(names, key=lambda name: (epoch_of(name), name)):
            try:
                found.append(self._log(name, [one for one in known if one.origin == self._named(name)]))
            except Broken as error:
                self.report.refuse(error.code, f"the log {shown(name)}: {error}", f"ledger/{name}")
        origins = {self._named(name) for name in names}
        for one in known:
            if one.origin not in origins:
                self.report.refuse("ledger-missing", f"there is no log {shown(one.origin)}, whose checkpoint was given")
        for origin in self.root.document["log_origins"]:
            if origin not in origins:
                self.report.unknown.append(
                    f"what the log {shown(origin)} holds: the trust root names it, and it is not in the bundle"
                )
        self._check_epochs(found)
        return found

    def _log(self, name: str, known: Sequence[Checkpoint]) -> Log:
        origin = self._named(name)
        if origin not in self.root.document["log_origins"] or _LOG_NAME.fullmatch(name) is None:
            raise Broken("ledger-of-unknown-origin", f"the trust root names no log of the origin {shown(origin)}")
        own = [self._checkpoint(key, origin) for key in self.bundle.below(f"ledger/{name}/checkpoints/")]
        witnessed = [self._witnessed(key, origin) for key in self.bundle.below(f"witness/{name}/")]
        if not own or max(one.number for one in own) < max((one.number for one, _ in witnessed), default=0):
            raise Broken("ledger-refused", "it has no checkpoint of its own that is as new as the witness's newest")
        newest = max([*own, *(one for one, _ in witnessed)], key=lambda one: (one.size, one.number))
        entries = self._entries(name, newest.size)
        log = self._grown(name, newest, entries, [*own, *(one for one, _ in witnessed), *known])
        log.sightings, log.end = sorted((one for one, _ in witnessed), key=lambda one: one.number), len(log.leaves)
        self._check_times(log, [*own, *(one for one, _ in witnessed)])
        self._check_stolen_key([*own, *(one for one, _ in witnessed)], witnessed)
        return log

    def _checkpoint(self, key: str, origin: str) -> Checkpoint:
        one = read_checkpoint(self.bundle.read(VAULT + key))
        if one.origin != origin:
            raise Broken("ledger-refused", f"{shown(key)} is a checkpoint of the log {shown(one.origin)}")
        digits = f"{one.number:09d}"
        if not key.endswith(f"/{digits[:3]}/{digits[3:6]}/{digits[6:]}"):
            raise Broken("ledger-refused", f"{shown(key)} is checkpoint {one.number}, which belongs elsewhere")
        if not any(one.is_signed_by(key.public_key) for key in self._keys("log", one.time)):
            raise Broken("ledger-refused", f"{shown(key)} is not signed by a key of a log that is believed then")
        return one

    def _witnessed(self, key: str, origin: str) -> tuple[Checkpoint, datetime]:
        one = self._checkpoint(key, origin)
        for trusted in self.root.keys.values():
            at = trusted.duty == "witness" and one.witnessed_at(self.witness_name, trusted.public_key)
            if at and trusted.doubt(at) is None:
                return one, at
        raise Broken("ledger-refused", f"{shown(key)} bears no signature of a witness that is believed then")

    def _keys(self, duty: str, moment: datetime) -> list[TrustedKey]:
        return [key for key in self.root.keys.values() if key.duty == duty and key.doubt(moment) is None]

    def _entries(self, name: str, size: int) -> list[bytes]:
        there = set(self.bundle.below(f"ledger/{name}/tile/entries/"))
        found: list[bytes] = []
        for index in range(-(-size // _WIDTH)):
            width = min(_WIDTH, size - index * _WIDTH)
            key = f"ledger/{name}/{bundle_path(index)}" + ("" if width == _WIDTH else f".p/{width}")
            if key not in there:
                raise Broken("ledger-refused", f"entries {index * _WIDTH} to {index * _WIDTH + width - 1} are missing")
            there.discard(key)
            found += entries_of(self.bundle.read(VAULT + key), width)
        if there:
            raise Broken("ledger-refused", f"entries are there that no checkpoint covers: {shown(min(there))}")
        return found

    def _grown(self, name: str, newest: Checkpoint, entries: Sequence[bytes], all_of: Sequence[Checkpoint]) -> Log:
        wanted = {one.size for one in all_of}
        tree, roots, leaves = Tree(), {}, []
        for index in range(len(entries) + 1):
            if index in wanted:
                roots[index] = tree.root()
            if index < len(entries):
                leaf = read_leaf(name, index, entries[index])
                leaves.append(leaf)
                tree.append(leaf.hash)
        for one in all_of:
            if one.size > len(entries):
                raise Broken(
                    "ledger-stale", f"a checkpoint is known of {one.size} entries, and here are {len(entries)}"
                )
            if roots[one.size] != one.root:
                raise Broken("ledger-refused", f"its first {one.size} entries are not those that were signed for")
            if one.number > newest.number or one.time > newest.time:
                raise Broken("ledger-stale", f"checkpoint {one.number} of {told(one.time)} is known, which is newer")
            if one.number == newest.number and one.text != newest.text:
                raise Broken("ledger-refused", f"checkpoint {one.number} is known otherwise")
        return Log(name, newest, leaves, roots)

    def _check_times(self, log: Log, checkpoints: Sequence[Checkpoint]) -> None:
        states = {(one.number, one.text) for one in checkpoints}
        if len({number for number, _ in states}) != len(states):
            raise Broken("ledger-refused", "two checkpoints bear one number")
        ordered = sorted(checkpoints, key=lambda one: one.number)
        for before, after in itertools.pairwise(ordered):
            if after.size < before.size or after.time < before.time:
                raise Broken("ledger-refused", f"checkpoint {after.number} is older or smaller than the one before it")
        for one, other in itertools.pairwise(log.leaves):
            if other.recorded_at < one.recorded_at:
                raise Broken("ledger-refused", f"entry {other.index} was dated back before entry {one.index}")
        size, earliest = 0, datetime.min.replace(tzinfo=UTC)
        for state in ordered:
            for leaf in log.leaves[size : state.size]:
                if not earliest <= leaf.recorded_at <= state.time:
                    text = f"entry {leaf.index} says {told(leaf.recorded_at)}, which its checkpoints contradict"
                    raise Broken("ledger-refused", text)
            size, earliest = state.size, state.time
        if len({(leaf.key, leaf.version_id) for leaf in log.leaves}) != len(log.leaves):
            raise Broken("ledger-refused", "it records one object twice")

    def _check_stolen_key(self, own: Sequence[Checkpoint], witnessed: Sequence[tuple[Checkpoint, datetime]]) -> None:
        """Whoever holds a key writes any time: what a distrusted one signed counts if a witness saw it before."""
        for one in own:
            signing = [key for key in self._keys("log", one.time) if one.is_signed_by(key.public_key)]
            if any(key.distrusted_since is None for key in signing):
                continue
            since = max(key.distrusted_since for key in signing if key.distrusted_since is not None)
            if not any(one.number <= seen.number and at < since for seen, at in witnessed):
                raise Broken("ledger-refused", f"checkpoint {one.number} is signed with a key that is distrusted")

    def _check_epochs(self, logs: Sequence[Log]) -> None:
        """A log of a later epoch begins with a state of one log before it, which ends there and has no other heir."""
        by_origin = {self._named(log.name): log for log in logs}
        heirs: dict[str, str] = {}
        for log in logs:
            first = log.leaves[0] if log.leaves else None
            begins = first is not None and first.kind == "epoch"
            if any(leaf.kind == "epoch" for leaf in log.leaves[1:]) or (
                first is not None and not begins and epoch_of(log.name) != 1
            ):
                self._refuse_epoch(log, "does not begin with the one that it goes on from, and only there")
            if first is None or not begins:
                continue
            self._check_epoch(log, first, by_origin.get(first.key))
            other = heirs.setdefault(first.key, log.name)
            if other != log.name:
                self._refuse_epoch(log, f"goes on from {shown(first.key)}, and so does {other}: a fork")

    def _check_epoch(self, log: Log, first: Leaf, before: Log | None) -> None:
        if before is None:
            known = first.key in self.root.document["log_origins"]
            code = "ledger-refused" if known else "ledger-of-unknown-origin"
            self._refuse_epoch(log, f"goes on from {shown(first.key)}, which is not here or does not hold", code)
            return
        # The first entry names how many entries the other log had, and their root.
        size = int(first.version_id) if re.fullmatch(r"[0-9]{1,15}", first.version_id) else -1
        tree = Tree()
        for leaf in before.leaves[: max(size, 0)]:
            tree.append(leaf.hash)
        if (tree.size, tree.root().hex()) != (size, first.sha256):
            self._refuse_epoch(log, f"goes on from what {before.name} never was")
            return
        if epoch_of(before.name) >= epoch_of(log.name):
            self._refuse_epoch(log, f"goes on from {before.name}, whose epoch is not an earlier one")
        if size < before.witnessed_size:
            text = f"goes on after {size} entries of {before.name}, of which {before.witnessed_size} were witnessed"
            self._refuse_epoch(log, text)
        before.end = min(before.end, size)

    def _refuse_epoch(self, log: Log, text: str, code: str = "ledger-refused") -> None:
        self.report.refuse(code, f"the log {log.name} {text}", f"ledger/{log.name}")


# -------------------------------------------------------------------------------------------------------- the record

PIN = "urn:interlock:predicate:pin:v1"
EVIDENCE = "urn:interlock:predicate:evidence:v1"
APPROVAL = "urn:interlock:predicate:approval:v1"
REJECTION = "urn:interlock:predicate:rejection:v1"
WITHDRAWAL = "urn:interlock:predicate:withdrawal:v1"
REVOCATION = "urn:interlock:predicate:revocation:v1"
RETIREMENT = "urn:interlock:predicate:retirement:v1"
VERIFICATION = "https://slsa.dev/verification_summary/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SERVED = "urn:interlock:predicate:served:v1"

PLACES = {
    PIN: ("builder", "releases/{}/statements/"),
    EVIDENCE: ("builder", "releases/{}/statements/"),
    "https://slsa.dev/provenance/v1": ("builder", "releases/{}/statements/"),
    "https://cyclonedx.org/bom": ("builder", "releases/{}/statements/"),
    TEST_RESULT: ("builder", "releases/{}/statements/"),
    APPROVAL: ("approver", "approvals/{}/"),
    REJECTION: ("approver", "approvals/{}/"),
    WITHDRAWAL: ("approver", "approvals/{}/"),
    REVOCATION: ("approver", "approvals/{}/"),
    RETIREMENT: ("approver", "approvals/{}/"),
    VERIFICATION: ("deployer", "decisions/{}/"),
    SERVED: ("deployer", "decisions/{}/"),
    "urn:interlock:predicate:finding:v1": ("observer", "findings/{}/"),
}
"""Whose keys sign a kind of statement, and under which prefix of the vault it lies."""

EVIDENCE_SIGNERS = set(DUTIES) - {"foundation", "approver"}
CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much a statement's own time may lie after the moment at which the ledger recorded it."""
LATEST = timedelta(hours=24)
"""How long a statement may have lain in the vault before the sequencer saw it."""
WRITTEN_WITHIN = timedelta(minutes=15)
"""What may pass between the time that a statement gives itself and the moment when it lies in the vault."""

STATED = {
    APPROVAL: "approved_at",
    REJECTION: "rejected_at",
    WITHDRAWAL: "withdrawn_at",
    REVOCATION: "revoked_at",
    RETIREMENT: "retired_at",
    VERIFICATION: "timeVerified",
}
"""Where a kind of statement says when it was made; evidence and requests may be older than what is signed of them."""

# The forms are closed, and as narrow as those that the signers' own tools write: what a person or a gate is read to
# have said may not depend on who reads it.


def _number_text(value: Any, where: str) -> None:
    if not isinstance(value, str) or re.fullmatch(r"-?[0-9]{1,500}(\.[0-9]{1,500})?", value) is None:
        raise _wrong(where, value, "a number as plain decimal text")
    number = Decimal(value)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if number and (abs(number.adjusted()) > 400 or len(digits) > 100):
        raise _wrong(where, value, "a number of at most 100 digits, up to 1e400")


def _is_limit(value: Any, where: str) -> None:
    names = ("at_least", "at_most", "above", "below")
    bound = one_of("point", "lower", "upper")
    form({}, {**{name: maybe(_number_text) for name in names}, "bound": bound})(value, where)
    if sum(value.get(name) is not None for name in names) != 1:
        raise _wrong(where, value, f"exactly one of {', '.join(names)}")


_VERSION = {"schema_version": one_of(1)}
_ENVIRONMENT = text_of(r"[a-z][a-z0-9-]{0,39}", "an environment's name")
_LIMIT: Check = _is_limit
_MEASURE = form(
    {"name": text_of(r"(?=[\s\S]{1,60}\Z)[a-z][a-z0-9]*(_[a-z0-9]+)*", "a measure's name")},
    {
        "value": maybe(_number_text), "low": maybe(_number_text), "high": maybe(_number_text),
        "count": maybe(integer(0)), "unit": short(30), "limit": maybe(_LIMIT),
        "of": maybe(form({"attribute": short(200), "value": short(200)})),
        "suppressed": one_of(True, False), "holds": one_of(True, False, None),
    },
)  # fmt: skip
_COLUMN = short(200, 1)
_COLUMNS = form(
    {},
    {
        "target": maybe(_COLUMN), "prediction": maybe(_COLUMN), "decision": maybe(_COLUMN),
        "weight": maybe(_COLUMN), "identifier": maybe(_COLUMN), "protected": list_of(_COLUMN),
    },
)  # fmt: skip
"""What the columns of a table were taken for."""
_EVIDENCE = form(
    {
        "gate": text_of(r"(?=[\s\S]{1,60}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*", "a gate's name"),
        "gate_version": short(100, 1), "policy": HEX, "tier": TEXT, "inputs": HEX,
        "outcome": one_of("passed", "failed"), "started_at": TIME, "ended_at": TIME,
    },
    {
        **_VERSION, "measures": list_of(_MEASURE), "reasons": list_of(TEXT), "unchecked": list_of(TEXT),
        "data": map_of(HEX), "details": map_of(anything), "columns": map_of(_COLUMNS), "builder": short(2000),
    },
)  # fmt: skip


def _is_evidence(value: Any, where: str) -> None:
    _EVIDENCE(value, where)
    measures, passed, reasons = value.get("measures", []), value["outcome"] == "passed", value.get("reasons", [])
    broken = [one["name"] for one in measures if one.get("holds") is False]
    if passed and (broken or reasons):
        raise ValueError(f"{where}: a gate that passed has no reasons and no broken limits")
    if not passed and not reasons:
        raise ValueError(f"{where}: a gate that failed says why")
    for one in measures:
        limit = one.get("limit")
        if limit is not None and one.get("holds") is not holds(one, limit):
            raise ValueError(f"{where}: the verdict on {one['name']} is not what its number and its limit say")


_TICKET = text_of(r"[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,9}", "a change ticket, such as CHG-1234")
_ACT = {"person": short(64, 1), "reason": short(2000, 1), "ticket": _TICKET}
_APPROVAL = form(
    {
        **_ACT, "environment": short(40, 1), "policy": HEX, "pin": HEX, "tier": short(40, 1), "record": HEX,
        "statements": list_of(HEX, least=1), "approved_at": TIME, "expires_at": TIME,
    },
    _VERSION,
)  # fmt: skip


def _is_approval(value: Any, where: str) -> None:
    _APPROVAL(value, where)
    if value["statements"] != sorted(set(value["statements"])):
        raise ValueError(f"{where}: the statements are sorted, each named once")
    if not when(value["approved_at"]) < when(value["expires_at"]):
        raise ValueError(f"{where}: an approval expires after it was given")


_LONG = short(2000)
_KIND = one_of("model", "prompt", "folder")
_ASKED = form(
    {
        "kind": _KIND, "name": short(250, 1), "version": short(64, 1),
        "tier": one_of("low", "medium", "high", "critical"),
        "environment": _ENVIRONMENT, "ticket": _TICKET,
        "submitted_at": TIME,
    },
    {
        **_VERSION, "logged_model_id": short(100), "subject_digest": maybe(HEX),
        "produces": one_of("decisions", "text"), "emergency": one_of(True, False), "reason": _LONG,
    },
)  # fmt: skip
_NOT_SAID = {"schema_version": 1, "logged_model_id": "", "produces": "decisions", "emergency": False, "reason": ""}
"""What a request that leaves something out asks for."""
_REQUEST = form({"document": _ASKED, "key": _LONG, "version_id": _LONG, "sha256": HEX, "submitter": short(64, 1)})
_SOURCE = form(
    {"registry": _LONG, "name": _LONG, "version": _LONG}, {"kind": _KIND, "logged_model_id": _LONG, "run_id": _LONG}
)
_PIN = form(
    {"source": _SOURCE, "objects": map_of(TEXT)},
    {
        **_VERSION, "policy": text_of(r"([0-9a-f]{64})?", "64 hexadecimal digits, or nothing"), "tier": _LONG,
        "environment": _LONG, "builder": _LONG, "sources": list_of(_LONG), "request": maybe(_REQUEST),
        "code": form({}, {"repository": _LONG, "revision": _LONG}),
        "training": maybe(
            form(
                {"run_id": _LONG},
                {"experiment_id": _LONG, "user": _LONG, "started_at": maybe(TIME), "ended_at": maybe(TIME)},
            )
        ),
        "data": list_of(
            form({"name": _LONG, "digest": _LONG}, {"context": _LONG, "source_type": _LONG, "source": _LONG})
        ),
        "signature": maybe(
            form({}, {part: list_of(map_of(anything)) for part in ("inputs", "outputs", "parameters")})
        ),
    },
)  # fmt: skip


def _is_pin(value: Any, where: str) -> None:
    _PIN(value, where)
    request = value.get("request")
    if request is None:
        return
    asked = {**_NOT_SAID, **request["document"]}
    if asked.get("subject_digest") is None:
        asked.pop("subject_digest", None)
    asked["submitted_at"] = when(asked["submitted_at"]).isoformat().replace("+00:00", "Z")
    if sha256(canonical_json(asked)) != request["sha256"]:
        raise ValueError(f"{where}: the request is not the one whose digest it names")
    identifier = sha256(canonical_json({name: said for name, said in asked.items() if name != "submitted_at"}))
    if request["key"] != f"submissions/{request['submitter']}/{identifier}.json":
        raise ValueError(f"{where}: the request lay elsewhere than where its submitter writes")
    if (asked["tier"], asked["environment"]) != (value.get("tier"), value.get("environment")):
        raise ValueError(f"{where}: tier and environment are not those that were asked for")
    if not value.get("policy"):
        raise ValueError(f"{where}: a release that was asked for is opened under a policy")


_FILE = form({"uri": TEXT, "digest": form({"sha256": HEX}, closed=False)}, closed=False)
PREDICATES: dict[str, Check] = {
    PIN: _is_pin,
    EVIDENCE: _is_evidence,
    APPROVAL: _is_approval,
    REJECTION: form({**_ACT, "rejected_at": TIME}, _VERSION),
    WITHDRAWAL: form({**_ACT, "withdrawn": HEX, "withdrawn_at": TIME}, _VERSION),
    REVOCATION: form({**_ACT, "revoked_at": TIME}, _VERSION),
    RETIREMENT: form({**_ACT, "retired_at": TIME}, _VERSION),
    SERVED: form(
        {"decision": HEX, "environment": _ENVIRONMENT, "endpoint": short(63, 1), "variant": short(63, 1)}, _VERSION
    ),
    # SLSA's format, whose readers ignore the fields that they do not know.
    VERIFICATION: form(
        {
            "verifier": form({"id": TEXT}, {"version": map_of(TEXT)}, closed=False),
            "resourceUri": TEXT, "timeVerified": TIME, "verificationResult": one_of("PASSED", "FAILED"),
            "policy": _FILE, "verifiedLevels": list_of(TEXT),
        },
        {"inputAttestations": list_of(_FILE), "slsaVersion": one_of("1.0", "1.1")},
        closed=False,
    ),
}  # fmt: skip
OBJECTIONS = {REJECTION: "rejected", REVOCATION: "revoked", RETIREMENT: "retired"}
SPEAKS_FOR = {APPROVAL, VERIFICATION, SERVED}
"""What can only help a release: where it cannot be read, it counts for nothing, and takes nothing away."""
_STATEMENT = form(
    {
        "_type": one_of("https://in-toto.io/Statement/v1"),
        "subject": list_of(form({"name": TEXT, "digest": form({"sha256": HEX})}), least=1),
        "predicateType": short(None, 1),
        "predicate": map_of(anything),
    }
)


Doubt = tuple[str, str]
"""The code of a reason, and the sentence."""


@dataclass(frozen=True)
class Statement:
    """A statement that a key of the root signed which may sign its kind; whether it counts, `doubt` says."""

    key: str
    payload: str
    kind: str
    predicate: Mapping[str, Any]
    keys: tuple[TrustedKey, ...]
    recorded_at: datetime | None
    """When the ledger recorded it first; None if it has not."""
    lacked_at: datetime | None = None
    """The time of the newest witnessed checkpoint that does not hold it; None if nobody can say."""
    sha256: str = ""
    """Of the envelope."""

    def dated_back(self) -> str | None:
        """Return why it cannot have been made when it says, or None if it can."""
        said = self.predicate.get(STATED[self.kind])
        # An objection whose details are malformed stands, and says no time.
        if said is None or self.lacked_at is None or when(said) + WRITTEN_WITHIN >= self.lacked_at:
            return None
        return f"it says {told(when(said))}, and the checkpoint of {told(self.lacked_at)}, witnessed, does not hold it"

    def decided_at(self) -> datetime:
        """Return a decision's own time where the ledger's bears it out, else the ledger's: whoever holds a key lies.

        It was not made before the last witnessed checkpoint that does not hold it.
        """
        stated, seen = when(self.predicate["timeVerified"]), self.recorded_at
        assert seen is not None
        return max(stated, self.lacked_at or stated) if seen - LATEST <= stated <= seen + CLOCKS_DIFFER else seen

    @property
    def person(self) -> str:
        """Whose key signed it, of an act of people's."""
        return str(self.keys[0].person)

    def speaks_for(self) -> bool:
        """Say whether it is an approval, or evidence that passed."""
        return self.kind == APPROVAL or (self.kind == EVIDENCE and self.predicate["outcome"] == "passed")

    def by(self, moment: datetime) -> bool:
        """Say whether the ledger had it at `moment`."""
        return self.recorded_at is not None and self.recorded_at <= moment

    def doubt(self, duties: Iterable[str] = DUTIES) -> Doubt | None:
        """Return why its signatures by keys of `duties` are not believed, or None if one of them is."""
        if self.recorded_at is None:
            return "not-in-ledger", "is in no log yet"
        keys = [key for key in self.keys if key.duty in duties]
        doubts = [key.doubt(self.recorded_at) for key in keys]
        if not keys:
            return "key-of-wrong-duty", f"is signed for by {', '.join(sorted({key.duty for key in self.keys}))}"
        return None if None in doubts else doubts[0]


TESTING_GATE = "contract-tests"


def test_result(evidence: Statement) -> Mapping[str, Any]:
    """Return what a test result has to say of a gate's evidence. Format: in-toto's predicate test-result v0.1."""
    said, names = evidence.predicate, {"group": str, "name": str, "passed": bool}
    cases = said.get("details", {}).get("cases")
    cases = [
        case
        for case in (cases if isinstance(cases, list) else [])
        if isinstance(case, dict) and all(isinstance(case.get(name), kind) for name, kind in names.items())
    ]
    data = {f"data/{part}": digest for part, digest in sorted(said.get("data", {}).items())}
    given = {"evidence": evidence.payload, "policy": said["policy"], **data}
    return {
        "result": said["outcome"].upper(),
        "configuration": [{"name": name, "digest": {"sha256": digest}} for name, digest in given.items()],
        "passedTests": [f"{case['group']}: {case['name']}" for case in cases if case["passed"]],
        "warnedTests": [],
        "failedTests": [f"{case['group']}: {case['name']}" for case in cases if not case["passed"]],
    }


class RecordReader:
    """Reads the statements in a bundle and holds them against the ledger and the trust root."""

    def __init__(self, bundle: Bundle, digest: str, root: Root, logs: Sequence[Log], report: Report) -> None:
        self.bundle, self.digest, self.root, self.report = bundle, digest, root, report
        self.leaves: dict[str, list[Leaf]] = {}
        for log in logs:
            for leaf in log.counted:
                self.leaves.setdefault(leaf.key, []).append(leaf)
        self.by_name = {log.name: log for log in logs}

    def statements(self) -> list[Statement]:
        """Return every statement that stands; what is wrong with the others is in the report."""
        prefixes = [f"releases/{self.digest}/statements/"]
        prefixes += [f"{folder}/{self.digest}/" for folder in ("approvals", "decisions", "findings")]
        keys = sorted(key for prefix in prefixes for key in self.bundle.below(prefix))
        found = []
        for key in keys:
            try:
                found.append(self._statement(key))
            except Unreadable as error:
                self.report.note(error.code, f"{shown(key)}: {error}; it counts for nothing", key)
            except Broken as error:
                self.report.refuse(error.code, f"{shown(key)}: {error}", key)
        self._find_dropped(set(keys))
        self._compare_test_results(found)
        return found

    def _compare_test_results(self, found: Sequence[Statement]) -> None:
        """A test result says once more what evidence says, which alone is judged by."""
        tested = [test_result(one) for one in found if one.kind == EVIDENCE and one.predicate["gate"] == TESTING_GATE]
        for one in found:
            if one.kind == TEST_RESULT and one.predicate not in tested:
                text = f"{shown(one.key)}: says of tests what no evidence of the gate {TESTING_GATE} says"
                self.report.refuse("test-result-disagrees", text, one.key)

    def _keys(self, kind: str) -> dict[str, PublicKey]:
        """Return every key of the root, those first that may sign such a statement."""
        duty = PLACES.get(kind, ("", ""))[0]
        ordered = sorted(self.root.keys.items(), key=lambda item: (item[1].duty != duty, item[0]))
        return {name: key.public_key for name, key in ordered}

    def _find_dropped(self, there: set[str]) -> None:
        for key, leaves in sorted(self.leaves.items()):
            where = f"entry {leaves[0].index} of the log {leaves[0].log}"
            if leaves[0].subject == self.digest and key not in there:
                self.report.refuse("statement-missing", f"{shown(key)}: {where} records it, and it is missing", key)
            if re.fullmatch(r"trust/[1-9]\d{0,8}\.root\.json", key):
                self._check_root(key, leaves, where)

    def _check_root(self, key: str, leaves: Sequence[Leaf], where: str) -> None:
        """A version of the root that is left out could be the one that distrusts a key."""
        if VAULT + key not in self.bundle.names:
            self.report.refuse("root-missing", f"{shown(key)}: {where} records it, and it is missing", key)
        elif {leaf.sha256 for leaf in leaves} != {sha256(self.bundle.read(VAULT + key))}:
            self.report.refuse("root-refused", f"{shown(key)}: {where} recorded other bytes under this name", key)

    def _statement(self, key: str) -> Statement:
        content = self.bundle.read(VAULT + key)
        sealed = read_sealed(content, "statement-malformed")
        if sealed.payload_type != STATEMENT_TYPE:
            raise Broken("statement-malformed", f"its payload is no {STATEMENT_TYPE}")
        document = parse_json(sealed.payload, "statement-malformed")
        fit(document, _STATEMENT, "statement-malformed", "statement")
        kind, payload = document["predicateType"], sealed.payload_digest
        signers = [self.root.keys[name] for name in sorted(sealed.signers(self._keys(kind)))]
        named = key.endswith(f"/{payload}.dsse.json")
        if not signers and not named:
            raise Broken("statement-altered", "holds another payload than its name says, which no known key signed")
        if not signers:
            raise Broken("key-unknown", "bears no signature that was made by a key of the trust root")
        if not named:
            raise Broken("statement-misnamed", "lies under a name that is not its payload's digest")
        if [one["digest"]["sha256"] for one in document["subject"]] != [self.digest]:
            raise Broken("statement-of-another-release", "is about another release")
        if kind not in PLACES:
            raise Broken("statement-of-unknown-kind", f"is of a kind that is not known, {shown(kind, 80)}")
        if key != PLACES[kind][1].format(self.digest) + f"{payload}.dsse.json":
            raise Broken("statement-misplaced", "is of a kind that does not belong there")
        # Evidence may be made elsewhere: whether the policy takes the duty that signed it is judged with the policy.
        duties = EVIDENCE_SIGNERS if kind == EVIDENCE else {PLACES[kind][0]}
        right = tuple(one for one in signers if one.duty in duties)
        if not right:
            others = ", ".join(sorted({one.duty for one in signers}))
            raise Broken("key-of-wrong-duty", f"is signed with the key of another duty ({others})")
        predicate = self._predicate(key, kind, document["predicate"], str(right[0].person))
        if "approver" in duties:
            own = tuple(one for one in right if one.person == predicate["person"])
            if not own:
                raise Broken("person-forged", f"names {shown(predicate['person'], 64)!r}, whose key did not sign it")
            right = own
        leaf = self._leaf(key, content, payload, kind)
        if leaf is None:
            return Statement(key, payload, kind, predicate, right, None)
        return Statement(key, payload, kind, predicate, right, leaf.recorded_at, self._lacked_at(leaf), sha256(content))

    def _predicate(self, key: str, kind: str, said: Any, person: str) -> Any:
        """Return what a statement says. An objection stands, whatever its details are."""
        try:
            return fit(said, PREDICATES.get(kind, anything), "predicate-malformed", "predicate")
        except Broken as error:
            if kind in SPEAKS_FOR:
                raise Unreadable(error.code, str(error)) from None
            if kind not in OBJECTIONS:
                raise
            self.report.note(error.code, f"{shown(key)}: {error}; as an objection it stands", key)
            return {"person": person, "reason": f"its details are malformed, in {key}", "ticket": "no ticket"}

    def published(self, roots: Sequence[Root]) -> dict[int, Published]:
        """Return, by version, when each of `roots` was published."""
        last = max((log.sightings[-1].time for log in self.by_name.values() if log.sightings), default=None)
        found = {}
        for root in roots:
            leaf = self._first_seen(f"trust/{root.version}.root.json")
            lacked = last if leaf is None else self._lacked_at(leaf)
            before = None if leaf is None else leaf.recorded_at
            found[root.version] = Published(max(root.issued_at, lacked or root.issued_at), before)
        return found

    def _leaf(self, key: str, content: bytes, payload: str, kind: str) -> Leaf | None:
        """Return the earliest entry of a statement that the witness has seen, or None; all must be of these bytes."""
        leaves = self.leaves.get(key, [])
        same = (sha256(content), payload, kind, self.digest)
        for leaf in leaves:
            if (leaf.sha256, leaf.payload, leaf.predicate_type, leaf.subject) != same:
                text = f"entry {leaf.index} of the log {leaf.log} recorded other bytes under this name"
                raise Broken("statement-replaced", text)
        return self._first_seen(key)

    def _first_seen(self, key: str) -> Leaf | None:
        seen = [leaf for leaf in self.leaves.get(key, []) if leaf.index < self.by_name[leaf.log].witnessed_size]
        return min(seen, key=lambda one: one.recorded_at, default=None)

    def _lacked_at(self, leaf: Leaf) -> datetime | None:
        # What was entered as late may have been in the lost tail of another log before.
        without = [one for one in self.by_name[leaf.log].sightings if one.size <= leaf.index]
        return without[-1].time if without and leaf.kind == "statement" else None


# ------------------------------------------------------------------------------------------------- what it adds up to

_APPROVERS = list_of(form({"count": integer(1, 10)}, {"group": maybe(TEXT)}), least=1)
_TIER = form(
    {
        "evidence": map_of(
            form({}, {"limits": map_of(_LIMIT), "signers": list_of(TEXT), "subjects": list_of(TEXT)}, closed=False)
        ),
        "approvals": _APPROVERS,
        "approval_days": integer(1, 365),
    },
    {
        "environments": list_of(TEXT),
        "emergency": maybe(
            form(
                {"evidence": list_of(TEXT), "approvals": _APPROVERS, "complete_within_hours": integer(1)}, closed=False
            )
        ),
    },
    closed=False,
)
_POLICY = form(
    {"groups": map_of(list_of(TEXT)), "tiers": map_of(_TIER), "review_by": text_of(r"\d{4}-\d\d-\d\d", "a day")},
    closed=False,
)


@dataclass(frozen=True)
class Published:
    """When a version of the trust root was published, as far as the ledger knows."""

    after: datetime
    """The newest witnessed checkpoint that does not hold it, or when it was issued if that is later."""
    before: datetime | None
    """When a log recorded it; None if none has."""

    def by(self, moment: datetime) -> bool:
        return self.before is not None and self.before + CLOCKS_DIFFER <= moment

    def perhaps_by(self, moment: datetime) -> bool:
        return self.after <= moment + CLOCKS_DIFFER


@dataclass(frozen=True)
class Policies:
    """The tiers policies that versions of the root name."""

    roots: Sequence[Root]
    read: Mapping[str, Any]
    """By digest, those that are in the bundle."""
    published: Mapping[int, Published]
    """By version of the root."""

    @property
    def named(self) -> set[str]:
        return {str(root.policy) for root in self.roots}

    def in_force(self, moment: datetime) -> list[Root]:
        """Return the versions of the root of which one was the newest at `moment`.

        They are two while a version of the root may have been published already, and may not. What a root says of its
        own time does not put it into force: between drafting it and publishing it people sign.
        """
        first = max(
            (index for index, root in enumerate(self.roots) if self.published[root.version].by(moment)), default=0
        )
        later = (root for root in self.roots[first + 1 :] if self.published[root.version].perhaps_by(moment))
        return [self.roots[first], *later]


def read_policies(
    bundle: Bundle, roots: Sequence[Root], published: Mapping[int, Published], report: Report
) -> Policies:
    """Return the policies in the bundle that a version of the root names."""
    found = {}
    for key in bundle.below("trust/policies/"):
        digest = key.removeprefix("trust/policies/").removesuffix(".json")
        try:
            content = bundle.read(VAULT + key)
            if sha256(content) != digest:
                raise Broken("policy-altered", "its bytes do not have the digest that names it")
            if any(root.policy == digest for root in roots):
                policy = parse_canonical(content, "policy-altered")
                found[digest] = fit(policy, _POLICY, "policy-altered", "policy")
        except Broken as error:
            report.refuse(error.code, f"{shown(key)}: {error}", key)
    return Policies(roots, found, published)


def holds(measure: Mapping[str, Any], limit: Mapping[str, Any]) -> bool:
    """Say whether a measure is within a limit: at the limit itself only `at_least` and `at_most` hold."""
    at = {"point": "value", "lower": "low", "upper": "high"}[limit.get("bound", "point")]
    if measure.get(at) is None:
        return False
    number = Decimal(measure[at])
    compared = {"at_least": number.__ge__, "at_most": number.__le__, "above": number.__gt__, "below": number.__lt__}
    given = [name for name in compared if limit.get(name) is not None]
    return len(given) == 1 and bool(compared[given[0]](Decimal(limit[given[0]])))


def fills(people: Mapping[str, Iterable[int]], places: int) -> bool:
    """Say whether different people can fill all `places`, given which each could fill (a bipartite matching)."""
    holder: dict[int, str] = {}

    def placed(person: str, tried: set[int]) -> bool:
        for place in people[person]:
            if place not in tried:
                tried.add(place)
                if place not in holder or placed(holder[place], tried):
                    holder[place] = person
                    return True
        return False

    return sum(placed(person, set()) for person in sorted(people)) >= places


@dataclass(frozen=True)
class Opening:
    """A pin as the beginning of a release's way: who asked for what, under which policy."""

    statement: Statement
    policy: str
    tier: str
    environment: str
    produces: str
    emergency: bool
    submitter: str
    builder: str
    bytes: str | None
    """The digest of what the submitter asked for; None where the request does not say."""

    @classmethod
    def of(cls, pin: Statement) -> Opening | None:
        """Return what a pin opens, or None for one that nobody submitted, which admits nothing."""
        request = pin.predicate.get("request")
        if request is None:
            return None
        document = request["document"]
        return cls(
            pin, str(pin.predicate.get("policy")), document["tier"], document["environment"],
            document.get("produces", "decisions"), document.get("emergency") is True, request["submitter"],
            str(pin.predicate.get("builder", "")), document.get("subject_digest"),
        )  # fmt: skip


class Judge:
    """Says why a release could not be admitted at a moment, from what the ledger had recorded by then.

    What no log has yet is weighed only at the end of the record: an objection counts there, and nothing else does.
    """

    def __init__(self, digest: str, statements: Sequence[Statement], policies: Policies, opening: Opening) -> None:
        self.digest, self.statements, self.policies, self.opening = digest, statements, policies, opening

    def doubts(
        self,
        environment: str,
        moment: datetime,
        *,
        at_the_end: bool = False,
        named: Container[str] | None = None,
        rests_on: Container[str] = (),
    ) -> list[Doubt]:
        """Return each reason against what a pin opened, as of `moment`, by the path for which least is missing.

        `named` are the SHA-256 of the envelopes that may speak for the release; without it, all may. `rests_on` are
        those of a decision: only of these is a pin or evidence heeded that the ledger had a little later.
        """
        opening = self.opening
        by_then = [
            one
            for one in self.statements
            if (at_the_end or one.by(moment if self._is_late(one, rests_on) else moment + CLOCKS_DIFFER))
            and (named is None or not one.speaks_for() or one.sha256 in named)
        ]
        roots = self.policies.roots[-1:] if at_the_end else self.policies.in_force(moment)
        unopened = self._unopened(roots)
        if unopened is not None:
            return [unopened, *self.objections(by_then)]
        policy = self.policies.read[opening.policy]
        rules = policy["tiers"][opening.tier]
        found = [
            *self._of_opening(policy, rules, environment, by_then, moment),
            *self.objections(by_then),
        ]
        if all(root.expires_at <= moment for root in roots):
            found.append(("root-refused", f"version {roots[-1].version} of the trust root had expired"))
        usual = {
            gate: one
            for gate, one in rules["evidence"].items()
            if opening.produces in one.get("subjects", [opening.produces])
        }
        ways = [self._of_path(policy, rules, rules["approvals"], usual, by_then, environment, moment)]
        if opening.emergency:
            urgent = rules.get("emergency")
            closed = self._closed(urgent, moment)
            ways[0] += [closed] if closed and ways[0] else []
            if urgent and not closed:
                fewer = {gate: one for gate, one in usual.items() if gate in urgent["evidence"]}
                ways.append(self._of_path(policy, rules, urgent["approvals"], fewer, by_then, environment, moment))
        return found + min(ways, key=len)

    def _is_late(self, one: Statement, rests_on: Container[str]) -> bool:
        """Say whether a statement counts from when the ledger had it: the people of a pin or of evidence approve
        nothing, so that these take something too."""
        names_people = one.kind in (PIN, EVIDENCE)
        return self._speaks_against(one) or (names_people and one.sha256 not in rests_on)

    def _speaks_against(self, one: Statement) -> bool:
        """Say whether it takes something from the release: nobody could heed that before the ledger had it."""
        if one.kind == EVIDENCE:
            return not one.speaks_for()
        approvals = {other.payload for other in self.statements if other.kind == APPROVAL}
        return one.kind in OBJECTIONS or (one.kind == WITHDRAWAL and one.predicate["withdrawn"] in approvals)

    def _of_opening(
        self,
        policy: Mapping[str, Any],
        rules: Mapping[str, Any],
        environment: str,
        by_then: Sequence[Statement],
        moment: datetime,
    ) -> Iterator[Doubt]:
        opening = self.opening
        doubt = opening.statement.doubt()
        if doubt is not None:
            yield doubt[0], f"the pin {doubt[1]}"
        opened_at = opening.statement.recorded_at or moment
        if opened_at.date().isoformat() > policy["review_by"]:
            yield "policy-review-passed", "the policy was due for review before it was opened under it"
        way = rules.get("environments", [])
        if environment not in (opening.environment, *way):
            yield "environment-not-asked-for", f"nobody asked for {shown(environment, 60)!r}"
        before = way[: way.index(environment)] if environment in way else way
        for other in before:
            if not any(self._has_served(one, other, by_then) for one in by_then if one.kind == SERVED):
                yield "environment-not-served-before", f"it had not served in {shown(other, 60)}, which comes first"

    def _unopened(self, roots: Sequence[Root]) -> Doubt | None:
        """Return why a pin opens nothing that could be admitted under, whichever of `roots` was the newest, or None."""
        digest, policy = self.opening.policy, self.policies.read.get(self.opening.policy)
        if digest not in self.policies.named:
            return "policy-unknown-to-root", f"no version of the root names the policy {shown(digest, 64)}"
        if all(root.policy != digest for root in roots):
            return "policy-superseded", "another policy was in force than the one that it was opened under"
        if self.opening.bytes not in (None, self.digest):
            return "request-for-other-bytes", f"what was asked for is the release {self.opening.bytes}"
        if policy is None:
            return "policy-missing", f"the policy {digest} is not in the bundle"
        if self.opening.tier not in policy["tiers"]:
            return "tier-unknown", f"its policy knows no tier {shown(self.opening.tier, 40)}"
        return None

    def _has_served(self, one: Statement, environment: str, by_then: Sequence[Statement]) -> bool:
        """Say whether a deployer's word that the release served holds: by a decision that is judged once more."""
        if one.doubt() is not None or one.predicate["environment"] != environment:
            return False
        opening, level = self.opening, f"INTERLOCK_TIER_{self.opening.tier.upper()}"
        for decision in by_then:
            if decision.kind != VERIFICATION or decision.payload != one.predicate["decision"]:
                continue
            said = decision.predicate
            named = {file["digest"]["sha256"] for file in said.get("inputAttestations", [])}
            fits = (
                said["verificationResult"] == "PASSED"
                and said["resourceUri"] == f"interlock:{self.digest}/{environment}"
                and said["policy"]["digest"]["sha256"] == opening.policy
                and level in said["verifiedLevels"]
                and opening.statement.sha256 in named
                and decision.doubt() is None
                and decision.dated_back() is None
            )
            if fits and not self.doubts(environment, decision.decided_at(), named=named, rests_on=named):
                return True
        return False

    def _closed(self, urgent: Mapping[str, Any] | None, moment: datetime) -> Doubt | None:
        """Return why the emergency path is closed, or None."""
        if urgent is None:
            return "emergency-not-provided", "the tier has no emergency path"
        since = [
            one.recorded_at
            for one in self.statements
            if one.kind == PIN
            and one.recorded_at is not None
            and (one.predicate.get("request") or {}).get("document", {}).get("emergency") is True
        ]
        until = min(since, default=moment) + timedelta(hours=urgent["complete_within_hours"])
        return ("emergency-deadline-passed", f"the emergency ended at {told(until)}") if moment >= until else None

    def _of_path(
        self,
        policy: Mapping[str, Any],
        rules: Mapping[str, Any],
        lines: Sequence[Mapping[str, Any]],
        demanded: Mapping[str, Any],
        by_then: Sequence[Statement],
        environment: str,
        moment: datetime,
    ) -> list[Doubt]:
        named = {gate for tier in policy["tiers"].values() for gate in tier["evidence"]}
        counted, found = self._evidence(demanded, named, by_then)
        days = rules["approval_days"]
        return found + Approvals(self, policy, lines, days, counted, by_then, environment, moment).missing()

    def _evidence(
        self, demanded: Mapping[str, Any], named: Iterable[str], by_then: Sequence[Statement]
    ) -> tuple[dict[str, set[str]], list[Doubt]]:
        """Return by gate the payloads that show what it must, and what is missing."""
        counted: dict[str, set[str]] = {}
        found: list[Doubt] = []
        for gate in sorted(set(named) | set(demanded)):
            about = [one for one in by_then if one.kind == EVIDENCE and one.predicate["gate"] == gate]
            failed = [
                one
                for one in about
                if one.predicate["policy"] == self.opening.policy and one.predicate["outcome"] != "passed"
            ]
            if failed:
                why = "; ".join(shown(text) for one in failed for text in one.predicate.get("reasons", []))
                found.append(("evidence-failed", f"the gate {gate} failed, which nothing outvotes: {why}"))
            if gate not in demanded:
                # Another tier's: that it failed speaks against the release, and it shows nothing for it.
                continue
            faults = {one.payload: self._fault(one, demanded[gate]) for one in about}
            counted[gate] = {payload for payload, fault in faults.items() if fault is None}
            if not failed and not counted[gate]:
                missing = ("evidence-missing", f"no gate {gate} shows what the tier {self.opening.tier} demands")
                found += [fault for fault in faults.values() if fault is not None] or [missing]
        return counted, found

    def _fault(self, one: Statement, demand: Mapping[str, Any]) -> Doubt | None:
        """Return why evidence does not count for what is demanded of its gate, or None."""
        said, gate = one.predicate, shown(one.predicate["gate"], 60)
        if said["policy"] != self.opening.policy:
            return "evidence-for-another-policy", f"the gate {gate} was measured under another policy"
        if said["tier"] != self.opening.tier:
            return "evidence-for-another-tier", f"the gate {gate} was measured for the tier {shown(said['tier'], 40)}"
        short = list(_short(said, demand))
        if said["outcome"] == "passed" and short:
            return "evidence-short-of-policy", f"the gate {gate} calls itself passed, but {'; '.join(short)}"
        doubt = one.doubt(demand.get("signers", ["builder"]))
        return doubt and (doubt[0], f"the evidence of the gate {gate} {doubt[1]}")

    @staticmethod
    def objections(by_then: Sequence[Statement]) -> list[Doubt]:
        """Return what people have said against the release and not taken back."""
        found = []
        for one in by_then:
            doubt = one.doubt()
            believed = doubt is None or doubt[0] == "not-in-ledger"
            if (
                one.kind in OBJECTIONS
                and believed
                and not (one.kind == REJECTION and Judge.withdrawn(one, by_then, True))
            ):
                why = f"{OBJECTIONS[one.kind]} by {shown(one.person)} ({shown(one.predicate['ticket'])})"
                found.append((OBJECTIONS[one.kind], f"{why}: {shown(one.predicate['reason'])}"))
        return found

    @staticmethod
    def withdrawn(one: Statement, by_then: Sequence[Statement], logged: bool) -> bool:
        """Say whether its own author has taken a statement back; `logged` asks for the ledger's word of that."""
        return any(
            other.kind == WITHDRAWAL
            and (other.predicate["withdrawn"], other.person) == (one.payload, one.person)
            and (not logged or other.doubt() is None)
            for other in by_then
        )


UNOPENED = {"policy-unknown-to-root", "policy-superseded", "request-for-other-bytes", "policy-missing", "tier-unknown"}
"""What a pin is refused for before anything else is asked."""


def nearest(ways: Iterable[list[Doubt]]) -> list[Doubt]:
    """Return what is missing of the pin for which least is; one that was opened under what is in force says more."""
    return min(ways, key=lambda found: (any(code in UNOPENED for code, _ in found), len(found)))


def _short(said: Mapping[str, Any], demand: Mapping[str, Any]) -> Iterator[str]:
    """Yield where measures are not what the policy's limits, or their own, ask for."""
    measures = said.get("measures", [])
    for measure in measures:
        if measure.get("limit") is not None and not holds(measure, measure["limit"]):
            yield f"{shown(measure['name'], 60)} is not within its limit"
    for name, limit in sorted(demand.get("limits", {}).items()):
        mine = [one for one in measures if one["name"] == name and not one.get("suppressed")]
        if not mine:
            yield f"it does not tell {name}"
        elif not all(holds(measure, limit) for measure in mine):
            yield f"{name} is not within the policy's limit"


@dataclass(frozen=True)
class Approvals:
    """Whether enough people agree, as of a moment."""

    judge: Judge
    policy: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    days: int
    evidence: Mapping[str, set[str]]
    """By required gate, the payloads of which one at least must have been read."""
    by_then: Sequence[Statement]
    environment: str
    moment: datetime

    def missing(self) -> list[Doubt]:
        """Return nothing if they do; else what is missing, and why each approval that is there does not count."""
        places = [line.get("group") for line in self.lines for _ in range(line["count"])]
        reasons: list[Doubt] = []
        people: dict[str, list[int]] = {}
        given = [one for one in self.by_then if one.kind == APPROVAL]
        # The one that lasts longest stands for its person.
        for one in sorted(given, key=lambda one: (when(one.predicate["expires_at"]), one.payload), reverse=True):
            doubt = self._doubt(one)
            if doubt is None and one.person in people:
                doubt = ("approval-by-same-person", "they approved twice, and count once")
            if doubt is None:
                people[one.person] = [
                    index
                    for index, group in enumerate(places)
                    if group is None or one.person in self.policy["groups"].get(group, [])
                ]
            else:
                reasons.append((doubt[0], f"the approval by {shown(one.person)} does not count: {doubt[1]}"))
        if fills(people, len(places)):
            return []
        wanted = " and ".join(
            f"{line['count']} of {shown(line.get('group') or 'all approvers', 60)}" for line in self.lines
        )
        who = ", ".join(map(shown, sorted(people))) or "nobody"
        text = f"the tier {self.judge.opening.tier} asks for {wanted}; what counts is of {who}"
        return [("approval-missing", text), *reasons]

    def _doubt(self, one: Statement) -> Doubt | None:
        """Return why an approval does not count, or None."""
        said, opening = one.predicate, self.judge.opening
        given, expires, read = when(said["approved_at"]), when(said["expires_at"]), set(said["statements"])
        record = {
            "policy": said["policy"],
            "pin": said["pin"],
            "release": self.judge.digest,
            "statements": sorted(read),
        }
        written = {other.payload for other in self.judge.statements if other.key.startswith("releases/")}
        seen = min(one.recorded_at or self.moment, self.moment)
        unread = sorted(gate for gate, payloads in self.evidence.items() if not payloads & read)
        pin, lie = opening.statement.payload, one.dated_back()
        pins = [other.predicate for other in self.by_then if other.kind == PIN]
        submitters = {(other.get("request") or {}).get("submitter") for other in pins} | {opening.submitter}
        measured = [other.predicate for other in self.by_then if other.kind == EVIDENCE]
        builders = {other.get("builder") for other in (*pins, *measured)} | {opening.builder}
        if said["pin"] not in read:
            unread.append("the pin")
        checks = (
            ("approval-for-another-environment", "it is for another", said["environment"] != self.environment),
            ("approval-for-another-policy", "it is under another", said["policy"] != opening.policy),
            (
                "approval-for-another-pin",
                f"it is for the pin {said['pin'][:12]}… of the tier {shown(said['tier'], 40)}",
                (said["pin"], said["tier"]) != (pin, opening.tier),
            ),
            ("approval-by-submitter", "they submitted the release", one.person in submitters),
            ("approval-by-builder", "they built the release, or ran its gates", one.person in builders),
            ("approval-withdrawn", "they have taken it back", self.judge.withdrawn(one, self.by_then, False)),
            (
                "approval-of-another-record",
                "it names a record that is not this one",
                sha256(canonical_json(record)) != said["record"] or not read <= written,
            ),
            ("approval-without-evidence", f"they had not read {', '.join(unread)}", bool(unread)),
            (
                "approval-lasts-too-long",
                f"it lasts longer than {self.days} days",
                expires - given > timedelta(days=self.days),
            ),
            (
                "approval-not-yet-given",
                f"it says {told(given)}",
                # What no log has yet may have been said after the newest checkpoint.
                given - seen > CLOCKS_DIFFER and one.recorded_at is not None,
            ),
            (
                "statement-backdated",
                f"it says {told(given)}, and was first seen at {told(seen)}",
                seen - given > LATEST and one.recorded_at is not None,
            ),
            ("statement-backdated", lie or "", lie is not None),
            ("approval-expired", f"it expired at {told(expires)}", self.moment >= expires),
        )
        fault = next(((code, text) for code, text, wrong in checks if wrong), None)
        return fault or one.doubt()


# ---------------------------------------------------------------------------------------------- the whole of a bundle

INDEX = "bundle.json"
PROOFS = "proofs.json"
BUNDLE_KIND = "urn:interlock:audit-bundle:v1"
STRONGEST_LOCK = "COMPLIANCE"

_INDEX = form(
    {
        "schema_version": one_of(1),
        "kind": one_of(BUNDLE_KIND),
        "release": HEX,
        "objects": list_of(
            form(
                {
                    "key": TEXT,
                    "version_id": TEXT,
                    "size": integer(0),
                    "sha256": HEX,
                    "delete_marker": one_of(True, False),
                    "included": one_of(True, False),
                    "lock": maybe(form({"mode": TEXT, "until": TIME})),
                }
            )
        ),
    },
    closed=False,
)
_PATH = list_of(HEX)
_PROOFS = form(
    {
        "schema_version": one_of(1),
        "logs": map_of(
            form(
                {
                    "size": integer(0),
                    "root": HEX,
                    "inclusion": list_of(form({"index": integer(0), "path": _PATH})),
                    "consistency": list_of(form({"size": integer(1), "path": _PATH})),
                }
            )
        ),
    }
)
_MANIFEST = form(
    {
        "schema_version": one_of(1),
        "files": list_of(form({"path": TEXT, "size": integer(0), "sha256": HEX}), least=1),
    }
)


def _hashes(path: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in path]


class Verifier:
    """Checks one bundle from the trust root's fingerprint on."""

    def __init__(self, bundle: Bundle, fingerprint: str, known: Sequence[Checkpoint] = ()) -> None:
        self.bundle, self.fingerprint, self.known = bundle, fingerprint, known
        self.report = Report()
        self.digest = ""
        self.objects: dict[str, list[Mapping[str, Any]]] = {}
        self.statements: list[Statement] = []
        self.files: list[Mapping[str, Any]] = []

    def verify(self) -> Report:
        """Return everything that was found. Raises Unfit if this is no bundle."""
        index = self._index()
        self.digest = index["release"]
        for one in index["objects"]:
            self.objects.setdefault(one["key"], []).append(one)
        self.report.facts.append(("release", self.digest))
        self._check_objects()
        self._check_manifest()
        try:
            roots = self._roots()
        except Broken as error:
            self.report.refuse(error.code, f"the trust root: {error}", "trust/")
            return self.report
        logs = LedgerReader(self.bundle, roots, self.report).logs(self.known)
        self._tell_logs(logs)
        reader = RecordReader(self.bundle, self.digest, roots[-1], logs, self.report)
        self.statements = reader.statements()
        self.report.checked("statements", f"{len(self.statements)} signed by keys of the right duty and person")
        self._check_versions(logs)
        if logs:
            # Without a log nothing can be dated, and every further reason would follow from that one.
            self._check_proofs(logs)
            published = reader.published(roots)
            self.report.unknown += [
                f"when version {version} of the trust root was published: no witnessed log has it"
                for version, one in published.items()
                if one.before is None
            ]
            self._check_standing(read_policies(self.bundle, roots, published, self.report), logs)
        return self.report

    def _index(self) -> Mapping[str, Any]:
        try:
            return dict(fit(parse_json(self.bundle.read(INDEX), "object-altered"), _INDEX, "object-altered", INDEX))
        except Broken as error:
            raise Unfit(f"{INDEX}: {error}") from None

    def _refuse(self, code: str, key: str, text: str) -> None:
        self.report.refuse(code, f"{shown(key)}: {text}", key)

    def _check_objects(self) -> None:
        """The index against the bytes in the bundle; a key of the vault has one version for good."""
        prefixes = [f"{folder}/{self.digest}/" for folder in ("releases", "approvals", "decisions", "findings")]
        indexed = {key for prefix in (*prefixes, "trust/") for key in self.bundle.below(prefix)}
        for key in sorted({*indexed, *self.bundle.below("")} - set(self.objects)):
            if key in indexed or not key.startswith(("ledger/", "witness/")):
                self._refuse("object-added", key, "it is in the bundle and not in its index")
        included = 0
        for key, versions in sorted(self.objects.items()):
            if any(one["delete_marker"] for one in versions):
                self._refuse("object-hidden", key, "a delete marker lay above it")
            count = sum(not one["delete_marker"] for one in versions)
            if count > 1:
                self._refuse("object-overwritten", key, f"it had {count} versions, and there is one of each for good")
            for one in versions:
                if one["included"]:
                    included += 1
                    self._check_bytes(key, one["size"], one["sha256"])
            if not key.startswith("trust/"):
                self._check_lock(key, versions)
        self.report.unknown.append(
            "whether the vault's objects were locked as the index says, and are still: nobody signs for that"
        )
        self.report.checked("objects", f"{included} of {len(self.objects)} are in the bundle, their bytes as indexed")

    def _check_bytes(self, key: str, size: int, digest: str) -> None:
        found, read = hashlib.sha256(), 0
        try:
            for chunk in self.bundle.chunks(VAULT + key):
                found.update(chunk)
                read += len(chunk)
        except Broken as error:
            self._refuse(error.code, key, str(error))
            return
        if (read, found.hexdigest()) != (size, digest):
            self._refuse("object-altered", key, f"it holds {read} bytes with SHA-256 {found.hexdigest()}")

    def _check_lock(self, key: str, versions: Sequence[Mapping[str, Any]]) -> None:
        for one in versions:
            if one["delete_marker"]:
                continue
            if one["lock"] is None:
                self._refuse("not-locked", key, "it was not locked")
            elif one["lock"]["mode"] != STRONGEST_LOCK:
                self._refuse("lock-too-weak", key, f"it was locked in the mode {shown(one['lock']['mode'], 30)}")

    def _check_manifest(self) -> None:
        key = f"releases/{self.digest}/manifest.json"
        try:
            content = self.bundle.read(VAULT + key)
            document = fit(parse_canonical(content, "manifest-malformed"), _MANIFEST, "manifest-malformed", "manifest")
        except Broken as error:
            code = "manifest-missing" if error.code == "object-missing" else error.code
            self._refuse(code, key, str(error))
            return
        if sha256(content) != self.digest:
            self._refuse("manifest-of-another-release", key, f"it is the manifest of {sha256(content)}")
            return
        self.files = document["files"]
        prefix = f"releases/{self.digest}/files/"
        expected = {prefix + one["path"]: one for one in self.files}
        if list(expected) != sorted(expected) or len(expected) != len(self.files):
            self._refuse("manifest-malformed", key, "its paths are not sorted, or one stands twice")
        beside = {key, *expected}
        for one in sorted(self.objects):
            inside = one.startswith(f"releases/{self.digest}/")
            if inside and not one.startswith(f"releases/{self.digest}/statements/") and one not in beside:
                self._refuse("object-added", one, "it is not in the manifest")
        for one, file in expected.items():
            if one not in self.objects:
                self._refuse("object-missing", one, "the manifest names it, and it was not there")
            for version in self.objects.get(one, []):
                same = (version["size"], version["sha256"]) == (file["size"], file["sha256"])
                if not version["delete_marker"] and not same:
                    self._refuse("object-altered", one, f"the manifest says {file['size']} bytes, {file['sha256']}")
        without = [one for one in expected if not any(v["included"] for v in self.objects.get(one, []))]
        self.report.checked("manifest", f"{len(expected)} files, {sum(one['size'] for one in self.files)} bytes")
        if without:
            self.report.unknown.append(
                f"the bytes of {len(without)} of {len(expected)} files: they are not in the bundle "
                "(--files FOLDER checks a copy of them)"
            )

    def _roots(self) -> list[Root]:
        found = {}
        for key in self.bundle.below("trust/"):
            match = re.fullmatch(r"trust/([1-9]\d{0,8})\.root\.json", key)
            if match is not None:
                found[int(match[1])] = self.bundle.read(VAULT + key)
        roots = verify_chain([found[number] for number in sorted(found)], self.fingerprint)
        newest = roots[-1]
        self.report.checked("trust root", f"versions {roots[0].version} to {newest.version} from the given fingerprint")
        self.report.facts.append(("trust root", f"version {newest.version}, {newest.fingerprint}"))
        self.report.unknown.append(
            f"whether a newer trust root than version {newest.version} distrusts a key: "
            f"this one was to be replaced by {told(newest.expires_at)}"
        )
        return roots

    def _tell_logs(self, logs: Sequence[Log]) -> None:
        if not logs and not any(one.where.startswith("ledger/") for one in self.report.reasons):
            self.report.refuse("ledger-missing", "no log in the bundle holds, so nothing can be dated", "ledger/")
        if logs and not max(logs, key=lambda log: log.newest.time).sightings:
            self.report.refuse("ledger-unwitnessed", "no witness has signed for the newest of the logs", "ledger/")
        for log in logs:
            newest = log.newest
            self.report.checked("ledger", f"{log.name}: {len(log.leaves)} entries under its signed root")
            text = f"{len(log.leaves)} entries, {told(newest.time)}, root {newest.root.hex()}"
            self.report.facts.append((f"log {log.name}", text))
            seen = log.witnessed_size
            if seen < log.end:
                self.report.unknown.append(
                    f"whether the last {log.end - seen} entries of the log {log.name} were shown to others "
                    "otherwise: no witness has signed for them"
                )
        if logs:
            last = max(log.newest.time for log in logs)
            self.report.unknown.append(
                f"what happened after {told(last)}, the newest checkpoint: a revocation since then is not in the bundle"
            )

    def _check_versions(self, logs: Sequence[Log]) -> None:
        """VersionIds in the index against those that were signed and logged."""
        ids = {key: [one["version_id"] for one in versions] for key, versions in self.objects.items()}
        for log in logs:
            for leaf in log.counted:
                if leaf.subject == self.digest and leaf.key in ids and leaf.version_id not in ids[leaf.key]:
                    self._refuse("statement-replaced", leaf.key, f"the log {log.name} recorded another version of it")
        pins = [one for one in self.statements if one.kind == PIN]
        if not pins:
            self._refuse("not-pinned", f"releases/{self.digest}/", "no builder has signed for these bytes")
        prefix = f"releases/{self.digest}/"
        expected = {prefix + "files/" + one["path"] for one in self.files} | {prefix + "manifest.json"}
        for pin in pins:
            named = {key: [version] for key, version in pin.predicate["objects"].items()}
            if named != {key: ids.get(key) for key in expected}:
                self._refuse("pin-names-other-objects", pin.key, "it names other object versions than the vault held")
        self.report.checked("VersionIds", "those of the index are the ones that were signed and logged")

    def _check_proofs(self, logs: Sequence[Log]) -> None:
        """The proofs that travel for other readers lead to the roots that were computed here from every entry."""
        try:
            document = fit(parse_json(self.bundle.read(PROOFS), "ledger-refused"), _PROOFS, "ledger-refused", PROOFS)
        except Broken as error:
            self._refuse(error.code, PROOFS, str(error))
            return
        count = 0
        for log in logs:
            given = document["logs"].get(log.name)
            if given is None:
                self._refuse("ledger-refused", PROOFS, f"it proves nothing of the log {log.name}")
                continue
            size, root = len(log.leaves), log.newest.root
            about = {leaf.index for leaf in log.leaves if leaf.subject == self.digest}
            proven = {
                one["index"]
                for one in given["inclusion"]
                if one["index"] < size
                and root_by_inclusion(log.leaves[one["index"]].hash, one["index"], size, _hashes(one["path"])) == root
            }
            if proven != {one["index"] for one in given["inclusion"]} or not about <= proven:
                self._refuse("ledger-refused", PROOFS, f"a proof of inclusion in the log {log.name} does not hold")
            for one in given["consistency"]:
                older = log.roots.get(one["size"], b"")
                if roots_by_consistency(one["size"], size, _hashes(one["path"]), older) != (older, root):
                    self._refuse("ledger-refused", PROOFS, f"a proof that the log {log.name} only grew does not hold")
            count += len(given["inclusion"]) + len(given["consistency"])
        self.report.checked("proofs", f"{count} lead to the signed roots")

    def _check_standing(self, policies: Policies, logs: Sequence[Log]) -> None:
        judges = self._judges(policies)
        decisions = [one for one in self.statements if one.kind == VERIFICATION]
        self._tell(decisions)
        passed = [one for one in decisions if one.predicate["verificationResult"] == "PASSED" and one.doubt() is None]
        for one in passed:
            self._check_decision(one, judges)
        sound = {one.predicate["resourceUri"] for one in passed if one.dated_back() is None}
        self._check_dates(sound)
        self.report.checked("decisions", f"{len(passed)} to admit, held against what the ledger had by then")
        if not judges:
            for code, text in Judge.objections(self.statements):
                self.report.refuse(code, text)
        else:
            self._check_end(judges, max(log.newest.time for log in logs), admitted=bool(sound))

    def _judges(self, policies: Policies) -> list[Judge]:
        """Return one for each pin that somebody's request opened, the newest last."""
        found = []
        pins = [one for one in self.statements if one.kind == PIN]
        for pin in sorted(pins, key=lambda one: one.recorded_at or datetime.max.replace(tzinfo=UTC)):
            opening = Opening.of(pin)
            found += [Judge(self.digest, self.statements, policies, opening)] if opening else []
        if pins and not found:
            self._refuse("not-submitted", pins[0].key, "bytes are pinned whose release nobody asked for")
        return found

    def _check_end(self, judges: Sequence[Judge], end: datetime, *, admitted: bool) -> None:
        """How the record ends: never admitted, it must be fit to be; revoked, it is refused whatever was before."""
        now = [judge.doubts(judge.opening.environment, end, at_the_end=True) for judge in judges]
        for code, text in [doubt for doubts in now for doubt in doubts if doubt[0] == "revoked"]:
            self.report.refuse(code, text)
        if not all(now):
            self.report.facts.append(("today", f"could be admitted at {told(end)}"))
            return
        for code, text in nearest(reversed(now)):
            if admitted:
                self.report.facts.append(("today", f"could not be admitted again at {told(end)}: {text}"))
            else:
                self.report.refuse(code, text)

    def _check_decision(self, one: Statement, judges: Sequence[Judge]) -> None:
        said = one.predicate
        start = f"interlock:{self.digest}/"
        environment = said["resourceUri"].removeprefix(start)
        moment = one.decided_at()
        fitting = [judge for judge in judges if judge.opening.policy == said["policy"]["digest"].get("sha256")]
        if not said["resourceUri"].startswith(start) or not fitting:
            text = f"admits {shown(said['resourceUri'], 120)!r}, which nobody asked for under that policy"
            self._refuse("environment-not-asked-for", one.key, text)
            return
        rests_on = {file["digest"]["sha256"] for file in said.get("inputAttestations", [])}
        doubts = nearest(judge.doubts(environment, moment, rests_on=rests_on) for judge in reversed(fitting))
        for code, text in doubts:
            self._refuse(code, one.key, f"it was admitted at {told(moment)} although {text}")

    def _check_dates(self, sound: Container[str]) -> None:
        """What takes something from the release counts whatever its date; a decision that is dated back admits nothing.

        What it let in is judged all the same: else whoever admits against the record would date that back. Where a
        release was let in by such a decision alone, nothing says that it was: `sound` are the resources that another
        decision admits. An approval's date is looked at where it is counted.
        """
        for one in self.statements:
            lie = one.dated_back() if one.kind in STATED and one.kind != APPROVAL else None
            if lie is None or one.doubt() is not None:
                continue
            said, key = one.predicate, shown(one.key)
            if one.kind != VERIFICATION:
                self.report.note("statement-backdated", f"{key}: {lie}; it counts all the same", one.key)
            elif said["verificationResult"] != "PASSED" or said["resourceUri"] in sound:
                so = "it admits nothing by itself, and what it let in is judged by that checkpoint"
                self.report.note("statement-backdated", f"{key}: {lie}; {so}", one.key)
            else:
                self._refuse("statement-backdated", one.key, f"{lie}, and no other decision admits it there")

    def _tell(self, decisions: Sequence[Statement]) -> None:
        """Say who did what, and when the ledger saw it."""
        for one in sorted(self.statements, key=lambda other: (other.recorded_at is None, str(other.recorded_at))):
            if one.kind == EVIDENCE:
                what = f"gate {one.predicate['gate']} {one.predicate['outcome']}"
            elif one.kind == VERIFICATION:
                what = f"decision {one.predicate['verificationResult']} for {one.predicate['resourceUri']}"
            else:
                name = one.kind.split(":")[3] if one.kind.startswith("urn:interlock:predicate:") else one.kind
                what = f"{name} by {one.person}" if PLACES[one.kind][0] == "approver" else name
            seen = told(one.recorded_at) if one.recorded_at else "not in the ledger"
            self.report.facts.append((seen, shown(what)))
            if one.recorded_at is None:
                self.report.unknown.append(f"when {shown(one.key)} was made: no log in the bundle has it")
        if not decisions:
            self.report.unknown.append("whether it ever served: the record holds no decision")

    def check_files(self, folder: Path) -> None:
        """Hold a folder, such as a copy of the model, against the manifest. Raises Unfit."""
        copy = open_bundle(folder)
        expected = {one["path"]: one for one in self.files}
        for name in sorted(copy.names - set(expected)):
            self._refuse("object-added", name, "it is in the folder and not in the manifest")
        for name, one in expected.items():
            found = hashlib.sha256()
            try:
                for chunk in copy.chunks(name):
                    found.update(chunk)
            except Broken as error:
                self._refuse(error.code, name, str(error))
                continue
            if found.hexdigest() != one["sha256"]:
                self._refuse("object-altered", name, f"it has the SHA-256 {found.hexdigest()}")
        self.report.unknown = [one for one in self.report.unknown if "--files FOLDER" not in one]
        self.report.checked("files", f"{len(expected)} of the folder {shown(folder)} read")


# ------------------------------------------------------------------------------------------------------- the command


def as_text(report: Report) -> str:
    """Return a report for people."""
    lines = [f"  checked   {name}: {result}" for name, result in report.checks]
    lines += [f"  {name}  {what}" for name, what in report.facts]
    lines += [f"  note      [{one.code}] {one.text}" for one in report.notes]
    lines += [f"  unknown   {one}" for one in report.unknown]
    lines += [f"  REFUSED   [{one.code}] {one.text}" for one in report.reasons]
    lines += [f"  REFUSED   [{code}] and {count} more of this kind" for code, count in sorted(report.untold.items())]
    count = len(report.reasons) + report.untold.total()
    verdict = f"refused: {count} reasons" if count else "the record holds"
    return "\n".join([verdict, *lines])


def as_json(report: Report) -> str:
    """Return a report for programs."""
    return json.dumps(
        {
            "verdict": "refused" if report.reasons else "holds",
            "reasons": [{"code": one.code, "text": one.text, "where": one.where} for one in report.reasons],
            "untold": dict(sorted(report.untold.items())),
            "notes": [{"code": one.code, "text": one.text, "where": one.where} for one in report.notes],
            "checks": [{"what": name, "result": result} for name, result in report.checks],
            "facts": [{"when_or_what": name, "fact": what} for name, what in report.facts],
            "unknown": report.unknown,
        },
        indent=2,
    )


def verify(path: Path, fingerprint: str, *, checkpoints: Sequence[Path] = (), files: Path | None = None) -> Report:
    """Return what is found of the bundle at `path`. Raises Unfit if it is none that could be checked."""
    try:
        known = [read_checkpoint(one.read_bytes()) for one in checkpoints]
    except (OSError, Broken) as error:
        raise Unfit(f"--checkpoint: {shown(error)}") from None
    try:
        verifier = Verifier(open_bundle(path), fingerprint, known)
        report = verifier.verify()
        if files is not None:
            verifier.check_files(files)
    except Broken as error:
        report = Report()
        report.refuse(error.code, str(error))
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify.py", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("bundle", type=Path, help="the zip archive, or the folder that it was unpacked to")
    parser.add_argument("--root", required=True, metavar="FINGERPRINT", help="of the trust root, known from elsewhere")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint of a log, known from elsewhere"
    )
    parser.add_argument("--files", type=Path, metavar="FOLDER", help="a copy of the release's files, to be checked too")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    fingerprint = given.root.strip().lower()
    try:
        if re.fullmatch(r"[0-9a-f]{64}", fingerprint) is None:
            raise Unfit(f"--root: received {shown(given.root)!r}; accepted are 64 hexadecimal digits")
        report = verify(given.bundle, fingerprint, checkpoints=given.checkpoint, files=given.files)
    except Unfit as error:
        print(f"bad input: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        # A traceback would end with the code of a refusal, and say neither why nor of what.
        print(f"bad input: the check broke off, {type(error).__name__}: {shown(error)}", file=sys.stderr)
        return 2
    if not given.json:
        print(f"verify.py {sha256(Path(__file__).read_bytes())}")
    print(as_json(report) if given.json else as_text(report))
    return 1 if report.reasons else 0


if __name__ == "__main__":
    sys.exit(main())
