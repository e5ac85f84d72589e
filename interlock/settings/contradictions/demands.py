"""What an environment demands of its settings: what must survive a zone, a region, a mistake or a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from interlock.rules import Problem, shown
from interlock.settings.contradictions.written import (
    Check,
    Written,
    has_layer,
    is_at,
    is_of,
    number_at,
    sections_at,
    text_at,
    value_at,
)
from interlock.settings.section import LASTING, PREFIX, Environment, Layer

PROD_MINIMA: Final = {
    "tracking.task_count": (2, "2 or more in environment prod, so that MLflow outlives the loss of a task"),
    "tracking.database.backup_retention_days": (7, "7 or more days in environment prod"),
    "log_retention_days": (365, "365 or more days in environment prod"),
}
"""By path: the least that prod accepts where the settings say something."""


def _no_second_region(written: Written) -> Iterator[Problem]:
    if is_of(written, *LASTING) and "recovery" not in written:
        accepted = f"a section recovery, because environment {written['environment']} has to survive its region"
        yield Problem(f"{PREFIX}recovery", "nothing", accepted)


def _disposable_prod(written: Written) -> Iterator[Problem]:
    if is_of(written, Environment.PROD) and is_at(written, "disposable", True):
        yield Problem(f"{PREFIX}disposable", "true", "false in environment prod")


def _evidence_within_reach(written: Written) -> Iterator[Problem]:
    if not is_of(written, Environment.PROD):
        return
    workload, evidence = text_at(written, "account_id"), text_at(written, "accounts.evidence.account_id")
    if evidence is None or evidence == workload:
        accepted = "in environment prod an account other than the workload's, whose people must not reach evidence"
        received = "nothing" if evidence is None else repr(evidence)
        yield Problem(f"{PREFIX}accounts.evidence.account_id", received, accepted)


def _one_zone(written: Written) -> Iterator[Problem]:
    if is_of(written, Environment.PROD) and is_at(written, "tracking.database.multi_az", False):
        accepted = "true in environment prod, so that the database outlives the loss of a zone"
        yield Problem(f"{PREFIX}tracking.database.multi_az", "false", accepted)


def _too_little(written: Written) -> Iterator[Problem]:
    if not is_of(written, Environment.PROD):
        return
    for path, (least, accepted) in PROD_MINIMA.items():
        number = number_at(written, path)
        if number is not None and number < least:
            yield Problem(f"{PREFIX}{path}", str(number), accepted)


def _lonely_instances(written: Written) -> Iterator[Problem]:
    if not is_of(written, Environment.PROD):
        return
    for position, endpoint in enumerate(sections_at(written, "endpoints")):
        least: Any = value_at(endpoint, "instances.min")
        if least is None or least in (1, "1"):
            received = "nothing, which is 1" if least is None else str(least)
            accepted = "2 or more in environment prod, so that a variant outlives the loss of an instance"
            yield Problem(f"{PREFIX}endpoints[{position}].instances.min", received, accepted)


def _nobody_administers(written: Written) -> Iterator[Problem]:
    if not is_of(written, Environment.PROD) or not has_layer(written, Layer.FOUNDATION):
        return
    administrators = value_at(written, "administrators")
    if not administrators:
        received = "nothing" if administrators is None else shown(administrators)
        accepted = "in environment prod the ARNs of those who alone may configure vault and keys"
        yield Problem(f"{PREFIX}administrators", received, accepted)


CHECKS: Final[Sequence[Check]] = (
    _no_second_region,
    _disposable_prod,
    _evidence_within_reach,
    _one_zone,
    _too_little,
    _lonely_instances,
    _nobody_administers,
)
