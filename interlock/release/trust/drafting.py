"""Drafts of a root: the first one, and the one that follows another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from interlock.release.signing import PublicKey
from interlock.release.trust.document import (
    Distrust,
    InvalidRoot,
    KeyDuty,
    TrustedKey,
    TrustRoot,
    moment,
    parse_root,
)
from interlock.rules import Problem


@dataclass(frozen=True)
class NewKey:
    """A public key to be believed for a duty; `person` owns it, where it is a person's."""

    duty: KeyDuty
    person: str | None
    public_key: PublicKey


@dataclass(frozen=True)
class Change:
    """What the next version says otherwise; what is not named stays."""

    added: Sequence[NewKey] = ()
    distrusted: Mapping[str, Distrust] = field(default_factory=dict)
    """By the ids of the keys."""
    threshold: int | None = None
    log_origins: Sequence[str] = ()
    """Added to those that there are."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 in hexadecimal digits, by name."""


def first_root(name: str, change: Change, *, now: datetime, life: timedelta, key_life: timedelta) -> TrustRoot:
    """Return version 1 of the root of `name`, unsigned. Raises InvalidRoot with all that is wrong with it."""
    issued = moment(now)
    return _checked(
        TrustRoot.model_construct(
            schema_version=1,
            name=name,
            version=1,
            previous=None,
            issued_at=issued,
            expires_at=issued + life,
            threshold=2 if change.threshold is None else change.threshold,
            keys=_keys({}, change, issued, issued + key_life),
            log_origins=tuple(dict.fromkeys(change.log_origins)),
            policies=dict(change.policies),
        )
    )


def next_root(before: TrustRoot, change: Change, *, now: datetime, life: timedelta, key_life: timedelta) -> TrustRoot:
    """Return the version after `before`, unsigned. Raises InvalidRoot with all that is wrong with it."""
    issued = moment(now)
    return _checked(
        before.model_copy(
            update={
                "version": before.version + 1,
                "previous": before.fingerprint,
                "issued_at": issued,
                "expires_at": issued + life,
                "threshold": before.threshold if change.threshold is None else change.threshold,
                "keys": _keys(before.keys, change, issued, issued + key_life),
                "log_origins": tuple(dict.fromkeys([*before.log_origins, *change.log_origins])),
                "policies": {**before.policies, **change.policies},
            }
        )
    )


def _keys(
    known: Mapping[str, TrustedKey], change: Change, valid_from: datetime, valid_until: datetime
) -> dict[str, TrustedKey]:
    unknown = sorted(set(change.distrusted) - set(known))
    if unknown:
        raise InvalidRoot([Problem("distrusted", ", ".join(unknown), "the ids of keys in the version before")])
    keys = {
        name: key.model_copy(update={"distrusted": change.distrusted.get(name, key.distrusted)})
        for name, key in known.items()
    }
    for new in change.added:
        name = new.public_key.key_id
        if name in keys:
            raise InvalidRoot(
                [
                    Problem(
                        "added", f"the key {name[:12]}… for {new.duty}", f"a key that is not there as {keys[name].duty}"
                    )
                ]
            )
        keys[name] = TrustedKey(
            duty=new.duty,
            person=new.person,
            public_key=new.public_key.pem,
            valid_from=valid_from,
            valid_until=valid_until,
        )
    return keys


def _checked(root: TrustRoot) -> TrustRoot:
    return parse_root(root.content)
