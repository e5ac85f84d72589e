"""The machine's container engine: builds, pushes, and says which digest a base image has. It is asked as `docker`."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from interlock.aws.registry import Login
from interlock.failures import OutsideFailure
from interlock.release.bases import Needs

BUILD_SECONDS: Final = 3600
SETTINGS_FILE: Final = "config.json"


def build_and_push(
    folder: Path,
    tag: str,
    host: str,
    login: Login,
    needs: Needs | None = None,
    bases: Mapping[str, str] | None = None,
    library: Path | None = None,
) -> str:
    """Build `folder` for linux/amd64, push it as one manifest of Docker's own type, and return the digest.

    What the Dockerfile `needs` is taken by the digests in `bases`, and from the package in `library`.
    SageMaker serves no image of OCI's media types, and Lambda none behind an index, which attestations need. The
    registry's password is gone when this returns. Raises OutsideFailure if there is no engine, or if it fails.
    """
    with _settings_of_its_own(host) as settings, tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "DOCKER_CONFIG": str(settings)}
        _docker(["login", "--username", login.username, "--password-stdin", host], environment, given=login.password)
        metadata = Path(scratch) / "metadata.json"
        plain = ["--provenance=false", "--sbom=false", "--output", "type=registry,oci-mediatypes=false"]
        noted = ["--metadata-file", str(metadata)]
        pinned = _pinned(needs or Needs([], {}), bases or {})
        if needs is not None and needs.library:
            pinned += ["--build-context", f"library={library}"]
        _docker(
            ["buildx", "build", "--platform", "linux/amd64", *plain, *noted, *pinned, "--tag", tag, str(folder)],
            environment,
        )
        try:
            digest = str(json.loads(metadata.read_text())["containerimage.digest"])
        except (OSError, ValueError, KeyError) as error:
            raise OutsideFailure(f"docker did not say which digest {tag} has") from error
    return digest.removeprefix("sha256:")


def digest_of_base(reference: str) -> str:
    """Return the digest (64 hexadecimal digits) that a base image has in its registry now. Raises OutsideFailure."""
    said = _docker(["buildx", "imagetools", "inspect", reference, "--format", "{{json .Manifest}}"], os.environ)
    try:
        return str(json.loads(said)["digest"]).removeprefix("sha256:")
    except (ValueError, KeyError, TypeError) as error:
        raise OutsideFailure(f"docker did not say which digest {reference} has") from error


def _pinned(needs: Needs, bases: Mapping[str, str]) -> list[str]:
    # A named context takes the place of an image of that name: the Dockerfile says which, the lock file says what.
    contexts = [f"{one}=docker-image://{one}@sha256:{bases[one]}" for one in needs.bases]
    arguments = [f"{argument}={bases[address]}" for address, argument in needs.downloads.items()]
    return [
        *(word for context in contexts for word in ("--build-context", context)),
        *(word for argument in arguments for word in ("--build-arg", argument)),
    ]


@contextmanager
def _settings_of_its_own(host: str) -> Iterator[Path]:
    """Yield a folder with the engine's settings, in which a login at `host` stays and with which it goes.

    A password of ECR is good for twelve hours, and the engine's own settings would keep it.
    """
    own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    with tempfile.TemporaryDirectory(prefix="interlock-engine-") as scratch:
        settings = Path(scratch)
        for entry in own.iterdir() if own.is_dir() else ():
            # Plugins, builders and contexts stay the machine's.
            if entry.name != SETTINGS_FILE:
                (settings / entry.name).symlink_to(entry.absolute())
        (settings / SETTINGS_FILE).write_text(json.dumps(_without_keychain(own / SETTINGS_FILE, host)))
        yield settings


def _without_keychain(file: Path, host: str) -> dict[str, Any]:
    try:
        known = json.loads(file.read_text()) if file.is_file() else {}
    except (OSError, ValueError) as error:
        raise OutsideFailure(f"docker's settings {file} cannot be read: {error}") from error
    # An empty helper is none: the password goes into this file, and into no keychain of the machine.
    return {**known, "credHelpers": {**known.get("credHelpers", {}), host: ""}}


def _docker(arguments: Sequence[str], environment: Mapping[str, str], given: str | None = None) -> str:
    try:
        answer = subprocess.run(
            ["docker", *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
            env=dict(environment),
        )
    except FileNotFoundError as error:
        raise OutsideFailure("there is no `docker` on PATH to build images with") from error
    except subprocess.TimeoutExpired as error:
        raise OutsideFailure(f"docker {arguments[0]} did not end within {BUILD_SECONDS} s") from error
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines()[-5:]
        raise OutsideFailure(f"docker {arguments[0]} failed: " + " / ".join(said))
    return answer.stdout
