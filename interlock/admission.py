"""Verifies a release of a vault for an environment, from a trust root whose fingerprint was given to whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from interlock.failures import BadInput, Refusal
from interlock.release.champion import Comparison, comparison
from interlock.release.digests import is_hex_digest
from interlock.release.folder import FolderReader
from interlock.release.record import Record, gather
from interlock.release.tiers import POLICY_NAME
from interlock.release.trust.chain import RootRefused, read_signed
from interlock.release.trust.published import TRUST, Unpublished, read_roots
from interlock.release.vault import VaultReader
from interlock.release.verification.judging import Profile, Verdict, admit, load
from interlock.release.verification.logs import read_logs
from interlock.release.verification.readings import read
from interlock.release.verification.trust import Trust, read_trust


@dataclass(frozen=True)
class Anchor:
    """From where trust starts: the fingerprint of a version of the root, and where its versions lie."""

    fingerprint: str
    folder: Path | None = None
    """Without it, the vault's own copy of the versions is read; the fingerprint decides what of it is believed."""


def trust_from(anchor: Anchor, vault: VaultReader, *, now: datetime | None) -> Trust:
    """Return what may be believed. Raises Refusal for a root that may not, and what `vault` raises."""
    folder = anchor.folder
    if folder is None:
        roots = policies = vault
    else:
        roots = FolderReader({TRUST: folder})
        # A policy is named by its digest, so that it does not matter who hands it over.
        policies = roots if (folder / "policies").is_dir() else vault
    try:
        return read_trust(roots, anchor.fingerprint, now=now, policies=policies)
    except RootRefused as refused:
        raise Refusal("the trust root is not to be believed", reasons=refused.reasons) from refused


def judge(
    vault: VaultReader,
    trust: Trust,
    digest: str,
    environment: str,
    *,
    now: datetime,
    profile: Profile = Profile.ADMIT,
) -> tuple[Record, Verdict]:
    """Return a release's record and the verdict on it. Raises BadInput for no digest, and what `vault` raises."""
    if not is_hex_digest(digest):
        raise BadInput(f"DIGEST: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    record = gather(vault, digest, trust.public_keys())
    if profile is Profile.LOAD:
        return record, load(record, vault, trust, environment=environment)
    logs, unread = read_logs(vault, trust.root, digest)
    return record, admit(record, vault, trust, logs, environment=environment, now=now, unread=unread)


def compared(vault: VaultReader, trust: Trust, record: Record, verdict: Verdict) -> Comparison | None:
    """Return whom a release was compared with, and who serves; None where nothing was to be compared.

    It refuses nothing: whoever admits or approves is told. Raises what `vault` raises.
    """
    if verdict.pin is None:
        return None
    pin = verdict.pin.what
    evidence = [one.what for one in read(record, trust.root).evidence if one.what.policy == pin.policy]
    return comparison(vault, trust, record.digest, pin, evidence)


def refusal(verdict: Verdict, next_step: str = "") -> Refusal:
    """Return the refusal of a release that does not verify."""
    count = len(verdict.reasons)
    return Refusal(
        f"the release {verdict.digest} does not verify for {verdict.environment}: "
        f"{count} reason{'s' if count != 1 else ''}",
        reasons=[str(one) for one in verdict.reasons],
        next_step=next_step,
        details={
            "codes": [{"code": one.code.value, "text": one.text, "where": one.where} for one in verdict.reasons],
            "notes": [{"code": one.code.value, "text": one.text, "where": one.where} for one in verdict.notes],
        },
    )


def is_governed(vault: VaultReader) -> bool:
    """Say whether releases of this vault are admitted under a tiers policy: whether the newest root there names one.

    Before the foundation has published such a root there is nothing to admit by; nobody else can write one, and nobody
    can take one back. Raises what `vault` raises.
    """
    try:
        versions = read_roots(vault)
    except Unpublished:
        # What cannot be read might say so.
        return any(True for _ in vault.versions(TRUST))
    try:
        return POLICY_NAME in read_signed(versions[-1]).root.policies
    except RootRefused:
        return True
