"""Every way of tampering with a release that we could think of, generated: each with the reasons that must be given.

A case is done to the vault, and both judges look: `interlock verify`'s library at the vault, verify.py at a bundle that
was exported from it afterwards. What is done to a bundle alone stands in `bundles`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.interlock.release.audit.tampering.approvals import approval_cases
from tests.interlock.release.audit.tampering.case import PROMOTED, Case
from tests.interlock.release.audit.tampering.dates import date_cases
from tests.interlock.release.audit.tampering.epochs import epoch_cases
from tests.interlock.release.audit.tampering.files import file_cases
from tests.interlock.release.audit.tampering.logs import log_cases
from tests.interlock.release.audit.tampering.roots import root_cases
from tests.interlock.release.audit.tampering.statements import served_cases, statement_cases
from tests.interlock.release.audit.world import World


def cases(worlds: Mapping[str, World]) -> list[Case]:
    """Return every case; the files and statements of the admitted releases among `worlds` are gone through."""
    world = worlds["released"]
    of_the_release = [*file_cases(world), *statement_cases(world), *served_cases(worlds[PROMOTED])]
    return [*of_the_release, *approval_cases(), *date_cases(), *root_cases(), *log_cases(), *epoch_cases()]
