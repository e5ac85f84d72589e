"""Takes the inventory of the environment that this interpreter runs in, from the distributions' own metadata."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import Distribution as Installed
from importlib.metadata import distributions
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from interlock.release.gates.supply.inventory import Distribution, Inventory
from interlock.release.gates.supply.licences import NoExpression, is_accepted

CLASSIFIERS: Final[Mapping[str, str]] = {
    "Apache Software License": "Apache-2.0",
    # Which of them, the classifier does not say.
    "BSD License": "LicenseRef-BSD",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Library or Lesser General Public License (LGPL)": "LicenseRef-LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Zope Public License": "ZPL-2.1",
}
"""SPDX's names of the licence classifiers that Python distributions bear (trove classifiers)."""

WORDS: Final[Mapping[str, str]] = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "bsd": "LicenseRef-BSD",
    "bsd license": "LicenseRef-BSD",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mpl 2.0": "MPL-2.0",
    "psf": "PSF-2.0",
}
"""What people write instead of an SPDX identifier, in lower case."""

_CLASSIFIER: Final = re.compile(r"License :: (?:OSI Approved :: )?(.+)")


def take_inventory(now: datetime, path: Iterable[str] | None = None) -> Inventory:
    """Return what is installed, each distribution once; `path` are folders, as `sys.path` without it."""
    found = distributions(path=list(path)) if path is not None else distributions()
    listed: dict[str, Distribution] = {}
    for one in found:
        name = one.metadata["Name"]
        # A folder left over by an installer has no name; of two versions the first is what would be imported.
        if name and canonicalize_name(name) not in listed:
            listed[canonicalize_name(name)] = _described(one)
    ordered = tuple(listed[name] for name in sorted(listed))
    return Inventory(taken_at=now, python=platform.python_version(), distributions=ordered)


def _described(installed: Installed) -> Distribution:
    return Distribution(
        name=installed.metadata["Name"],
        version=installed.version,
        licence=licence_of(installed),
        requires=tuple(sorted(_needed(installed.requires or ()))),
    )


def licence_of(installed: Installed) -> str | None:
    """Return the licence that a distribution's metadata names, as an SPDX expression, or None."""
    expression = _first(installed, "License-Expression")
    if expression:
        return _readable(expression)
    classified = [
        match.group(1)
        for one in installed.metadata.get_all("Classifier") or ()
        if (match := _CLASSIFIER.fullmatch(str(one))) is not None
    ]
    known = [CLASSIFIERS[one] for one in classified if one in CLASSIFIERS]
    if known and len(known) == len(classified):
        return " OR ".join(dict.fromkeys(known))
    written = _first(installed, "License").strip()
    if written.lower() in WORDS:
        return WORDS[written.lower()]
    return _readable(written) if written else None


def _first(installed: Installed, field: str) -> str:
    return str(next(iter(installed.metadata.get_all(field) or ()), ""))


def _readable(expression: str) -> str | None:
    try:
        is_accepted(expression, ())
    except NoExpression:
        return None
    return expression


def _needed(lines: Iterable[str]) -> set[str]:
    needed: set[str] = set()
    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            needed.add(canonicalize_name(wanted.name))
    return needed
