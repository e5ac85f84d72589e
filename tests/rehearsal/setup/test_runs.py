"""The folders of runs: held while anything of the run lives, reduced to logs afterwards, and few."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.setup.runs import KEPT_LOGS, Run, clear_ended, lives, new_run, processes_of, runs_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def ended(name: str) -> Path:
    folder = runs_folder() / name
    (folder / "session" / "data").mkdir(parents=True)
    (folder / "lock").touch()
    (folder / "session" / "cloud.log").write_text("why it failed")
    (folder / "session" / "data" / "table").write_text("much")
    return folder


@pytest.fixture
def living() -> Run:
    return new_run()


def test_a_run_lives_as_long_as_some_process_holds_its_lock(living: Run) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=[living.lock]
    )
    os.close(living.lock)
    assert lives(living.folder)

    holder.kill()
    holder.communicate()

    assert not lives(living.folder)


def test_an_ended_run_keeps_its_logs_and_loses_its_data() -> None:
    folder = ended("1")

    clear_ended()

    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["cloud.log"]


def test_only_the_newest_ended_runs_keep_anything_and_a_living_one_keeps_all(living: Run) -> None:
    (living.folder / "data").touch()
    names = [str(number) for number in range(1, KEPT_LOGS + 3)]
    for name in names:
        ended(name)

    clear_ended()

    assert sorted(path.name for path in runs_folder().iterdir()) == sorted([*names[2:], living.folder.name])
    assert (living.folder / "data").exists()


def test_the_processes_of_a_run_are_known_by_their_environment(living: Run) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        env={"INTERLOCK_RUN": str(living.folder)},
    ) as child:
        assert child.stdin is not None
        found = processes_of(living.folder)
        child.stdin.close()

    assert found == [child.pid]
