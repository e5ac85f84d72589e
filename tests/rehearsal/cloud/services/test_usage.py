"""What an instance uses, as percentages."""

from __future__ import annotations

import os
import time

import pytest

from rehearsal.cloud.services.sagemaker.usage import Usage, usage, values


def test_half_a_cores_time_is_fifty_percent() -> None:
    measured = {name: value for name, value, _ in values(Usage(10.0, 0), Usage(40.0, 0), 60.0)}
    assert measured["CPUUtilization"] == pytest.approx(50.0)


def test_a_busy_process_is_seen_to_be_busy_and_a_dead_one_not_at_all() -> None:
    before = usage(os.getpid())
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    after = usage(os.getpid())
    assert before is not None
    assert after is not None
    assert after.seconds - before.seconds >= 0.1
    assert after.memory > 10_000_000
    assert usage(2**22 + 1) is None
