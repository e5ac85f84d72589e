"""The duties, the roles that carry them out, and the duties that sign."""

from __future__ import annotations

from enum import StrEnum


class SigningDuty(StrEnum):
    """A duty with a signing key of its own."""

    BUILDER = "builder"
    DEPLOYER = "deployer"
    RESPONDER = "responder"
    OBSERVER = "observer"
    LOG = "log"
    WITNESS = "witness"


class Duty(StrEnum):
    """What somebody answers for; each has one IAM role, and some have a service's beside it."""

    CREATOR = "creator"
    BUILDER = "builder"
    APPROVER = "approver"
    DEPLOYER = "deployer"
    RESPONDER = "responder"
    RECOVERER = "recoverer"
    OBSERVER = "observer"
    SEQUENCER = "sequencer"
    WITNESS = "witness"
    AUDITOR = "auditor"
    FOUNDATION = "foundation"
    PLATFORM = "platform"
    BREAK_GLASS = "break-glass"


class Role(StrEnum):
    """An IAM role of the duties: each duty's own, and those of the functions and tasks that act for one."""

    CREATOR = "creator"
    BUILDER = "builder"
    APPROVER = "approver"
    DEPLOYER = "deployer"
    RESPONDER = "responder"
    ROLLBACK = "rollback"
    RECOVERER = "recoverer"
    RECOVERY_RUNNER = "recovery-runner"
    OBSERVER = "observer"
    SEQUENCER = "sequencer"
    WITNESS = "witness"
    AUDITOR = "auditor"
    FOUNDATION = "foundation"
    PLATFORM = "platform"
    BREAK_GLASS = "break-glass"
