"""Opens the passport of a release in a vault, beside the champion that its evidence was compared with."""

from __future__ import annotations

from datetime import datetime

from interlock.admission import compared, judge
from interlock.failures import BadInput
from interlock.release.digests import is_hex_digest
from interlock.release.passport.model import Other, Passport, passport_of
from interlock.release.record import Record, gather
from interlock.release.vault import VaultReader
from interlock.release.verification.judging import Verdict
from interlock.release.verification.readings import Readings, read
from interlock.release.verification.trust import Trust


def open_passport(
    vault: VaultReader,
    trust: Trust,
    digest: str,
    environment: str,
    *,
    now: datetime,
    champion: str | None = None,
) -> Passport:
    """Return the passport as of `now` (UTC); `champion` is the digest of another release to compare with.

    Without it, the release is taken that the evidence was compared with. Raises BadInput, and what `vault`
    raises.
    """
    record, verdict = judge(vault, trust, digest, environment, now=now)
    return passport_from(vault, trust, record, verdict, now=now, champion=champion)


def passport_from(
    vault: VaultReader,
    trust: Trust,
    record: Record,
    verdict: Verdict,
    *,
    now: datetime,
    champion: str | None = None,
) -> Passport:
    """Return the passport of what was judged already. Raises as `open_passport`."""
    readings = read(record, trust.root)
    found = compared(vault, trust, record, verdict)
    named = champion or (next(iter(found.compared), None) if found else _compared_with(readings))
    other = _other(vault, trust, named) if named is not None and named != record.digest else None
    if champion is not None and other is None:
        raise BadInput(f"--champion: received {champion!r}; accepted is the digest of another pinned release")
    return passport_of(record, readings, verdict, trust, now=now, champion=other, comparison=found)


def _compared_with(readings: Readings) -> str | None:
    newest = sorted(readings.evidence, key=lambda one: (one.what.ended_at, one.payload), reverse=True)
    return next((one.what.data["champion"] for one in newest if "champion" in one.what.data), None)


def _other(vault: VaultReader, trust: Trust, digest: str) -> Other | None:
    if not is_hex_digest(digest):
        return None
    record = gather(vault, digest, trust.public_keys())
    readings = read(record, trust.root)
    if not readings.pins:
        return None
    source = max(readings.pins, key=lambda pin: pin.recorded.key).what.source
    return Other(digest, f"{source.name}/{source.version}", record, readings)
