"""The cache when several set-ups run, and when one is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.setup.cache import built_once, cache_folder, remove
from rehearsal.setup.progress import Progress

CHECKOUT = Path(__file__).resolve().parents[3]
SLOW_BUILD = """
import sys, time
from pathlib import Path
from rehearsal.setup.cache import built_once
from rehearsal.setup.progress import Progress
def build(folder):
    (folder / "half").touch()
    Path(sys.argv[2]).open("a").write("built\\n")
    time.sleep(float(sys.argv[3]))
    (folder / "whole").touch()
built_once(Path(sys.argv[1]), Progress(), build)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "interlock"


def build(target: Path, tally: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILD, str(target), str(tally), str(seconds)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_set_ups_at_once_build_once_and_the_second_says_whom_it_waits_for(cache: Path, tmp_path: Path) -> None:
    first = build(cache / "thing", tmp_path / "tally", 2)
    wait_until((tmp_path / "tally").exists)
    second = build(cache / "thing", tmp_path / "tally", 0)

    _, said = second.communicate(timeout=20)

    assert first.wait(20) == second.returncode == 0
    assert (tmp_path / "tally").read_text() == "built\n"
    assert f"waiting for process {first.pid}" in said
    assert (cache / "thing" / "whole").exists()


def test_a_set_up_that_is_killed_leaves_nothing_that_a_later_one_would_use(cache: Path, tmp_path: Path) -> None:
    killed = build(cache / "thing", tmp_path / "tally", 60)
    wait_until((tmp_path / "tally").exists)

    killed.send_signal(signal.SIGKILL)
    killed.wait()

    assert not (cache / "thing").exists()
    assert build(cache / "thing", tmp_path / "tally", 0).wait(20) == 0
    assert (cache / "thing" / "whole").exists()


def test_a_build_that_fails_is_tried_again(cache: Path) -> None:
    def fail(_folder: Path) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        built_once(cache / "thing", Progress(), fail)

    built_once(cache / "thing", Progress(), lambda folder: (folder / "whole").touch())
    assert (cache / "thing" / "whole").exists()


@pytest.mark.parametrize("value", ["relative/folder", ""])
def test_a_cache_folder_that_is_not_absolute_is_ignored(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert cache_folder() == Path.home() / ".cache" / "interlock"


def test_read_only_trees_can_be_removed(tmp_path: Path) -> None:
    inner = tmp_path / "module" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for folder in (inner, inner.parent):
        folder.chmod(0o555)

    remove(tmp_path / "module")

    assert not (tmp_path / "module").exists()
