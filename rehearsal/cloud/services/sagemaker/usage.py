"""What an instance's process uses of this machine, for the namespace /aws/sagemaker/Endpoints.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html (endpoint instance metrics): percent,
where CPUUtilization may reach 100 for each core.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

NAMESPACE = "/aws/sagemaker/Endpoints"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MEMORY = os.sysconf("SC_PHYS_PAGES") * _PAGE


@dataclass(frozen=True)
class Usage:
    """Processor seconds since the process began, and bytes of memory now."""

    seconds: float
    memory: int


def usage(pid: int) -> Usage | None:
    """Return what a process uses, None if it has ended."""
    try:
        # The command's name may hold spaces and parentheses; the numbers follow the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS, pages * _PAGE)


def values(before: Usage, now: Usage, elapsed: float) -> list[tuple[str, float, str]]:
    """Return (metric name, value, unit) for what was used within `elapsed` seconds."""
    return [
        ("CPUUtilization", max(0.0, 100 * (now.seconds - before.seconds) / elapsed), "Percent"),
        ("MemoryUtilization", 100 * now.memory / _MEMORY, "Percent"),
    ]
