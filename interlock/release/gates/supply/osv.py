"""A dated snapshot of known vulnerabilities in the OSV format, and which of them a distribution has.

Format: https://ossf.github.io/osv-schema/. A snapshot is either OSV's own dump of an ecosystem, a zip of one JSON
file a record, dated by its newest record; or `{"taken_at": …, "vulnerabilities": [record, …]}`, which is as old as
its newest record, too: a database that is written to every day was not read where nothing in it is new.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from interlock.release.gates.supply.cvss import base_score
from interlock.release.times import EARLIEST, LATEST

ECOSYSTEM: Final = "PyPI"
MOST_RECORDS: Final = 500_000
LARGEST_RECORD: Final = 16 * 1024**2


class UnreadableSnapshot(ValueError):
    """Bytes that are no snapshot; the text says what they lack."""


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNRATED = "unrated"


_WORDS: Final[Mapping[str, Severity]] = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
}
_FROM_SCORE: Final = (
    (Decimal("9.0"), Severity.CRITICAL),
    (Decimal("7.0"), Severity.HIGH),
    (Decimal("4.0"), Severity.MEDIUM),
    (Decimal("0.0"), Severity.LOW),
)
_ORDER: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.UNRATED)


@dataclass(frozen=True)
class Snapshot:
    """Records by the normalized name of the distribution that they are about."""

    taken_at: datetime
    """Not after the time at which the newest record was changed."""
    records: Mapping[str, tuple[Mapping[str, Any], ...]]
    count: int


@dataclass(frozen=True)
class Vulnerability:
    """One vulnerability of one distribution, under all the names that it goes by."""

    name: str
    version: str
    identifier: str
    aliases: tuple[str, ...]
    severity: Severity
    vector: str | None


def read_snapshot(content: bytes) -> Snapshot:
    """Return the snapshot in a file's bytes. Raises UnreadableSnapshot."""
    taken_at: datetime | None = None
    if content.startswith(b"PK"):
        records: Iterable[Any] = list(_of_dump(content))
    else:
        document = _json(content)
        if not isinstance(document, dict) or not isinstance(document.get("vulnerabilities"), list):
            raise UnreadableSnapshot("it is neither OSV's dump (a zip) nor {taken_at, vulnerabilities}")
        records = document["vulnerabilities"]
        taken_at = _time(document.get("taken_at"))
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    times = []
    for record in records:
        if not isinstance(record, dict) or not isinstance(record.get("id"), str):
            raise UnreadableSnapshot("it holds a record without an id")
        times.append(_time(record.get("modified")))
        for name in _names(record):
            by_name.setdefault(name, []).append(record)
    if not times:
        raise UnreadableSnapshot("it holds no records, so that nothing dates it")
    dated = min(max(times), taken_at or max(times))
    return Snapshot(dated, {name: tuple(found) for name, found in by_name.items()}, len(times))


def vulnerabilities_of(name: str, version: str, snapshot: Snapshot) -> Iterator[Vulnerability]:
    """Yield what is known of a distribution, one for each vulnerability however many records tell of it.

    A record whose ranges cannot be compared with the version counts as one that affects it.
    """
    records = [
        one for one in snapshot.records.get(name, ()) if not one.get("withdrawn") and _affects(one, name, version)
    ]
    while records:
        same = [records.pop(0)]
        names = _known_as(same[0])
        while (other := next((one for one in records if names & _known_as(one)), None)) is not None:
            records.remove(other)
            same.append(other)
            names |= _known_as(other)
        rated = sorted(((*_severity(one), one["id"]) for one in same), key=lambda one: (_ORDER.index(one[0]), one[2]))
        severity, vector, identifier = rated[0]
        yield Vulnerability(name, version, identifier, tuple(sorted(names - {identifier})), severity, vector)


def _of_dump(content: bytes) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_RECORDS or any(one.file_size > LARGEST_RECORD for one in entries):
                raise UnreadableSnapshot("it holds more than any dump of OSV's")
            for entry in entries:
                if entry.filename.endswith(".json"):
                    yield _json(archive.read(entry))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableSnapshot(f"it is no readable zip ({type(error).__name__})") from None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UnreadableSnapshot("it holds what is no JSON") from None


def _time(text: object) -> datetime:
    accepted = f"it is dated {str(text)[:60]!r}; accepted is a time such as 2026-11-22T00:00:00Z"
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise UnreadableSnapshot(accepted) from None
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    # Nearer to the calendar's ends, a difference of zones or days could run over one.
    if not EARLIEST <= aware < LATEST:
        raise UnreadableSnapshot(accepted)
    return aware.astimezone(UTC)


def _affected(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    affected = record.get("affected")
    for one in affected if isinstance(affected, list) else []:
        package = one.get("package") if isinstance(one, dict) else None
        if isinstance(package, dict) and package.get("ecosystem") == ECOSYSTEM and isinstance(package.get("name"), str):
            yield one


def _names(record: Mapping[str, Any]) -> set[str]:
    return {canonicalize_name(one["package"]["name"]) for one in _affected(record)}


def _affects(record: Mapping[str, Any], name: str, version: str) -> bool:
    return any(
        _is_affected(one, version) for one in _affected(record) if canonicalize_name(one["package"]["name"]) == name
    )


def _is_affected(affected: Mapping[str, Any], version: str) -> bool:
    try:
        if version in (affected.get("versions") or ()):
            return True
        ranges = [one for one in affected.get("ranges") or () if one.get("type") == "ECOSYSTEM"]
        return any(_in_range(one["events"], Version(version)) for one in ranges)
    except (InvalidVersion, TypeError, KeyError, AttributeError, ValueError):
        return True


def _in_range(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    """OSV's own algorithm: the events in the order of their versions turn it on and off."""
    turns = sorted(
        ((_event_version(text), kind) for one in events for kind, text in one.items() if kind != "limit"),
        key=lambda turn: (turn[0], turn[1] != "introduced"),
    )
    inside = False
    for when, kind in turns:
        if kind == "introduced" and version >= when:
            inside = True
        elif (kind == "fixed" and version >= when) or (kind == "last_affected" and version > when):
            inside = False
    return inside


def _event_version(text: str) -> Version:
    # "0" stands for before the first version, and PEP 440 has versions below it.
    return Version("0.dev0") if text == "0" else Version(text)


def _known_as(record: Mapping[str, Any]) -> set[str]:
    aliases = record.get("aliases")
    return {record["id"], *(str(one) for one in (aliases if isinstance(aliases, list) else []))}


def _severity(record: Mapping[str, Any]) -> tuple[Severity, str | None]:
    listed = record.get("severity")
    vectors = [str(one.get("score")) for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)]
    scores = [(score, vector) for vector in vectors if (score := base_score(vector)) is not None]
    if scores:
        score, vector = max(scores)
        return next(severity for least, severity in _FROM_SCORE if score >= least), vector
    specific = record.get("database_specific")
    word = str(specific.get("severity")).lower() if isinstance(specific, dict) else ""
    return _WORDS.get(word, Severity.UNRATED), None
