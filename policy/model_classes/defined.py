"""The classes that a library defines itself, of itself: what it only lends on from elsewhere is not among them."""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final

ROOTS: Final = ("sklearn", "scipy.sparse")

_HANDS_ON: Final = frozenset(("FrozenEstimator",))
"""Answers for any attribute with that of whatever it holds: a way to a method of anything. Who needs it allows it."""

_NO_PART_OF_MODELS: Final = re.compile(
    r"\.(_?tests?|_?testing|_test_common|externals|datasets|conftest|setup|callback|inspection|linalg|csgraph|_build_utils"
    r"|_loss\.tests|utils\.(?!_bunch$|_metadata_requests$|_tags$|validation$).*|_pairwise_distances_reduction"
    r"|_plot|_plotting|__main__)(\.|$)"
)
"""Modules that no fitted estimator is of: what draws, downloads, tests, talks to other processes or only computes."""

_NEUTRAL: Final = frozenset(("builtins", "abc", "collections", "typing"))
"""Where else a base may come from. A base of any other library may act as its objects are made or filled."""


def defined_in(root: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each class that modules of `root` define at their top. Imports all of them."""
    for module in _modules(root):
        for name, value in sorted(vars(module).items()):
            if isinstance(value, type) and _is_own(value, module, name, root.partition(".")[0]):
                yield module.__name__, name


def _modules(root: str) -> Iterator[ModuleType]:
    package = importlib.import_module(root)
    yield package
    with warnings.catch_warnings():
        # Modules on their way out say so as they are imported.
        warnings.simplefilter("ignore")
        for one in pkgutil.walk_packages(package.__path__, f"{root}."):
            if not _NO_PART_OF_MODELS.search(f".{one.name}"):
                yield importlib.import_module(one.name)


def _is_own(value: type[Any], module: ModuleType, name: str, library: str) -> bool:
    if value.__module__ != module.__name__ or value.__qualname__ != name or issubclass(value, BaseException):
        return False
    if name in _HANDS_ON:
        return False
    return all(base.__module__.partition(".")[0] in {library, *_NEUTRAL} for base in value.__mro__)


def written(classes: set[tuple[str, str]]) -> str:
    """Return the list as it is kept: a line a module, sorted, under the versions that it was made of."""
    by_module = defaultdict(list)
    for module, name in sorted(classes):
        by_module[module].append(name)
    made_of = ", ".join(f"{one} {version(one)}" for one in ("scikit-learn", "scipy"))
    lines = (f"{module}: {' '.join(names)}" for module, names in by_module.items())
    return "\n".join((f"# The classes that {made_of} define; written by python -m policy.model_classes.", *lines, ""))
