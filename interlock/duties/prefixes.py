"""Whose part of the vault is whose: each prefix has its writers, and nothing lies beside the prefixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interlock.duties.duty import Role
from interlock.release.vault import RELEASES as RELEASES

APPROVALS: Final = "approvals/"
DECISIONS: Final = "decisions/"
FINDINGS: Final = "findings/"
LEDGER: Final = "ledger/"
WITNESSED: Final = "witness/"
RECOVERY: Final = "recovery/"
TRUST: Final = "trust/"
EMERGENCIES: Final = "break-glass/"
SUBMISSIONS: Final = "submissions/"
"""Of the bucket beside the vault."""

WRITERS: Final[Mapping[str, tuple[Role, ...]]] = {
    RELEASES: (Role.BUILDER,),
    APPROVALS: (Role.APPROVER,),
    DECISIONS: (Role.DEPLOYER, Role.ROLLBACK),
    FINDINGS: (Role.OBSERVER,),
    LEDGER: (Role.SEQUENCER,),
    WITNESSED: (Role.WITNESS,),
    RECOVERY: (Role.RECOVERY_RUNNER,),
    TRUST: (Role.FOUNDATION,),
    EMERGENCIES: (Role.BREAK_GLASS,),
}
"""By prefix of the vault: the roles that add to it."""
