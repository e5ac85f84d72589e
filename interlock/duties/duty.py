"""The duties that sign; who did something is told by which of these keys signed it."""

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
