"""How Python packages are installed from the index that the user has configured."""

import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.setup import packages
from rehearsal.setup.errors import SetupError
from rehearsal.setup.packages import install_locked, uv_settings
from rehearsal.setup.progress import Progress

CONFIGURATION = """\
:env:.find-links='/links/a /links/b'
global.cert='/certs.pem'
global.extra-index-url='\\nhttps://a.invalid/simple\\nhttps://b.invalid/simple'
global.index-url='https://user:word@first.invalid/simple'
global.timeout='9'
install.index-url='https://second.invalid/simple'
install.trusted-host='a.invalid'
"""


def test_what_pip_is_told_about_indexes_uv_is_told_too() -> None:
    assert uv_settings(CONFIGURATION) == {
        "UV_DEFAULT_INDEX": "https://second.invalid/simple",
        "UV_INDEX": "https://a.invalid/simple https://b.invalid/simple",
        "UV_FIND_LINKS": "/links/a,/links/b",
        "UV_INSECURE_HOST": "a.invalid",
        "UV_HTTP_TIMEOUT": "9",
        "SSL_CERT_FILE": "/certs.pem",
    }


def test_pips_environment_variables_win_over_its_files() -> None:
    settings = uv_settings(":env:.index-url='https://env.invalid'\nglobal.index-url='https://file.invalid'\n")

    assert settings["UV_DEFAULT_INDEX"] == "https://env.invalid"


@pytest.mark.parametrize(("value", "said"), [("true", {"UV_NO_INDEX": "1"}), ("1", {"UV_NO_INDEX": "1"}), ("no", {})])
def test_an_index_that_is_switched_off_stays_off(value: str, said: dict[str, str]) -> None:
    assert uv_settings(f"global.no-index='{value}'") == said


def wheel(folder: Path, name: str) -> str:
    """A wheel of one module, and its line in a lock."""
    import hashlib
    import zipfile

    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "VALUE = 7\n")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in the place of an index."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    return tmp_path / "links"


def test_where_uv_cannot_be_had_pip_installs_and_says_so(
    links: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lock").write_text(wheel(links, "sample"))
    progress = Progress()

    with progress.waiting("installing") as activity:
        install_locked(tmp_path / "lock", tmp_path / "made", activity, progress)

    python = tmp_path / "made" / "bin" / "python"
    assert subprocess.run([python, "-c", "import sample; sys = sample.VALUE"], check=False).returncode == 0
    assert "so pip does, which takes longer" in capsys.readouterr().err
    assert not (tmp_path / "made" / "installer").exists()


def test_a_package_that_is_not_what_was_locked_is_refused(links: Path, tmp_path: Path) -> None:
    wheel(links, "sample")
    (tmp_path / "lock").write_text(f"sample==1.0 --hash=sha256:{'0' * 64}\n")
    progress = Progress()

    with progress.waiting("installing") as activity, pytest.raises(SetupError, match=r"(?i)hash"):
        install_locked(tmp_path / "lock", tmp_path / "made", activity, progress)


def test_a_python_without_pip_is_told_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "output_of", lambda _arguments: None)

    with pytest.raises(SetupError, match=f"{sys.executable} has neither `ensurepip` nor `pip`"):
        packages._pip(tmp_path / "python")
