"""The warden against real processes that try to get away."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rehearsal.warden import Ward, descendants

CHECKOUT = Path(__file__).resolve().parents[2]

# A child, a grandchild that leaves the session, and a daemon that forks twice and ignores requests to end.
FAMILY = """
import os, signal, subprocess, sys, time
folder = sys.argv[1]
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
plain = subprocess.Popen(sleep)
detached = subprocess.Popen(sleep, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(f"{folder}/daemon", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists(f"{folder}/daemon") or not open(f"{folder}/daemon").read():
    time.sleep(0.01)
daemon = open(f"{folder}/daemon").read()
with open(f"{folder}/pids.draft", "w") as pids:
    pids.write(f"{os.getppid()} {os.getpid()} {plain.pid} {detached.pid} {daemon}")
os.rename(f"{folder}/pids.draft", f"{folder}/pids")
%s
"""

OWNER = """
import sys
from pathlib import Path
from rehearsal.warden import Ward, own
command = [sys.executable, "-c", *sys.argv[1:]]
code = own(lambda: Ward(command, grace=2.0), lambda: print("ending", flush=True))
print(code, flush=True)
sys.exit(code or 0)
"""


class Run:
    """An owner process with its warden and the family below."""

    def __init__(self, folder: Path, ending: str) -> None:
        self.folder = folder
        family = FAMILY % textwrap.dedent(ending)
        self.owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, family, str(folder)],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: (folder / "pids").exists(), "the family to be there")
        self.warden, *self.pids = [int(word) for word in (folder / "pids").read_text().split()]

    def gone(self) -> None:
        wait_until(lambda: not any(lives(pid) for pid in [*self.pids, self.warden]), "every process to end")


def wait_until(happened: object, what: str, seconds: float = 40.0) -> None:
    assert callable(happened)
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    if (tmp_path / "pids").exists():
        for pid in (tmp_path / "pids").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def test_a_command_that_ends_takes_with_it_whatever_it_has_started(folder: Path) -> None:
    run = Run(folder, "sys.exit(7)")

    assert run.owner.wait(40) == 7
    assert not any(lives(pid) for pid in run.pids)


def test_when_the_owner_is_killed_nothing_of_the_run_goes_on(folder: Path) -> None:
    run = Run(folder, "time.sleep(600)")

    run.owner.kill()

    run.gone()


def test_when_the_warden_is_killed_the_owner_ends_the_rest(folder: Path) -> None:
    run = Run(folder, "time.sleep(600)")

    os.kill(run.warden, signal.SIGKILL)

    assert run.owner.wait(40) == 128 + signal.SIGKILL
    run.gone()


def test_when_the_command_is_killed_what_it_has_started_ends_too(folder: Path) -> None:
    run = Run(folder, "time.sleep(600)")

    os.kill(run.pids[0], signal.SIGKILL)

    assert run.owner.wait(40) == 128 + signal.SIGKILL
    run.gone()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_owner_says_so_and_ends_everything(folder: Path, number: signal.Signals) -> None:
    run = Run(folder, "time.sleep(600)")

    run.owner.send_signal(number)

    output, _ = run.owner.communicate(timeout=40)
    assert run.owner.returncode == 128 + number
    assert output.startswith("ending")
    run.gone()


def test_a_command_may_finish_its_own_ending_before_it_is_made_to(folder: Path) -> None:
    ending = """
    def leave(*_):
        time.sleep(1)
        open(f"{folder}/finished", "w").close()
        os._exit(0)
    signal.signal(signal.SIGTERM, leave)
    open(f"{folder}/ready", "w").close()
    time.sleep(600)
    """
    run = Run(folder, ending)
    wait_until((folder / "ready").exists, "the handler to be in place")

    run.owner.send_signal(signal.SIGTERM)

    assert run.owner.wait(40) == 128 + signal.SIGTERM
    assert (folder / "finished").exists()


def test_a_second_signal_does_not_wait_for_a_command_that_takes_its_time(folder: Path) -> None:
    ending = 'signal.signal(signal.SIGTERM, signal.SIG_IGN); open(f"{folder}/ready", "w").close(); time.sleep(600)'
    run = Run(folder, ending)
    wait_until((folder / "ready").exists, "the handler to be in place")

    run.owner.send_signal(signal.SIGINT)
    time.sleep(1)
    started = time.monotonic()
    run.owner.send_signal(signal.SIGINT)

    assert run.owner.wait(40) == 128 + signal.SIGINT
    assert time.monotonic() - started < 8
    run.gone()


def test_what_is_kept_outlives_the_owner_until_the_warden_is_asked_to_end(folder: Path) -> None:
    run = Run(folder, 'os.kill(int(os.environ["INTERLOCK_WARDEN"]), signal.SIGUSR1); sys.exit(0)')

    assert run.owner.wait(40) == 0
    assert run.owner.stdout is not None
    assert run.owner.stdout.readline().strip() == "None"
    time.sleep(1)
    assert all(lives(pid) for pid in [*run.pids[1:], run.warden])

    os.kill(run.warden, signal.SIGTERM)

    run.gone()


def test_a_ward_is_gone_when_stop_returns(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    ward = Ward(["/bin/sh", "-c", f"sleep 600 & echo $! > {started}; wait"])
    wait_until(lambda: started.exists() and started.read_text().strip(), "the child to start")

    ward.stop()

    assert not lives(int(started.read_text()))


def test_what_lives_below_a_process_whose_first_thread_has_ended_is_found(tmp_path: Path) -> None:
    # The system call `exit` (not `exit_group`) ends one thread; its number depends on the processor.
    program = """
        import ctypes, platform, subprocess, sys, threading, time
        def work():
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            open(sys.argv[1], "w").write(str(child.pid))
            child.wait()
        threading.Thread(target=work).start()
        time.sleep(0.5)
        ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), tmp_path / "child"]) as command:
        try:
            deadline = time.monotonic() + 30
            while state(command.pid) != "Z":
                assert time.monotonic() < deadline
                time.sleep(0.05)
            child = int((tmp_path / "child").read_text())
            assert {command.pid, child} <= set(descendants(os.getpid()))
        finally:
            os.kill(child, signal.SIGKILL)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
