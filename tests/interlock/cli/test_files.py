from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from interlock.cli.files import write_once
from interlock.failures import BadInput, Refusal


@pytest.mark.parametrize("replace", [True, False])
def test_what_is_no_file_is_left_as_it_is_whoever_writes(tmp_path: Path, replace: bool) -> None:
    # A named pipe stands for /dev/null, which root could replace as well.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (pipe, tmp_path):
        with pytest.raises(BadInput, match=r"--html: received .* which is there and no file"):
            write_once(place, b"page", "--html", replace=replace)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_file_is_written_once_and_replaced_only_where_that_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert write_once(file, b"page", "--html")
    assert not write_once(file, b"page", "--html")
    with pytest.raises(Refusal, match="holds something else"):
        write_once(file, b"other", "--html")
    assert write_once(file, b"other", "--html", replace=True)
    assert file.read_bytes() == b"other"
