"""Finds the Terraform AWS provider, whose create, read, update and delete a rehearsal uses."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from rehearsal.setup.cache import built_once, cache_folder
from rehearsal.setup.commands import run
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.provider_places import HOSTS, VARIABLE, Place, archives_in, executables_in, places, platform_name

SERIES = "5.100."
VERSION = "5.100.0"
VARIABLES = (VARIABLE, "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
MIRRORED = f"{HOSTS[0]}/hashicorp/aws"
UNPACKED_PARENTS = (Path("/opt"), Path("/usr/local/share"))


def terraform_provider(progress: Progress) -> Path:
    """The provider's executable, of version 5.100.

    Raises SetupError listing the places looked in and the ways to supply it.
    """
    looked_in = list(places(os.environ, Path.home(), cache_folder(), UNPACKED_PARENTS))
    objections: list[str] = []
    for place in looked_in:
        for candidate in executables_in(place.path, SERIES):
            objection = objection_to(candidate)
            if objection is None:
                return candidate
            objections.append(f"{candidate}: {objection}")
        for archive in archives_in(place.path, SERIES):
            return _unpacked(archive, progress)
        if place.why.endswith(VARIABLE):
            # Whoever names one means that one: another in its stead would be a surprise.
            reason = objections[-1] if objections else f"{place.path} holds no provider {SERIES}x for {platform_name()}"
            raise SetupError(f"{VARIABLE} names no usable Terraform AWS provider.\n  {reason}")
    return _downloaded(looked_in, objections, progress)


def objection_to(candidate: Path) -> str | None:
    """Why the file cannot be used, or None. A provider started by hand says that it is a plugin."""
    if f"v{SERIES}" not in candidate.name and SERIES not in str(candidate.parent):
        return (
            f"neither its name nor its folder says version {SERIES}x (a release: terraform-provider-aws_v{VERSION}_x5)"
        )
    if not os.access(candidate, os.X_OK):
        return "it is not executable"
    try:
        started = subprocess.run([str(candidate)], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not start: {error}"
    return None if "plugin" in started.stdout + started.stderr else "it is not a Terraform plugin"


def _unpacked(archive: Path, progress: Progress) -> Path:
    target = cache_folder() / "terraform-providers" / archive.stem

    def unpack(folder: Path) -> None:
        with progress.waiting(f"unpacking {archive}"), zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
            for path in folder.glob("terraform-provider-aws*"):
                path.chmod(0o755)

    built_once(target, progress, unpack)
    return _the_one_in(target)


def _downloaded(looked_in: list[Place], objections: list[str], progress: Progress) -> Path:
    """What `terraform init` or `tofu init` brings from a registry, mirror or proxy that the user has set up."""
    tool = shutil.which("terraform") or shutil.which("tofu")
    attempt = "neither terraform nor tofu is on PATH, so no download was tried"
    if tool:
        target = cache_folder() / "terraform-providers" / f"terraform-provider-aws_{VERSION}_{platform_name()}"
        try:
            built_once(target, progress, lambda folder: _init(tool, folder, progress))
            return _the_one_in(target)
        except SetupError as error:
            attempt = f"`{Path(tool).name} init` did not bring it:\n    " + str(error).replace("\n", "\n    ")
    raise SetupError(not_found(looked_in, objections, attempt))


def not_found(looked_in: list[Place], objections: list[str], attempt: str) -> str:
    """The one message for a provider that is nowhere."""
    lines = [f"The Terraform AWS provider {VERSION} was not found.", "  Looked in:"]
    lines += [f"    {name}: {_said_of(os.environ.get(name))}" for name in VARIABLES]
    lines += [f"    {place}{'' if place.path.exists() else ': does not exist'}" for place in looked_in]
    lines += [f"    {parent}/*/{MIRRORED} (unpacked mirrors)" for parent in UNPACKED_PARENTS]
    lines += [f"  Not usable: {objection}" for objection in objections]
    lines += [
        f"  Then {attempt}",
        "  Any one of these supplies it:",
        f"    {VARIABLE}=/path/to/terraform-provider-aws_v{VERSION}_x5",
        f"    an unpacked mirror: /opt/<any name>/{MIRRORED}/{VERSION}/"
        f"{platform_name()}/terraform-provider-aws_v{VERSION}_x5  (also under /usr/local/share)",
        "    a filesystem_mirror in the file that TF_CLI_CONFIG_FILE names, made where there is a network by"
        "  terraform providers mirror DIR",
        "    terraform or tofu on PATH, and a network on which  terraform init  reaches a provider registry",
    ]
    return "\n".join(lines)


def _said_of(value: str | None) -> str:
    if not value:
        return "not set"
    return f"names {value}" if Path(value).exists() else f"names {value}, which does not exist"


def _init(tool: str, folder: Path, progress: Progress) -> None:
    requirement = {"aws": {"source": "hashicorp/aws", "version": VERSION}}
    (folder / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": requirement}}))
    configuration = os.environ.get("TF_CLI_CONFIG_FILE", "")
    # A configuration file that is not there would be an error of its own and hide the real one.
    environment = {} if Path(configuration).is_file() else {"TF_CLI_CONFIG_FILE": ""}
    with progress.waiting(f"downloading the Terraform AWS provider {VERSION} by {Path(tool).name} init") as activity:
        run(
            [tool, "init", "-backend=false", "-input=false", "-no-color"],
            activity,
            folder,
            environment,
        )
    brought = next((folder / ".terraform" / "providers").rglob("terraform-provider-aws_v*"))
    shutil.move(brought.resolve(), folder / brought.name)


def _the_one_in(folder: Path) -> Path:
    found = executables_in(folder, SERIES)
    if not found:
        raise SetupError(f"{folder} holds no Terraform AWS provider {SERIES}x")
    return found[0]
