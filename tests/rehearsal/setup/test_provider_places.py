"""Where the Terraform AWS provider is looked for, and what is said when it is nowhere."""

import zipfile
from pathlib import Path

import pytest

from rehearsal.setup import terraform_provider
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.provider_places import VARIABLE, Place, archives_in, executables_in, places, platform_name
from rehearsal.setup.terraform_provider import VERSION, not_found, objection_to

NAME = f"terraform-provider-aws_v{VERSION}_x5"


def looked_in(home: Path, cache: Path, unpacked: tuple[Path, ...] = (), **environment: str) -> list[Path]:
    return [place.path for place in places(environment, home, cache, unpacked)]


def provider_at(path: Path, text: str = "#!/bin/sh\necho 'This binary is a plugin.' >&2\nexit 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def in_mirror(mirror: Path, version: str = VERSION, host: str = "registry.terraform.io") -> Path:
    name = f"terraform-provider-aws_v{version}_x5"
    return provider_at(mirror / host / "hashicorp" / "aws" / version / platform_name() / name)


def test_what_the_user_names_comes_before_every_other_place(tmp_path: Path) -> None:
    found = looked_in(tmp_path, tmp_path, INTERLOCK_TERRAFORM_AWS_PROVIDER="/named", TF_PLUGIN_CACHE_DIR="/cached")

    assert found[:2] == [Path("/named"), Path("/cached")]


def test_filesystem_mirrors_and_the_plugin_cache_of_a_configuration_file_are_looked_in(tmp_path: Path) -> None:
    configuration = tmp_path / "terraform.tfrc"
    configuration.write_text("""
        plugin_cache_dir = "/from/cache"
        # filesystem_mirror { path = "/commented/out" }
        provider_installation {
          filesystem_mirror {
            path    = "/from/mirror"
            include = ["*/*"]
          }
          direct { exclude = ["example.com/*/*"] }
        }
    """)

    found = looked_in(tmp_path, tmp_path, TF_CLI_CONFIG_FILE=str(configuration))

    assert found[:2] == [Path("/from/mirror"), Path("/from/cache")]
    assert Path("/commented/out") not in found


def test_a_configuration_file_that_does_not_exist_is_passed_over(tmp_path: Path) -> None:
    assert looked_in(tmp_path, tmp_path, TF_CLI_CONFIG_FILE="/missing/terraformrc") == looked_in(tmp_path, tmp_path)


def test_the_standard_folders_follow_home_and_xdg(tmp_path: Path) -> None:
    found = looked_in(tmp_path, tmp_path / "cache", XDG_DATA_HOME="/data", XDG_DATA_DIRS="/one:/two")

    assert tmp_path / ".terraform.d" / "plugins" in found
    for folder in ("/data", "/one", "/two"):
        assert Path(folder) / "terraform" / "plugins" in found


def test_unpacked_mirrors_one_level_below_a_parent_are_looked_in(tmp_path: Path) -> None:
    in_mirror(tmp_path / "opt" / "anything")
    (tmp_path / "opt" / "other").mkdir()

    found = looked_in(tmp_path, tmp_path, unpacked=(tmp_path / "opt", tmp_path / "missing"))

    assert tmp_path / "opt" / "anything" in found
    assert tmp_path / "opt" / "other" not in found


@pytest.mark.parametrize("host", ["registry.terraform.io", "registry.opentofu.org"])
def test_only_the_wanted_series_for_this_platform_is_taken_from_a_mirror(tmp_path: Path, host: str) -> None:
    wanted = in_mirror(tmp_path, VERSION, host)
    in_mirror(tmp_path, "5.99.1", host)
    in_mirror(tmp_path, "6.2.0", host)
    elsewhere = wanted.parents[1] / "plan9_mips" / NAME
    provider_at(elsewhere)

    assert executables_in(tmp_path, "5.100.") == [wanted]


def test_a_packed_mirror_is_unpacked_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packed = tmp_path / "mirror" / "registry.terraform.io" / "hashicorp" / "aws"
    packed.mkdir(parents=True)
    with zipfile.ZipFile(packed / f"terraform-provider-aws_{VERSION}_{platform_name()}.zip", "w") as archive:
        archive.writestr(NAME, "#!/bin/sh\necho 'This binary is a plugin.' >&2\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mirror"))

    found = terraform_provider.terraform_provider(Progress())

    assert archives_in(tmp_path / "mirror", "5.100.")
    assert found.is_relative_to(tmp_path / "cache")
    assert objection_to(found) is None


@pytest.mark.parametrize(
    ("name", "text", "objection"),
    [
        ("terraform-provider-aws_v6.0.0_x5", "#!/bin/sh\necho plugin", "neither its name nor its folder says version"),
        (NAME, "#!/bin/sh\necho 'hello'", "not a Terraform plugin"),
        (NAME, "\x7fELF no such machine", "does not start"),
    ],
)
def test_a_file_that_cannot_be_the_provider_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, objection: str
) -> None:
    file = provider_at(tmp_path / name, text)
    monkeypatch.setenv(VARIABLE, str(file))

    with pytest.raises(SetupError) as refusal:
        terraform_provider.terraform_provider(Progress())

    assert str(file) in str(refusal.value)
    assert objection in str(refusal.value)


def test_what_the_user_names_wrongly_is_not_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "missing"))
    in_mirror(tmp_path / "opt" / "mirror")
    monkeypatch.setattr(terraform_provider, "UNPACKED_PARENTS", (tmp_path / "opt",))

    with pytest.raises(SetupError, match="names no usable Terraform AWS provider") as refusal:
        terraform_provider.terraform_provider(Progress())

    assert str(tmp_path / "missing") in str(refusal.value)


def test_a_provider_that_is_nowhere_is_one_message_with_the_places_and_the_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", VARIABLE, "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "no-tools"))
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/missing/terraformrc")
    monkeypatch.setattr(terraform_provider, "UNPACKED_PARENTS", (tmp_path / "opt",))

    with pytest.raises(SetupError) as refusal:
        terraform_provider.terraform_provider(Progress())

    said = str(refusal.value)
    for place in (tmp_path / ".terraform.d" / "plugins", tmp_path / "data" / "terraform" / "plugins"):
        assert f"{place} " in said
    assert "neither terraform nor tofu is on PATH" in said
    assert f"{VARIABLE}=" in said
    assert f"/opt/<any name>/registry.terraform.io/hashicorp/aws/{VERSION}/" in said
    assert "TF_CLI_CONFIG_FILE: names /missing/terraformrc, which does not exist" in said
    assert "TF_PLUGIN_CACHE_DIR: not set" in said
    assert f"{tmp_path / 'opt'}/*/registry.terraform.io/hashicorp/aws" in said


def test_a_download_that_fails_is_reported_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    provider_at(tmp_path / "bin" / "terraform", "#!/bin/sh\necho 'could not reach the registry'; exit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    with pytest.raises(SetupError, match="could not reach the registry"):
        terraform_provider._downloaded([], [], Progress())

    assert not list((tmp_path / "cache" / "interlock").glob("terraform-providers/*amd64"))


def test_places_that_do_not_exist_are_marked_in_the_message() -> None:
    message = not_found([Place(Path("/missing"), "a guess"), Place(Path("/"), "the root")], [], "no download was tried")

    assert "/missing (a guess): does not exist" in message
    assert "/ (the root)\n" in message
