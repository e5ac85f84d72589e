"""The folder in memory: there while it is used, nobody else's, gone afterwards also if its owner was killed."""

import subprocess
import sys
from pathlib import Path

from rehearsal.setup.memory import SHARED_MEMORY, memory_folder

LITTLE = 1 << 20
HOLDER = f"""
import time
from rehearsal.setup.memory import memory_folder
with memory_folder(needed={LITTLE}) as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


def test_the_folder_is_its_owners_alone_and_goes_with_all_that_is_in_it() -> None:
    with memory_folder(needed=LITTLE) as folder:
        assert folder is not None
        assert folder.parent == SHARED_MEMORY
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "data").mkdir()
        (folder / "data" / "table").write_text("much")
    assert not folder.exists()


def test_where_too_little_is_free_or_nothing_lies_in_memory_there_is_none(tmp_path: Path) -> None:
    with memory_folder(needed=1 << 60) as folder:
        assert folder is None
    with memory_folder(tmp_path, needed=1) as folder:
        assert folder is None
    with memory_folder(tmp_path / "missing", needed=1) as folder:
        assert folder is None


def test_a_folder_in_use_is_left_and_that_of_a_killed_owner_is_removed_by_the_next() -> None:
    holder = subprocess.Popen([sys.executable, "-P", "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    theirs = Path(holder.stdout.readline().strip())
    with memory_folder(needed=LITTLE) as ours:
        assert theirs.exists()
        assert ours != theirs
    holder.kill()
    holder.communicate()
    assert theirs.exists()
    with memory_folder(needed=LITTLE):
        assert not theirs.exists()
