"""Mistakes to be planted in a command: writes that are not the same when they are made again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SAY_ANEW: Final = f"{__name__}:always_say_anew"

PLANTS: Final[Mapping[str, Sequence[str]]] = {
    "pin": (f"{__name__}:measure_anew", f"{__name__}:stage_anywhere"),
    "approve": (SAY_ANEW,),
    "revoke": (SAY_ANEW,),
}
"""By the step whose deaths should show them."""


def always_say_anew() -> None:
    """Have an act written whether or not an equal one lies there."""
    from interlock.release import acting

    def nothing(*_: Any, **__: Any) -> None:
        return None

    _replace(acting, "standing_equal", nothing)


def measure_anew() -> None:
    """Have gates run and signed for again whatever is recorded of them."""
    from interlock.building import pinning
    from interlock.release import opening

    def nothing(*_: Any) -> dict[str, Any]:
        return {}

    for module in (pinning, opening):
        _replace(module, "measured", nothing)


def stage_anywhere() -> None:
    """Have the builder stage each time under another name."""
    from interlock.building import fetching
    from interlock.release.staging import stage

    def elsewhere(folder: Path, manifest: Any, prefix: str, **more: Any) -> None:
        stage(folder, manifest, f"{prefix}{uuid.uuid4()}/", **more)
        stage(folder, manifest, prefix, **more)

    _replace(fetching, "stage", elsewhere)


def _replace(module: Any, name: str, value: Any) -> None:
    assert hasattr(module, name)
    setattr(module, name, value)
