"""Version numbers as programs print them."""

import re

Version = tuple[int, int, int]


def version_in(text: str) -> Version | None:
    """The first `MAJOR.MINOR[.PATCH]` in `text`; a missing patch counts as 0."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def shown(version: Version) -> str:
    return ".".join(str(part) for part in version)
