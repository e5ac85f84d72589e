"""The base score of a vulnerability from its CVSS 3 vector.

Source: https://www.first.org/cvss/v3.1/specification-document, section 7.1 and appendix A.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Final

_WEIGHTS: Final[Mapping[str, Mapping[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    **{name: {"H": 0.56, "L": 0.22, "N": 0.0} for name in ("C", "I", "A")},
}
_PRIVILEGES: Final[Mapping[str, Mapping[str, float]]] = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


def base_score(vector: str) -> Decimal | None:
    """Return the base score from 0.0 to 10.0 of a CVSS 3.0 or 3.1 vector, or None for anything else."""
    version, *parts = vector.split("/")
    if version not in ("CVSS:3.0", "CVSS:3.1"):
        return None
    values = dict(part.split(":", 1) for part in parts if ":" in part)
    try:
        changed = {"U": False, "C": True}[values["S"]]
        weights = {name: options[values[name]] for name, options in _WEIGHTS.items()}
        privileges = _PRIVILEGES[values["S"]][values["PR"]]
    except KeyError:
        return None
    untouched = (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    share = 1 - untouched
    impact = 7.52 * (share - 0.029) - 3.25 * (share - 0.02) ** 15 if changed else 6.42 * share
    if impact <= 0:
        return Decimal("0.0")
    ease = 8.22 * weights["AV"] * weights["AC"] * privileges * weights["UI"]
    return _rounded_up(min((1.08 if changed else 1.0) * (impact + ease), 10.0))


def _rounded_up(number: float) -> Decimal:
    """Return the number rounded up to one decimal, without what floats add (appendix A)."""
    return Decimal(str(round(number, 5))).quantize(Decimal("0.1"), ROUND_CEILING)
