"""How often Python looks for garbage that refers to itself."""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""Between two looks. Python's own 700 have a process that holds hundreds of thousands of lasting objects spend a
quarter of its time on them."""


def look_seldom() -> None:
    """Have this process look less often, and never again at what it has already."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 100)
