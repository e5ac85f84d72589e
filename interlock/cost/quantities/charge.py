"""A charge: so much of one thing that AWS has a price for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from interlock.cost.plan import Plan, Planned
from interlock.cost.usage import Usage

HOURS: Final = Decimal(730)
"""In a month. Source: AWS Pricing Calculator, Assumptions."""


@dataclass(frozen=True)
class Charge:
    """`quantity` units of a kind of an item of the price table; `assumes` are paths into the assumptions."""

    what: str
    item: str
    kind: str
    quantity: Decimal
    assumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uncounted:
    """Something of a resource that costs, and that is not counted; `why` says so."""

    what: str
    why: str


Charges = Iterable[Charge | Uncounted]
Counter = Callable[[Planned, Plan, Usage], Charges]
"""Returns the charges of one resource. Raises NotKnownError when the preview does not tell enough."""
