"""The Python environment: the locked packages, and over them a thin layer that names the checkout in use."""

import hashlib
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

from rehearsal.setup.cache import cache_folder, locked, remove
from rehearsal.setup.errors import SetupError
from rehearsal.setup.packages import install_locked
from rehearsal.setup.progress import Progress

SPACE_NEEDED = 2_000_000_000
"""Bytes that the packages take, and what installing them needs beside."""


def python_environment(checkout: Path, progress: Progress) -> Path:
    """The interpreter that has the locked packages and imports `checkout`'s code."""
    packages = _packages(checkout, progress)
    return _layer(checkout, packages, progress)


def _packages(checkout: Path, progress: Progress) -> Path:
    """The folder of the environment with everything in `requirements.lock`, shared by checkouts with the same lock."""
    lock = checkout / "requirements.lock"
    target = cache_folder() / f"venv-{_key(lock.read_bytes(), _interpreter().encode())}"
    # A virtual environment holds its own path, so it is built in place; the mark is what says that it is whole.
    mark = target / "complete"
    if mark.exists():
        return target
    with locked(target.name, progress):
        if not mark.exists():
            remove(target)
            _install(lock, target, progress)
            mark.touch()
    return target


def _install(lock: Path, target: Path, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < SPACE_NEEDED:
        raise SetupError(
            f"The pinned Python packages take {SPACE_NEEDED / 1e9:.1f} GB, and {target.parent} has {free / 1e9:.1f} GB "
            "free.\n  Make room there, or set XDG_CACHE_HOME to a folder that has it."
        )
    count = sum(1 for line in lock.read_text().splitlines() if "==" in line and not line.startswith((" ", "#")))
    with progress.waiting(f"installing {count} pinned Python packages") as activity:
        install_locked(lock, target, activity, progress)


def _layer(checkout: Path, packages: Path, progress: Progress) -> Path:
    """An environment without packages of its own: it adds `checkout`, then `packages`, to the import path.

    So checkouts share what is large, and none can import another's code.
    """
    target = checkout_folder(checkout) / packages.name
    python = target / "bin" / "python"
    if python.exists():
        return python
    with locked(f"{checkout_folder(checkout).name}-{packages.name}", progress):
        if not python.exists():
            aside = target.with_name(f"{target.name}.partial")
            remove(aside)
            venv.EnvBuilder(symlinks=True, with_pip=False).create(aside)
            shared = _site_packages(packages)
            line = f"import site; site.addsitedir({str(shared)!r})"
            (_site_packages(aside) / "interlock.pth").write_text(f"{checkout}\n{line}\n")
            aside.rename(target)
    return python


def checkout_folder(checkout: Path) -> Path:
    """Where the cache keeps what belongs to one checkout alone."""
    return cache_folder() / "checkouts" / f"{checkout.name}-{_key(str(checkout).encode())}"


def _site_packages(environment: Path) -> Path:
    named = {"base": str(environment), "platbase": str(environment)}
    return Path(sysconfig.get_path("purelib", "venv", named))


def _interpreter() -> str:
    return f"{sys.version} {sysconfig.get_platform()} {sys.base_prefix}"


def _key(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
