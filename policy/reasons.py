"""Dated reasons for findings that stay: whom they cover, until when, and what is left without one."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import ValidationInfo, field_validator

from interlock import rules
from interlock.rules import Problem
from interlock.settings.refusals import Must, problems_of, refuse
from interlock.settings.section import Section

LONGEST_DAYS: Final = 366
"""A reason is looked at again at least once a year."""

_check: Final = rules.text(
    r"CKV2?_[A-Z]+_\d+|(parliament|cloudsplaining|wildcard)\.[A-Za-z_]+",
    "the id of a tool's check, such as CKV_AWS_144 or parliament.MALFORMED",
)
_pattern: Final = rules.text(
    r"[A-Za-z0-9_*]+\.[A-Za-z0-9_.*-]+", "an address of what is judged, with * for any part of it"
)
_said: Final = rules.text(r".{8,}", "8 characters or more of what the tool says, with * for any part of it")
_words: Final = rules.text(r"(?s).{40,}", "40 characters or more that say why this is right")


class ReasonsError(ValueError):
    """Reasons that cannot be used; `problems` holds all that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Finding:
    """A check that `resource`, an address, does not pass; `name` is what the tool says of it."""

    check: str
    resource: str
    name: str
    guideline: str = ""


class Reason(Section):
    """Why a check may fail on some resources; with `says`, only where the tool says that."""

    check: Annotated[str, Must(_check)]
    resources: Annotated[list[str], Must(rules.some(_pattern))]
    says: Annotated[str, Must(_said)] | None = None
    reason: Annotated[str, Must(_words)]
    date: datetime.date
    expires: datetime.date

    @field_validator("expires")
    @classmethod
    def _in_time(cls, expires: datetime.date, info: ValidationInfo) -> datetime.date:
        date = info.data.get("date")
        if date is not None and not 0 < (expires - date).days <= LONGEST_DAYS:
            refuse(f"a day after {date}, by at most {LONGEST_DAYS} days")
        return expires

    def covers(self, finding: Finding) -> bool:
        """Return whether the reason is one for a finding, at any time."""
        return any(self.needed_for(pattern, finding) for pattern in self.resources)

    def needed_for(self, pattern: str, finding: Finding) -> bool:
        """Return whether one of the patterns makes the reason one for a finding."""
        said = self.says is None or fnmatch.fnmatchcase(finding.name, self.says)
        return said and finding.check == self.check and fnmatch.fnmatchcase(finding.resource, pattern)


class Reasons(Section):
    reasons: list[Reason]


@dataclass(frozen=True)
class Verdict:
    """What is left of a scan once the reasons are counted."""

    unexplained: tuple[Finding, ...]
    expired: tuple[tuple[Finding, Reason], ...]
    explained: tuple[tuple[Finding, Reason], ...]
    unused: tuple[tuple[Reason, str], ...]
    """Reasons, each with the pattern that no finding needs."""

    @property
    def passes(self) -> bool:
        return not (self.unexplained or self.expired or self.unused)


def read_reasons(document: Any) -> list[Reason]:
    """Read a document of reasons. Raises ReasonsError."""
    if not isinstance(document, Mapping):
        raise ReasonsError([Problem("reasons.yaml", f"{document!r:.80}", "a document with reasons")])
    problems = problems_of(Reasons, document, "")
    if problems:
        raise ReasonsError(problems)
    return Reasons.model_validate(document).reasons


def judge(findings: Sequence[Finding], reasons: Sequence[Reason], today: datetime.date) -> Verdict:
    """Hold every finding to a reason that has not expired, and every reason to a finding."""
    unexplained, expired, explained = [], [], []
    for finding in findings:
        found = [reason for reason in reasons if reason.covers(finding)]
        valid = [reason for reason in found if today <= reason.expires]
        if valid:
            explained.append((finding, valid[0]))
        elif found:
            expired.append((finding, found[0]))
        else:
            unexplained.append(finding)
    return Verdict(tuple(unexplained), tuple(expired), tuple(explained), tuple(_unused(findings, reasons)))


def _unused(findings: Sequence[Finding], reasons: Sequence[Reason]) -> list[tuple[Reason, str]]:
    return [
        (reason, pattern)
        for reason in reasons
        for pattern in reason.resources
        if not any(reason.needed_for(pattern, finding) for finding in findings)
    ]
