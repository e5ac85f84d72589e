"""What a preview and an update cost for each further resource.

The same number of resources, each depending on none: SSM parameters through our provider, SSM parameters through
Terraform with the same provider binary, and resources of a provider that does nothing. The slope of a least-squares
line over the counts is the cost of one resource; the intercept that of starting.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks import bare_provider
from rehearsal.session import Session

NAME = "engine"
QUESTION = "What does a preview or an update cost for each further resource?"
COUNTS = tuple(int(count) for count in os.environ.get("INTERLOCK_BENCH_COUNTS", "50,100,250,500,1000").split(","))

PROGRAMS = {
    "aws": """
import pulumi_aws as aws
for i in range({count}):
    aws.ssm.Parameter(f"p{{i}}", type="String", value=str(i))
""",
    "bare": """
import pulumi
for i in range({count}):
    pulumi.CustomResource("bare:index:Thing", f"p{{i}}", {{"value": str(i)}})
""",
}


@dataclass(frozen=True)
class Timing:
    """Seconds that a plan of `count` new resources, their creation, and a plan without changes took."""

    count: int
    preview: float
    up: float
    unchanged: float


def seconds(call: Callable[[], object]) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Measure every engine at every count, in turn, and return the table."""
    timings: dict[str, list[Timing]] = {}
    root = session.directory / "benchmark"
    with bare_provider.serving() as port:
        engines: dict[str, Callable[[Path, int], Timing]] = {
            "bare engine": lambda where, n: pulumi(
                session, where, "bare", n, {"PULUMI_DEBUG_PROVIDERS": f"bare:{port}"}
            ),
            "interlock": lambda where, n: pulumi(session, where, "aws", n, {}),
        }
        if shutil.which("terraform"):
            engines["terraform"] = lambda where, n: terraform(session, where, n)
        # The first of each starts what later ones find running (schemas, the provider's process).
        for name, measure in engines.items():
            report(f"{name}: warming up")
            (root / name).mkdir(parents=True)
            measure(root / name, 5)
        for count in COUNTS:
            for name, measure in engines.items():
                directory = root / f"{name.replace(' ', '-')}-{count}"
                directory.mkdir(parents=True)
                timing = measure(directory, count)
                report(
                    f"{name}, {count} resources: preview {timing.preview:.1f} s, up {timing.up:.1f} s, "
                    f"preview without changes {timing.unchanged:.1f} s"
                )
                timings.setdefault(name, []).append(timing)
    return table(timings)


def pulumi(session: Session, where: Path, program: str, count: int, extra: Mapping[str, str]) -> Timing:
    """Time a stack of `count` resources of one of PROGRAMS, from nothing, and destroy it again."""
    (where / "Pulumi.yaml").write_text(f"name: bench-{program}-{count}\nruntime: python\n")
    (where / "__main__.py").write_text(PROGRAMS[program].format(count=count))
    environment = {**session.environment, **extra}
    environment.pop("PULUMI_STACK", None)

    def call(*arguments: str) -> None:
        checked(["pulumi", *arguments, "--non-interactive"], where, environment)

    call("stack", "init", "bench")
    preview = seconds(lambda: call("preview"))
    up = seconds(lambda: call("up", "--yes", "--skip-preview"))
    unchanged = seconds(lambda: call("preview", "--expect-no-changes"))
    call("destroy", "--yes", "--skip-preview")
    return Timing(count, preview, up, unchanged)


def terraform(session: Session, where: Path, count: int) -> Timing:
    """Time Terraform with the same provider binary on the same number of the same resources."""
    binary = session.tools.provider
    (where / "terraform.rc").write_text(
        f'provider_installation {{\n  dev_overrides {{ "hashicorp/aws" = "{binary.parent}" }}\n  direct {{}}\n}}\n'
    )
    (where / "main.tf").write_text(
        f'resource "aws_ssm_parameter" "p" {{\n  count = {count}\n  name = "bench-terraform-{count}-${{count.index}}"\n'
        '  type = "String"\n  value = tostring(count.index)\n}\n'
    )
    environment = {**session.environment, "TF_CLI_CONFIG_FILE": str(where / "terraform.rc"), "CHECKPOINT_DISABLE": "1"}

    def call(*arguments: str) -> None:
        checked(["terraform", *arguments], where, environment)

    preview = seconds(lambda: call("plan", "-input=false"))
    up = seconds(lambda: call("apply", "-input=false", "-auto-approve"))
    unchanged = seconds(lambda: call("plan", "-input=false", "-detailed-exitcode"))
    call("destroy", "-input=false", "-auto-approve")
    return Timing(count, preview, up, unchanged)


def checked(command: Sequence[str], where: Path, environment: Mapping[str, str]) -> None:
    """Run a command; raises RuntimeError with the end of its output if it fails."""
    done = subprocess.run(
        command, cwd=where, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")


def slope_and_intercept(counts: Sequence[int], values: Sequence[float]) -> tuple[float, float]:
    """Return seconds a resource and seconds at none, by least squares."""
    slope, intercept = np.polyfit(np.asarray(counts, dtype=float), np.asarray(values, dtype=float), 1)
    return float(slope), float(intercept)


def table(timings: Mapping[str, Sequence[Timing]]) -> Table:
    """Return a row an operation and engine: seconds at each count, milliseconds a resource, ratio to the bare one."""
    made = Table(title="Seconds by number of resources")
    for heading in (
        "operation",
        "engine",
        *(str(count) for count in COUNTS),
        "at none",
        "ms a resource",
        "to the bare engine",
    ):
        made.add_column(heading, justify="left" if heading in ("operation", "engine") else "right")
    for operation in ("preview", "up", "unchanged"):
        slopes = {}
        for name, measured in timings.items():
            values = [getattr(timing, operation) for timing in measured]
            slopes[name], intercept = (
                slope_and_intercept(COUNTS, values) if len(COUNTS) > 1 else (values[0] / COUNTS[0], 0.0)
            )
            ratio = slopes[name] / slopes["bare engine"]
            made.add_row(
                operation,
                name,
                *(f"{value:.1f}" for value in values),
                f"{intercept:.1f}",
                f"{slopes[name] * 1000:.1f}",
                f"{ratio:.2f}",
            )
        made.add_section()
    return made
