"""Who the champion is: the release that serves under a name, as deployers' decisions say, whatever anybody claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from interlock.release.digests import is_hex_digest
from interlock.release.evidence import Evidence
from interlock.release.pin_statement import PinPredicate
from interlock.release.predicates import DECISIONS
from interlock.release.record import gather_built, gather_decided
from interlock.release.vault import VaultReader
from interlock.release.verification.readings import Readings, Said, read
from interlock.release.verification.summary import Summary
from interlock.release.verification.trust import Trust

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

PERFORMANCE = "performance"
"""The gate that compares with the champion."""


@dataclass(frozen=True)
class Comparison:
    """With whom a release was compared, and with whom it should have been."""

    compared: tuple[str, ...]
    """Digests of the releases that its evidence names as champions, the newest evidence's first."""
    serving: str | None
    """The digest of the champion; None if nothing of its name has been admitted before it."""

    @property
    def holds(self) -> bool:
        """Say whether it was compared with what serves, if anything does."""
        return self.serving is None or self.serving in self.compared

    def __str__(self) -> str:
        if self.serving is None and not self.compared:
            return "compared with no champion: none of its name served before it"
        if self.serving in self.compared:
            return f"compared with {self.serving}, which served before it"
        said = ", ".join(self.compared) or "no champion"
        return f"compared with {said}; serving is {self.serving or 'none of its name'}"


def champion_of(reader: VaultReader, trust: Trust, digest: str, name: str, environment: str) -> str | None:
    """Return the digest of the release that serves under a name in an environment, beside the release `digest`.

    It is the one that a deployer admitted last by a pin of that name, and that nobody has revoked or retired. A release
    that was admitted so itself was a challenger of those before it alone, so that what it was measured against stays
    the same. Releases are read from the one decided on last, until none that is left can be a later one. Raises what
    `reader` raises.
    """

    def admitted(of: str) -> list[_Admission]:
        """Return by which decisions a release was admitted under the name."""
        found = list(_decided(reader, trust, of, environment))
        pins = read(gather_built(reader, of, trust.public_keys()), trust.root).pins if found else ()
        return [one for one in found if one.is_under(name, pins)]

    written = _last_written(reader)
    before = min((one.moment for one in admitted(digest)), default=None) if digest in written else None
    best: _Admission | None = None
    for other in sorted(written, key=lambda one: (written[one], one), reverse=True):
        if best is not None and best.moment > written[other]:
            break
        if other != digest:
            fitting = [one for one in admitted(other) if before is None or one.moment < before]
            best = max([*fitting, *([best] if best else [])], key=lambda one: (one.moment, one.digest), default=None)
    return best.digest if best else None


def comparison(
    reader: VaultReader, trust: Trust, digest: str, pin: PinPredicate, evidence: Sequence[Evidence]
) -> Comparison | None:
    """Return what a release's evidence was compared with, and what serves; None where nothing was to be compared.

    Of its evidence, what was compared with the champion of `pin` is taken, if there is any; otherwise all.
    Raises what `reader` raises.
    """
    measured = sorted((one for one in evidence if one.gate == PERFORMANCE), key=lambda one: one.ended_at, reverse=True)
    if not measured or pin.request is None:
        return None
    asked = pin.request.document
    serving = champion_of(reader, trust, digest, asked.name, asked.environment)
    # Other pins of the same bytes may have another champion.
    fitting = [one for one in measured if one.data.get("champion") == serving]
    compared = [one.data["champion"] for one in fitting or measured if "champion" in one.data]
    return Comparison(tuple(dict.fromkeys(compared)), serving)


@dataclass(frozen=True)
class _Admission:
    """A deployer's decision that let a release into an environment."""

    digest: str
    summary: Summary
    moment: datetime
    """When (UTC) the store took it, whatever it says itself; its own time only where the store's is not known."""

    def is_under(self, name: str, pins: Sequence[Said[PinPredicate]]) -> bool:
        """Say whether the release was admitted by a pin that names it so: one that the decision rests on.

        Anybody may ask for the bytes of any release under any name; that another pin names it so says nothing.
        """
        return any(
            pin.recorded.sha256 in self.summary.envelopes
            and self.summary.is_under(pin.what.policy, pin.what.tier)
            and pin.what.request is not None
            and pin.what.request.document.name == name
            for pin in pins
        )


def _last_written(reader: VaultReader) -> dict[str, datetime]:
    """Return, by release, when (UTC) the store took the last of its decisions; where that is not known, the latest."""
    found: dict[str, datetime] = {}
    for version in reader.versions(DECISIONS):
        digest = version.key.split("/")[1]
        if is_hex_digest(digest):
            found[digest] = max(found.get(digest, _EARLIEST), version.written_at or _LATEST)
    return found


def _decided(reader: VaultReader, trust: Trust, digest: str, environment: str) -> Iterator[_Admission]:
    """Yield by which decisions a release was admitted to the environment, if it may be there still."""
    record = gather_decided(reader, digest, trust.public_keys())
    readings = read(record, trust.root)
    if _ended(readings):
        return
    for one in readings.summaries:
        written = next((version.written_at for version in record.versions[one.recorded.key]), None)
        if one.what.admits(digest, environment) and _was_believed(one, written):
            yield _Admission(digest, one.what, written or one.what.time_verified)


def _was_believed(one: Said[Summary], written: datetime | None) -> bool:
    """Say whether a key under a decision was believed when the store took it: distrusted later, it made a champion.

    Whoever stole it since writes any date, and not the store's. Where that is not known, no distrusted key counts.
    """
    if written is not None:
        return any(key.believed_at(written) for key in one.keys)
    return any(key.distrusted is None and key.believed_at(one.what.time_verified) for key in one.keys)


def _ended(readings: Readings) -> bool:
    return bool(readings.revocations or readings.retirements)
