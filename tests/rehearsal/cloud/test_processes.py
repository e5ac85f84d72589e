from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.cloud import keeper
from rehearsal.cloud.processes import Processes, Program

# A parent that ignores TERM, with a child in the same session.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.close()


def python(source: str, directory: Path, **environment: str) -> Program:
    return Program([sys.executable, "-c", source], environment, directory, directory / "log")


def alive(pid: int) -> bool:
    return pid in keeper.tree([pid])


def eventually(condition: object, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return True
        time.sleep(0.02)
    return False


def test_a_process_gets_its_environment_its_directory_and_nothing_else(processes: Processes, tmp_path: Path) -> None:
    process = processes.start(
        python("import os; print(os.getcwd(), os.environ.get('A'), 'HOME' in os.environ)", tmp_path, A="b")
    )

    assert process.wait(10) == 0
    assert process.log.read_text().split() == [str(tmp_path), "b", "False"]


def test_an_exit_is_observed_with_its_status(processes: Processes, tmp_path: Path) -> None:
    process = processes.start(python("raise SystemExit(7)", tmp_path))
    assert process.wait(10) == 7

    process = processes.start(python("import time; time.sleep(600)", tmp_path))
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL


def test_stop_asks_first(processes: Processes, tmp_path: Path) -> None:
    handler = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
    source = handler + "print('ready', flush=True)\ntime.sleep(600)"
    process = processes.start(python(source, tmp_path))
    assert eventually(lambda: "ready" in process.log.read_text())

    assert process.stop(10) == 3


def test_stop_kills_a_whole_tree_that_does_not_listen(processes: Processes, tmp_path: Path) -> None:
    process = processes.start(python(STUBBORN, tmp_path))
    assert eventually(lambda: process.log.read_text().strip())
    child = int(process.log.read_text())

    assert process.stop(0.2) == -signal.SIGKILL
    assert not alive(child)


def test_what_a_dead_process_left_running_is_stopped_with_the_cloud(processes: Processes, tmp_path: Path) -> None:
    process = processes.start(python(STUBBORN, tmp_path))
    assert eventually(lambda: process.log.read_text().strip())
    child = int(process.log.read_text())
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert alive(child)

    processes.close()
    assert eventually(lambda: not alive(child))


def test_nothing_starts_any_more_once_closed(processes: Processes, tmp_path: Path) -> None:
    processes.close()
    with pytest.raises(RuntimeError):
        processes.start(python("pass", tmp_path))


def test_a_killed_cloud_leaves_no_process_behind_not_even_grandchildren(tmp_path: Path) -> None:
    cloud = f"""
    import sys, time
    from pathlib import Path
    from rehearsal.cloud.processes import Processes, Program
    where = Path({str(tmp_path)!r})
    process = Processes().start(Program([sys.executable, "-c", {STUBBORN!r}], {{}}, where, where / "log"))
    print(process.pid, flush=True)
    time.sleep(600)
    """
    owner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(cloud)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    parent = int(owner.stdout.readline())
    log = tmp_path / "log"
    assert eventually(lambda: log.exists() and log.read_text().strip())
    child = int(log.read_text())
    assert alive(parent)
    assert alive(child)

    owner.kill()
    owner.wait()

    assert eventually(lambda: not alive(parent) and not alive(child))
