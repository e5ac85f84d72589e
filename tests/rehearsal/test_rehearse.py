"""`scripts/rehearse` as its user and its killers see it, with real processes and a cache of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from rehearsal.setup.environment import python_environment
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.runs import processes_of
from rehearsal.setup.tools import Tools
from rehearsal.warden import children

CHECKOUT = Path(__file__).resolve().parents[2]
REHEARSE = str(CHECKOUT / "scripts" / "rehearse")
OWNER = """
import sys
from rehearsal.owner import run_prepared
sys.exit(run_prepared("tests.rehearsal.main_job", sys.argv[1:]))
"""
MINUTE = 60.0


class Machine:
    """A user with a cache folder of their own, which starts with what this machine has already built."""

    def __init__(self, folder: Path, built: Path | None) -> None:
        self.cache = folder / "cache" / "interlock"
        self.cache.mkdir(parents=True)
        for path in built.iterdir() if built else ():
            if path.name.startswith(("venv-", "pulumi-", "terraform-providers", "schemas")):
                (self.cache / path.name).symlink_to(path)
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(CHECKOUT)}
        for name in ("INTERLOCK_TOOLS", "INTERLOCK_RUN", "INTERLOCK_WARDEN"):
            self.environment.pop(name, None)
        self.started: list[subprocess.Popen[str]] = []

    def rehearse(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [REHEARSE, *arguments], env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )

    def own(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, *arguments],
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=(self.cache / "said").open("w"),
            text=True,
        )
        self.started.append(owner)
        return owner

    def runs(self) -> list[Path]:
        return sorted((self.cache / "runs").glob("*"))

    def wait_for(self, pattern: str, seconds: float = 3 * MINUTE) -> Path:
        deadline = time.monotonic() + seconds
        while not (found := list(self.cache.glob(pattern))):
            assert time.monotonic() < deadline, f"no {pattern} after {seconds} s: {(self.cache / 'said').read_text()}"
            assert self.started[-1].poll() is None, (self.cache / "said").read_text()
            time.sleep(0.1)
        return found[0]

    def left(self) -> list[int]:
        return [pid for run in self.runs() for pid in processes_of(run)]

    def gone_within_a_minute(self) -> None:
        deadline = time.monotonic() + MINUTE
        while self.left():
            assert time.monotonic() < deadline, f"still there after a minute: {self.left()}"
            time.sleep(0.2)


@pytest.fixture
def machine(tmp_path: Path, tools: Tools) -> Iterator[Machine]:
    made = Machine(tmp_path, tools.cache)
    yield made
    made.rehearse("--down")
    for owner in made.started:
        if owner.poll() is None:
            owner.terminate()
        owner.communicate(timeout=MINUTE)
    for pid in made.left():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_kept_rehearsal_serves_any_shell_until_it_is_taken_down(machine: Machine, tmp_path: Path) -> None:
    owner = machine.own("keep")
    output, _ = owner.communicate(timeout=3 * MINUTE)
    assert owner.returncode == 0, (machine.cache / "said").read_text()
    assert 'eval "$(scripts/rehearse --env)"' in output

    again = machine.rehearse("--keep")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "scripts/rehearse --down" in again.stderr

    script = f"""
        set -e
        eval "$({REHEARSE} --env)"
        cd {CHECKOUT} && pulumi stack ls
        cd {tmp_path} && pulumi version && mlflow --version && interlock --help > help
        python -c 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'
    """
    shell = subprocess.run(
        ["sh", "-c", script],
        env={**machine.environment, "AWS_PROFILE": "somebody", "AWS_REGION": "us-east-2"},
        capture_output=True,
        text=True,
        timeout=3 * MINUTE,
        check=False,
    )
    assert shell.returncode == 0, shell.stderr
    assert "local*" in shell.stdout
    assert "mlflow, version 3.17.2" in shell.stdout
    assert shell.stdout.rstrip().endswith("123456789012")

    down = machine.rehearse("--down")
    assert (down.returncode, down.stderr) == (0, "The rehearsal has ended.\n")
    assert machine.left() == []
    assert machine.runs() == []
    assert machine.rehearse("--down").returncode == 0
    env = machine.rehearse("--env")
    assert (env.returncode, env.stdout) == (1, "")
    assert "scripts/rehearse --keep" in env.stderr


def test_a_kept_rehearsal_whose_warden_was_killed_is_still_taken_down(machine: Machine) -> None:
    owner = machine.own("keep")
    owner.communicate(timeout=3 * MINUTE)
    wardens = [pid for pid in machine.left() if parent(pid) not in machine.left()]

    for pid in wardens:
        os.kill(pid, signal.SIGKILL)

    assert machine.rehearse("--down").returncode == 0
    machine.gone_within_a_minute()


@pytest.mark.parametrize("killed", ["owner", "warden", "main job"])
def test_whoever_is_killed_nothing_lives_a_minute_later(machine: Machine, killed: str) -> None:
    owner = machine.own("stay")
    machine.wait_for("runs/*/session/started")
    warden = children(owner.pid)[0]
    victim = {"owner": owner.pid, "warden": warden, "main job": children(warden)[0]}[killed]

    os.kill(victim, signal.SIGKILL)

    machine.gone_within_a_minute()
    assert owner.wait(MINUTE) in (-signal.SIGKILL, 128 + signal.SIGKILL)


def test_the_run_after_one_that_was_killed_while_it_started_succeeds(machine: Machine) -> None:
    owner = machine.own("stay")
    machine.wait_for("runs/*/session/logs/engine.log")
    owner.kill()
    owner.communicate()

    following = machine.own("start")

    following.communicate(timeout=3 * MINUTE)
    assert following.returncode == 0, (machine.cache / "said").read_text()
    machine.gone_within_a_minute()


def test_an_interrupted_rehearsal_leaves_its_logs_and_nothing_else(machine: Machine) -> None:
    owner = machine.own("stay")
    machine.wait_for("runs/*/session/started")

    owner.send_signal(signal.SIGINT)

    assert owner.wait(MINUTE) == 128 + signal.SIGINT
    assert machine.left() == []
    files = [path for path in machine.runs()[0].rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".log", ".json", ".html", ".txt"}
    assert any(path.name == "cloud.log" for path in files)


def test_a_set_up_that_is_killed_leaves_no_process_and_no_half_made_environment(tmp_path: Path) -> None:
    machine = Machine(tmp_path, built=None)
    owner = machine.own("stay")
    machine.wait_for("venv-*/bin/python")
    time.sleep(1)
    assert machine.left()

    owner.kill()

    machine.gone_within_a_minute()
    owner.communicate()
    assert not list(machine.cache.glob("venv-*/complete"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--kep"],
        ["--keep", "--down"],
        ["extra"],
        ["--report"],
        ["--env", "--report", "x"],
        ["--report", REHEARSE],
        ["--report", "/proc/x"],
    ],
)
def test_wrong_flags_are_one_line(machine: Machine, arguments: list[str]) -> None:
    answer = machine.rehearse(*arguments)

    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
    assert answer.stderr.startswith("scripts/rehearse: ")


@pytest.mark.parametrize("cache", ["/proc/nowhere", REHEARSE])
def test_a_cache_folder_that_cannot_be_used_is_named_with_the_way_out(machine: Machine, cache: str) -> None:
    machine.environment["XDG_CACHE_HOME"] = cache
    for arguments in ([], ["--keep"]):
        answer = machine.rehearse(*arguments)
        assert (answer.returncode, answer.stderr.count("\n")) == (3, 2)
        assert f"{cache}/interlock" in answer.stderr
        assert "XDG_CACHE_HOME" in answer.stderr
    assert machine.rehearse("--env").returncode == 1
    assert machine.rehearse("--down").returncode == 0


def test_a_cache_without_room_for_the_packages_is_said_before_they_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=300_000_000))
    with pytest.raises(SetupError, match=r"2\.0 GB.* has 0\.3 GB free"):
        python_environment(CHECKOUT, Progress())
    assert not list(tmp_path.glob("interlock/venv-*"))


def test_help_names_every_flag_and_exit_code(machine: Machine) -> None:
    shown = machine.rehearse("--help").stdout

    for part in ("--keep", "--env", "--down", "--report DIR", "exit codes: 0 done"):
        assert part in shown


def parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
