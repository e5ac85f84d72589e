"""What each further endpoint costs a preview of the whole program, with the settings of stack local around it."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from rich.table import Table

from benchmarks.engine import slope_and_intercept
from rehearsal.layers import as_one_stack
from rehearsal.session import Session

NAME = "endpoints"
QUESTION = "How long does a preview of the platform take with 1, 100 and 1,000 endpoints?"
COUNTS: Final = tuple(int(count) for count in os.environ.get("INTERLOCK_BENCH_ENDPOINTS", "1,100,1000").split(","))
_KEY: Final = "interlock:endpoints"
_TIMEOUT_SECONDS: Final = 3600


def with_endpoints(settings: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return a stack's configuration with `count` endpoints, each like the first of `settings`."""
    made = copy.deepcopy(dict(settings))
    pattern = made["config"][_KEY][0]
    made["config"][_KEY] = [{**pattern, "name": f"e{number}"} for number in range(count)]
    return made


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Preview a new stack with every count of endpoints, and return the table."""
    checkout = session.tools.checkout
    settings = {"config": as_one_stack(checkout / "stacks")}
    session.select_stack("local")
    session.provide_certificate(settings["config"]["interlock:tracking"]["domain"])
    measured: list[tuple[int, int, float]] = []
    for count in (COUNTS[0], *COUNTS):  # the first starts what later ones find running, and does not count
        file = session.directory / f"Pulumi.{count}.yaml"
        file.write_text(yaml.safe_dump(with_endpoints(settings, count)))
        start = time.monotonic()
        resources = _previewed(session, str(file))
        measured.append((count, resources, time.monotonic() - start))
        report(f"{count} endpoints, {resources} resources: {measured[-1][2]:.1f} s")
    return table(measured[1:])


def _previewed(session: Session, settings: str) -> int:
    done = subprocess.run(
        ["pulumi", "preview", "--json", "--non-interactive", "--stack", "local", "--config-file", settings],
        cwd=session.tools.checkout, env=session.environment, capture_output=True, text=True, check=False,
        timeout=_TIMEOUT_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"pulumi preview ended {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return int(json.loads(done.stdout)["changeSummary"]["create"])


def table(measured: Sequence[tuple[int, int, float]]) -> Table:
    """Return a row a count: resources, seconds; and the slope of a least-squares line in the caption."""
    made = Table(title="Preview of a new stack by number of endpoints")
    for heading in ("endpoints", "resources", "seconds", "ms a resource"):
        made.add_column(heading, justify="right")
    for count, resources, seconds in measured:
        made.add_row(str(count), str(resources), f"{seconds:.1f}", f"{seconds / resources * 1000:.1f}")
    if len(measured) > 1:
        slope, at_none = slope_and_intercept([one[0] for one in measured], [one[2] for one in measured])
        made.caption = f"{slope * 1000:.0f} ms an endpoint; {at_none:.1f} s at none"
    return made
