"""Whose part of the vault is whose: each prefix has its writers, and nothing lies beside the prefixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interlock.duties.duty import Role
from interlock.release.predicates import APPROVALS as APPROVALS
from interlock.release.predicates import DECISIONS as DECISIONS
from interlock.release.predicates import FINDINGS as FINDINGS
from interlock.release.request import SUBMISSIONS as SUBMISSIONS
from interlock.release.trust.published import TRUST as TRUST
from interlock.release.vault import RELEASES as RELEASES

LEDGER: Final = "ledger/"
WITNESSED: Final = "witness/"
RECOVERY: Final = "recovery/"
EMERGENCIES: Final = "break-glass/"

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
