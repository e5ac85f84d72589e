"""Whose part of the vault, and of the buckets beside it, is whose: each prefix has its writers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interlock.duties.duty import Role
from interlock.duties.landscape import MANIFEST_PREFIX
from interlock.release.image import IMAGES as IMAGES
from interlock.release.predicates import APPROVALS as APPROVALS
from interlock.release.predicates import DECISIONS as DECISIONS
from interlock.release.predicates import FINDINGS as FINDINGS
from interlock.release.request import SUBMISSIONS as SUBMISSIONS
from interlock.release.request import SUBMISSIONS_DAYS as SUBMISSIONS_DAYS
from interlock.release.trust.published import TRUST as TRUST
from interlock.release.vault import RELEASES as RELEASES

LEDGER: Final = "ledger/"
WITNESSED: Final = "witness/"
RECOVERY: Final = "recovery/"
EMERGENCIES: Final = "break-glass/"
PINS: Final = "pins/"
"""Of a staging bucket: where the builder has bytes wait until they may be locked."""
OWN_NAME: Final = "${aws:SourceIdentity}"
"""What IAM fills in: the source identity of whoever asks."""
OWN_SUBMISSIONS: Final = f"{SUBMISSIONS}{OWN_NAME}/"

WRITERS: Final[Mapping[str, tuple[Role, ...]]] = {
    RELEASES: (Role.BUILDER,),
    IMAGES: (Role.BUILDER,),
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
SERVED: Final = (RELEASES, APPROVALS, DECISIONS, TRUST)
"""What a serving container is given: a release, and what says that it may serve."""
LOCKERS: Final = (Role.APPROVER,)
"""The roles that lock for longer what lies in the vault."""
STAGED_WRITERS: Final[Mapping[str, tuple[Role, ...]]] = {
    OWN_SUBMISSIONS: (Role.CREATOR,),
    PINS: (Role.BUILDER,),
    MANIFEST_PREFIX: (),
}
"""By prefix of a staging bucket: the roles that write under it, or none where it is left to IAM.

A prefix with a name is the writer's own. Manifests are believed by the digest of the parameter that points to them.
"""
