"""Where a Terraform AWS provider can lie: the places that Terraform and its users put one."""

import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "INTERLOCK_TERRAFORM_AWS_PROVIDER"
HOSTS = ("registry.terraform.io", "registry.opentofu.org")


@dataclass(frozen=True)
class Place:
    """A folder or file to look in, and why."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path} ({self.why})"


def places(environment: Mapping[str, str], home: Path, cache: Path, unpacked: tuple[Path, ...]) -> Iterator[Place]:
    """The places in the order in which they are looked in; `unpacked` holds folders whose subfolders may be mirrors.

    Source: Terraform's documentation, "CLI Configuration File", sections "Provider Installation" and "Provider
    Plugin Cache".
    """
    if environment.get(VARIABLE):
        yield Place(Path(environment[VARIABLE]), f"environment variable {VARIABLE}")
    for configuration in _configurations(environment, home):
        for path, why in _configured(configuration):
            yield Place(path, f"{why} in {configuration}")
    if environment.get("TF_PLUGIN_CACHE_DIR"):
        yield Place(Path(environment["TF_PLUGIN_CACHE_DIR"]), "environment variable TF_PLUGIN_CACHE_DIR")
    yield Place(home / ".terraform.d" / "plugins", "Terraform's plugin folder")
    data_home = environment.get("XDG_DATA_HOME") or str(home / ".local" / "share")
    shared = (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    for data in (data_home, *shared):
        for tool in ("terraform", "opentofu"):
            yield Place(Path(data) / tool / "plugins", "a standard plugin folder")
    for parent in unpacked:
        for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
            if any((folder / host).is_dir() for host in HOSTS):
                yield Place(folder, "an unpacked mirror")
    yield Place(cache / "terraform-providers", "what an earlier set-up downloaded")


def _configurations(environment: Mapping[str, str], home: Path) -> list[Path]:
    named = [environment[name] for name in ("TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG") if environment.get(name)]
    standard = [home / ".terraformrc", home / ".tofurc"]
    return [path for path in (*map(Path, named), *standard) if path.is_file()]


def _configured(configuration: Path) -> Iterator[tuple[Path, str]]:
    text = re.sub(r"^\s*(#|//).*$", "", configuration.read_text(errors="replace"), flags=re.MULTILINE)
    for mirror in re.findall(r"filesystem_mirror\s*\{([^}]*)\}", text):
        for path in re.findall(r'path\s*=\s*"([^"]+)"', mirror):
            yield Path(os.path.expandvars(path)).expanduser(), "a filesystem_mirror"
    for path in re.findall(r'plugin_cache_dir\s*=\s*"([^"]+)"', text):
        yield Path(os.path.expandvars(path)).expanduser(), "plugin_cache_dir"


def platform_name() -> str:
    """This machine as Terraform names it, such as `linux_amd64`."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def executables_in(place: Path, wanted: str) -> list[Path]:
    """Unpacked providers of this machine's platform under a place, `wanted` being a version's first parts, `5.100.`."""
    if place.is_file():
        return [place]
    names = f"terraform-provider-aws_v{wanted}*"
    found = [path for path in place.glob(names) if path.is_file()]
    for host in HOSTS:
        found += (place / host / "hashicorp" / "aws").glob(f"{wanted}*/{platform_name()}/{names}")
    return sorted(found, reverse=True)


def archives_in(place: Path, wanted: str) -> list[Path]:
    """Packed providers under a place: release archives as a packed mirror keeps them."""
    name = f"terraform-provider-aws_{wanted}*_{platform_name()}.zip"
    folders = [place, *(place / host / "hashicorp" / "aws" for host in HOSTS)]
    return sorted((path for folder in folders for path in folder.glob(name)), reverse=True)
