"""Whose signatures below a checkpoint are believed: the log's and the witness's, by the trust root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from interlock.ledger.checkpoint import Checkpoint, InvalidCheckpoint, SignedCheckpoint, parse_checkpoint, timestamp
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import InvalidName, epoch_of, log_of, origin_of, witness_name
from interlock.release.signing import PublicKey
from interlock.release.trust.document import KeyDuty, TrustedKey, TrustRoot


@dataclass(frozen=True)
class LogSignature:
    """A checkpoint and its log's key; whether a distrusted key is believed, what the witness saw decides."""

    checkpoint: Checkpoint
    key: TrustedKey


@dataclass(frozen=True)
class Witnessed:
    """A checkpoint that the witness has seen to follow from all that it saw before, and when (UTC)."""

    checkpoint: Checkpoint
    at: datetime
    content: bytes
    """The note with both signatures."""


class Believer:
    """Reads checkpoints as a trust root lets one believe them."""

    def __init__(self, root: TrustRoot) -> None:
        self.root = root

    @cached_property
    def _keys(self) -> Mapping[str, tuple[TrustedKey, PublicKey]]:
        return {
            name: (key, PublicKey.from_pem(key.public_key.encode())) for name, key in sorted(self.root.keys.items())
        }

    def log_signature(self, content: bytes) -> LogSignature:
        """Return the checkpoint in `content` if its log's key has signed it and is believed then.

        Raises LedgerRefused.
        """
        return self._log_signature(_parsed(content))

    def witnessed(self, content: bytes) -> tuple[LogSignature, Witnessed]:
        """Return the checkpoint in `content` if its log and the witness have signed it. Raises LedgerRefused."""
        signed = _parsed(content)
        by_log = self._log_signature(signed)
        where = f"witnessed checkpoint {signed.checkpoint.number} of {signed.checkpoint.origin}"
        name = witness_name(self.root.name)
        times: dict[str, int] = {}
        for key_id, (_, public) in self._keys.items():
            seconds = signed.note.cosigned_by(name, public)
            if seconds is not None:
                times[key_id] = seconds
        moments = {key_id: _moment(seconds) for key_id, seconds in times.items()}
        key = self._of_duty(KeyDuty.WITNESS, moments, where)
        return by_log, Witnessed(signed.checkpoint, moments[key], content)

    def _log_signature(self, signed: SignedCheckpoint) -> LogSignature:
        checkpoint = signed.checkpoint
        where = f"checkpoint {checkpoint.number} of {checkpoint.origin}"
        if not self.knows(checkpoint.origin):
            known = ", ".join(self.root.log_origins) or "none"
            text = f"the trust root knows no log of the origin {checkpoint.origin} (known: {known})"
            raise LedgerRefused([LedgerFault(FaultKind.UNKNOWN_ORIGIN, text, where)])
        signers = {
            key_id: checkpoint.time
            for key_id, (_, public) in self._keys.items()
            if signed.note.is_signed_by(checkpoint.origin, public)
        }
        key_id = self._of_duty(KeyDuty.LOG, signers, where)
        return LogSignature(checkpoint, self._keys[key_id][0])

    @cached_property
    def logs(self) -> Mapping[str, str]:
        """The origins that the trust root names as its own, by the logs' names, the oldest epoch first."""
        known = {}
        for origin in self.root.log_origins:
            try:
                log = log_of(origin)
                if origin == origin_of(self.root.name, log):
                    known[log] = origin
            except InvalidName:
                # No sequencer of ours can have such a log.
                continue
        return dict(sorted(known.items(), key=lambda one: (epoch_of(one[0]), one[0])))

    def knows(self, origin: str) -> bool:
        """Say whether the trust root names the log, as one of its own."""
        return origin in self.logs.values()

    def _of_duty(self, duty: KeyDuty, signers: Mapping[str, datetime], where: str) -> str:
        """Return the believed one of the keys that signed (each with the time it is asked for)."""
        if not signers:
            text = f"no key of the trust root has signed as the {duty}"
            raise LedgerRefused([LedgerFault(FaultKind.UNSIGNED, text, where)])
        right = {key_id: time for key_id, time in signers.items() if self._keys[key_id][0].duty is duty}
        if not right:
            others = ", ".join(sorted({self._keys[key_id][0].duty.value for key_id in signers}))
            text = f"signed with the key of another duty ({others}); only the {duty}'s counts"
            raise LedgerRefused([LedgerFault(FaultKind.WRONG_DUTY, text, where)])
        for key_id, time in right.items():
            if self._keys[key_id][0].believed_at(time):
                return key_id
        named = ", ".join(f"{key_id[:12]}… at {timestamp(time)}" for key_id, time in right.items())
        text = f"the {duty}'s key is not believed for that time ({named})"
        raise LedgerRefused([LedgerFault(FaultKind.DISTRUSTED, text, where)])


def _parsed(content: bytes) -> SignedCheckpoint:
    try:
        return parse_checkpoint(content)
    except InvalidCheckpoint as error:
        raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, f"no checkpoint: {error}", "checkpoint")]) from error


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        # Later than any key is valid, so that no key is believed then.
        return datetime.max.replace(tzinfo=UTC)
