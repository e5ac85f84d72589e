"""What only a folder can hold: links, in a bundle that somebody unpacked and in a copy of the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.release.audit import verify
from tests.interlock.release.audit.world import released, unpacked

RELEASED = released()
FILES = [name for name in RELEASED.bundle() if "/files/" in name or name.endswith(("manifest.json", ".root.json"))]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("hard", [False, True])
def test_a_link_in_a_file_s_place_is_refused_though_it_leads_to_the_same_bytes(
    name: str, hard: bool, tmp_path: Path
) -> None:
    folder = unpacked(RELEASED.bundle(), tmp_path / "bundle")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes((folder / name).read_bytes())
    (folder / name).unlink()
    if hard:
        # The same bytes in the same folder are the same file: nothing is wrong with that.
        (folder / name).hardlink_to(elsewhere)
        assert verify.verify(folder, RELEASED.root.fingerprint).reasons == []
        return
    (folder / name).symlink_to(elsewhere)
    reasons = verify.verify(folder, RELEASED.root.fingerprint).reasons
    assert {one.code for one in reasons} == {"not-a-regular-file"}


def test_a_linked_folder_or_a_pipe_in_a_copy_of_the_files_is_refused(tmp_path: Path) -> None:
    folder = unpacked(RELEASED.bundle(), tmp_path / "bundle")
    copy = unpacked(RELEASED.files, tmp_path / "copy")
    (copy / "more").symlink_to(tmp_path)
    reasons = verify.verify(folder, RELEASED.root.fingerprint, files=copy).reasons
    assert "not-a-regular-file" in {one.code for one in reasons}
