"""The file system that a confined process sees: libraries, its model, a scratch folder, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from interlock.sandbox import kernel

MODEL: Final = "/model"
SCRATCH: Final = "/scratch"

_SYSTEM_LIBRARIES: Final = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/local/lib", "/lib", "/lib64")
_SYSTEM_FILES: Final = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_PLACE: Final = Path("/tmp")  # noqa: S108 (a mount point that every system has; nothing is written below it)
_ROOT_OPTIONS: Final = "size=1m,nr_inodes=4096,mode=755"


def of_libraries() -> list[str]:
    """Return the paths that this interpreter loads code from."""
    paths = [one for one in sys.path if one and os.path.isdir(one)]
    # The interpreter's own shared library, and those that its extension modules bring along.
    paths += [os.path.join(sys.base_prefix, "lib"), os.path.join(sys.prefix, "lib")]
    found = [*_SYSTEM_LIBRARIES, *_SYSTEM_FILES, *(os.path.realpath(one) for one in paths), *paths]
    return _outermost([one for one in dict.fromkeys(found) if os.path.exists(one)])


def _outermost(paths: list[str]) -> list[str]:
    """Leave out what lies below another of the paths."""
    return [one for one in paths if not any(one != other and Path(other) in Path(one).parents for other in paths)]


def open_sources(model: str) -> dict[str, int]:
    """Return a descriptor of each thing to be seen, by the path at which it will be seen; links are named as links."""
    sources = {one: _open(one) for one in of_libraries() if not os.path.islink(one)}
    sources |= {one: _open(one) for one in _DEVICES if os.path.exists(one)}
    sources[MODEL] = _open(model)
    return sources


def links() -> dict[str, str]:
    """Return where each link among the libraries' paths leads."""
    return {one: os.readlink(one) for one in of_libraries() if os.path.islink(one)}


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise kernel.NotGiven(f"a view of {path} ({error.strerror})") from None


def build(sources: dict[str, int], linked: dict[str, str], scratch_bytes: int) -> None:
    """Replace everything that is mounted by a view of `sources`, read-only, and an empty scratch folder."""
    kernel.mount("none", Path("/"), None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _PLACE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, _ROOT_OPTIONS)
    for path, descriptor in sources.items():
        _bind(path, descriptor)
    for path, target in linked.items():
        place = _below(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    _mount_scratch(scratch_bytes)
    _mount_processes()
    kernel.mount_attributes(_PLACE, kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV, recursive=False)
    kernel.become_root_folder(_PLACE)


def _below(path: str) -> Path:
    return _PLACE / path.lstrip("/")


def _bind(path: str, descriptor: int) -> None:
    place = _below(path)
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    kernel.mount(source, place, None, kernel.MS_BIND | kernel.MS_REC)
    # A device cannot be opened where devices are forbidden; what it gives away is nothing, zeros or noise.
    devices = 0 if path in _DEVICES else kernel.MS_NODEV
    kernel.mount_attributes(place, kernel.MS_RDONLY | kernel.MS_NOSUID | devices, recursive=True)


def _mount_scratch(size: int) -> None:
    place = _below(SCRATCH)
    place.mkdir()
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("tmpfs", place, "tmpfs", flags, f"size={size},nr_inodes=4096,mode=700")


def _mount_processes() -> None:
    place = _below("/proc")
    place.mkdir()
    flags = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    try:
        kernel.mount("proc", place, "proc", flags, "subset=pid")
    except kernel.NotGiven:
        # Some containers forbid it. A model that sees no processes at all, itself included, is confined no less.
        return
