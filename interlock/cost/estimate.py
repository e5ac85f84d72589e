"""The estimate: what each resource costs a month, and what could not be priced."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from interlock.cost.catalogue import COUNTED, is_free
from interlock.cost.plan import Component, NotKnownError, Plan, Planned
from interlock.cost.prices import Price, PriceList, is_stale
from interlock.cost.quantities.charge import Charge, Charges, Uncounted
from interlock.cost.usage import Usage


@dataclass(frozen=True)
class Line:
    """One charge of one resource, in US dollars a month."""

    resource: Planned
    charge: Charge
    region: str
    price: Price

    @property
    def component(self) -> Component:
        return self.resource.component

    @property
    def usd(self) -> Decimal:
        return self.charge.quantity * self.price.usd


@dataclass(frozen=True)
class Unpriced:
    """Something that costs, or may, and that the estimate leaves out."""

    resource: Planned
    what: str
    why: str


@dataclass(frozen=True)
class Assumption:
    """A quantity that is taken to be so; `of` names the resource that it is special to, if it is."""

    path: str
    words: str
    value: Decimal
    of: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a stack costs a month. The sum of the lines is the total; `unpriced` names all that is not in it."""

    stack: str
    environment: str
    lines: tuple[Line, ...]
    unpriced: tuple[Unpriced, ...]
    assumptions: tuple[Assumption, ...]
    unused_usage: tuple[str, ...]
    """Logical names that the assumptions speak of and the stack has not."""

    @property
    def total(self) -> Decimal:
        return total(self.lines)

    def shares(self) -> dict[tuple[Component, str], Decimal]:
        """Return US dollars a month by component and region, the dearest first."""
        sums: dict[tuple[Component, str], Decimal] = defaultdict(Decimal)
        for line in self.lines:
            sums[line.component, line.region] += line.usd
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0][0].name, item[0][1])))

    def dominant(self, count: int = 3) -> list[Line]:
        """Return the lines that cost most."""
        return sorted(self.lines, key=lambda line: (-line.usd, line.resource.urn, line.charge.what))[:count]

    def dates(self) -> list[datetime.date]:
        """Return the days of the price tables that were used, the oldest first."""
        return sorted({line.price.as_of for line in self.lines})

    def stale(self, today: datetime.date) -> list[datetime.date]:
        """Return the days of the tables in use that are too old to be relied on."""
        return [day for day in self.dates() if is_stale(day, today)]


def total(lines: Iterable[Line]) -> Decimal:
    """Return what lines cost together."""
    return sum((line.usd for line in lines), Decimal(0))


def estimate(plan: Plan, prices: PriceList, usage: Usage) -> Estimate:
    """Work out what the resources of a plan cost a month. Raises DocumentError for assumptions that are none."""
    lines: list[Line] = []
    unpriced: list[Unpriced] = []
    assumed: dict[tuple[str, str], Assumption] = {}
    for resource in plan.resources:
        own = usage.for_resource(resource.name)
        special = resource.name if resource.name in usage.of else ""
        for charge in _charges(resource, plan, own):
            if isinstance(charge, Uncounted):
                unpriced.append(Unpriced(resource, charge.what, charge.why))
                continue
            priced = _priced(resource, charge, prices)
            if isinstance(priced, Unpriced):
                unpriced.append(priced)
                continue
            lines.append(priced)
            for path in charge.assumes:
                assumed[path, special] = Assumption(path, Usage.words(path), own.value(path), special)
    known = {resource.name for resource in plan.resources}
    return Estimate(
        stack=plan.stack,
        environment=plan.environment,
        lines=tuple(lines),
        unpriced=tuple(unpriced),
        assumptions=tuple(assumed[key] for key in sorted(assumed)),
        unused_usage=tuple(sorted(set(usage.of) - known)),
    )


def _charges(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    if is_free(resource.type):
        return
    count = COUNTED.get(resource.type)
    if count is None:
        yield Uncounted("all of it", f"no price is kept for resources of type {resource.type}")
        return
    try:
        yield from count(resource, plan, usage)
    except NotKnownError as error:
        yield Uncounted("all of it", str(error))


def _priced(resource: Planned, charge: Charge, prices: PriceList) -> Line | Unpriced:
    if resource.region is None:
        return Unpriced(resource, charge.what, "its region is not known")
    price = prices.find(charge.item, charge.kind, resource.region)
    if price is None:
        kind = "" if charge.kind == "each" else f" of kind {charge.kind}"
        return Unpriced(resource, charge.what, f"the price tables have no {charge.item}{kind} in {resource.region}")
    return Line(resource, charge, resource.region, price)


@dataclass(frozen=True)
class Difference:
    """What one component costs a month in each of two stacks; nothing where a stack has it not."""

    component: str
    region: str
    usd: tuple[Decimal, Decimal]

    @property
    def more(self) -> Decimal:
        """What the second costs more than the first."""
        return self.usd[1] - self.usd[0]


def differences(first: Estimate, second: Estimate) -> Sequence[Difference]:
    """Return what costs more or less in `second` than in `first`, the largest difference first."""
    pairs = [{(str(one), region): usd for (one, region), usd in each.shares().items()} for each in (first, second)]
    keys = sorted(set(pairs[0]) | set(pairs[1]))
    found = [Difference(*key, (pairs[0].get(key, Decimal(0)), pairs[1].get(key, Decimal(0)))) for key in keys]
    return sorted((one for one in found if one.more), key=lambda one: -abs(one.more))
