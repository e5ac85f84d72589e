"""Why MLflow did not hand out a logged model's files, where that is the files' fault and not the server's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from interlock.release.gates.text import plain
from interlock.release.manifest import path_problem

MOST_FOLDERS: Final = 2000

_REFUSED: Final = re.compile(r"\b(400|404) Client Error\b|Invalid path")
"""What the server's proxy of artifacts says of names that it does not look up."""


def withheld(location: str, uri: str, message: str) -> list[str]:
    """Return what is wrong with the files at `location`, or nothing if the download failed for another reason.

    `message` is what the failed download said. Raises what MLflow's client raises for a server that does not answer.
    """
    from mlflow.exceptions import MlflowException

    try:
        names = list(_names(location, uri))
    except MlflowException:
        # A server that does not even list them has told why in the message that the caller shows.
        names = None
    if names == []:
        return ["it holds no files"]
    problems = [f"{name!r} {problem}" for name in names or () if (problem := path_problem(name)) is not None]
    if problems or not _REFUSED.search(message):
        return problems
    return ["the registry does not hand out a file under the name that it lists", plain(message, 600)]


def _names(location: str, uri: str) -> Iterator[str]:
    """Yield the paths of all files below `location`."""
    from mlflow.artifacts import list_artifacts

    folders = [""]
    # A listing that has no end is not read to its end.
    for _ in range(MOST_FOLDERS):
        if not folders:
            return
        folder = folders.pop()
        for one in list_artifacts(artifact_uri=f"{location}/{folder}".rstrip("/"), tracking_uri=uri):
            # MLflow names what it lists from the folder's own name on.
            name = f"{folder}{one.path.rpartition('/')[2]}"
            if one.is_dir:
                folders.append(f"{name}/")
            else:
                yield name
