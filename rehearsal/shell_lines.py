"""What puts a shell on a session: commands that any POSIX shell evaluates."""

import os
import shlex
from collections.abc import Mapping, Sequence

MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_ROLE_ARN")
"""Variables of the user's own AWS life that must not reach a local cloud, nor change how it is reached."""


def on_path(places: Sequence[str], given: str) -> str:
    """A PATH with `places` first, each once."""
    return os.pathsep.join([*places, *(part for part in given.split(os.pathsep) if part not in places)])


def export_lines(additions: Mapping[str, str], path: str) -> str:
    """Shell commands that put a shell on a session; to be evaluated by any POSIX shell."""
    lines = [f"unset {' '.join(MISLEADING)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in {**additions, "PATH": path}.items()]
    return "\n".join(lines)
