"""What an invocation is and what comes of it, in Lambda's words (pure)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehearsal.cloud.places import Place

LOG_TAIL_BYTES = 4096
"""Source: Lambda API Reference, Invoke, LogType."""


@dataclass(frozen=True)
class FunctionSpec:
    """A function as one execution environment runs it; `timeout` is in seconds, `memory_mb` in MB."""

    account_id: str
    region: str
    name: str
    version: str
    arn: str
    image: str
    entry_point: Sequence[str]
    command: Sequence[str]
    environment: Mapping[str, str]
    role_arn: str
    memory_mb: int
    timeout: float
    log_group: str
    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str]

    @property
    def place(self) -> Place:
        """Where the function lies."""
        return Place(self.account_id, self.region)


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: `error` is the X-Amz-Function-Error, None where the function answered."""

    payload: bytes
    error: str | None = None
    log: bytes = b""
    is_lost: bool = False
    """Whether the environment cannot be used again."""

    @property
    def log_tail(self) -> str:
        """Return what X-Amz-Log-Result says."""
        return base64.b64encode(self.log[-LOG_TAIL_BYTES:]).decode()

    @classmethod
    def failure(cls, error_type: str, message: str) -> Outcome:
        """Return the outcome of an environment that failed by itself."""
        return cls(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), "Unhandled", is_lost=True)


def timed_out(request_id: str, seconds: float) -> Outcome:
    """Return what Lambda answers for a function that ran out of time."""
    return Outcome.failure(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    )


def exited(request_id: str, code: int) -> Outcome:
    """Return what Lambda answers for a runtime that ended; `code` is an exit code as Docker gives it."""
    if code == 0:
        reason = "Runtime exited without providing a reason"
    elif code == 137:
        reason = "Runtime exited with error: signal: killed"
    else:
        reason = f"Runtime exited with error: exit status {code}"
    return Outcome.failure("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")


def stream_name(at: datetime, version: str, environment_id: str) -> str:
    """Return the log stream of an execution environment."""
    return f"{at:%Y/%m/%d}/[{version}]{environment_id}"


def report(request_id: str, milliseconds: float, memory_mb: int, used_mb: int, init_milliseconds: float | None) -> str:
    """Return the last line that Lambda logs of an invocation."""
    billed = -int(-milliseconds // 1)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {used_mb} MB",
    ]
    if init_milliseconds is not None:
        parts.append(f"Init Duration: {init_milliseconds:.2f} ms")
    return "\t".join(parts)
