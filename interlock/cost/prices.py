"""Dated price tables: what AWS asks for a unit of something in a region."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Annotated, Any, Final, Literal, TypeVar

import yaml  # type: ignore[import-untyped]
from pydantic import Field

from interlock import rules
from interlock.rules import Problem, Rule
from interlock.settings.refusals import Must, problems_of
from interlock.settings.section import Section

STALE_DAYS: Final = 180
"""A price is doubted when its table is older."""

amount: Final = Rule("a number of 0 or more", lambda value: isinstance(value, Decimal) and 0 <= value < 10**15)
_web_page: Final = rules.text(r"https://\S+", "the address of the page that the price is published on")
_some_text: Final = rules.text(r"(?s).*\S.*", "some text")


_Document = TypeVar("_Document", bound=Section)


class DocumentError(ValueError):
    """A document that cannot be used; `problems` holds all that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


class Item(Section):
    """Something that is paid for: per region, the price in US dollars of each kind of it."""

    unit: Annotated[str, Must(_some_text)]
    page: Annotated[str, Must(_web_page)]
    usd: dict[Annotated[str, Must(rules.region)], dict[str, Annotated[Decimal, Must(amount)]]]


class PriceTable(Section):
    """What AWS asks, as published on one day."""

    schema_version: Literal[1]
    as_of: datetime.date
    basis: str = ""
    """What the prices include, and how far to trust them."""
    items: dict[str, Item] = Field(min_length=1)


@dataclass(frozen=True)
class Price:
    """What one unit costs, who says so and since when."""

    usd: Decimal
    unit: str
    page: str
    as_of: datetime.date


class PriceList:
    """Several tables as one: a price of an earlier table goes before the same one of a later table."""

    def __init__(self, tables: Sequence[PriceTable]) -> None:
        self.tables = tuple(tables)

    def find(self, item: str, kind: str, region: str) -> Price | None:
        """Return the price of one kind of an item in a region, if any table has it."""
        for table in self.tables:
            entry = table.items.get(item)
            usd = entry.usd.get(region, {}).get(kind) if entry else None
            if entry is not None and usd is not None:
                return Price(usd, entry.unit, entry.page, table.as_of)
        return None

    @property
    def regions(self) -> list[str]:
        """The regions that some table has a price for."""
        return sorted({region for table in self.tables for item in table.items.values() for region in item.usd})


def is_stale(as_of: datetime.date, today: datetime.date) -> bool:
    """Return whether prices of that day are to be doubted today."""
    return (today - as_of).days > STALE_DAYS


def read_prices(document: Any, source: str) -> PriceTable:
    """Read a price table. Raises DocumentError with all that is wrong; paths begin with `source`."""
    return read_document(PriceTable, document, source)


def read_document(model: type[_Document], document: Any, source: str) -> _Document:
    """Read a document of one of this room's forms. Raises DocumentError; paths begin with `source`."""
    if not isinstance(document, Mapping):
        raise DocumentError([Problem(source, f"{document!r:.80}", "a document with " + ", ".join(model.model_fields))])
    problems = problems_of(model, document, f"{source}: ")
    if problems:
        raise DocumentError(problems)
    return model.model_validate(document)


def parse(text: str, source: str) -> Any:
    """Return what YAML (JSON is some of it) holds. Raises DocumentError."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where is not None else ""
        raise DocumentError([Problem(source, f"text that cannot be read{line}", "YAML or JSON")]) from None


def published() -> PriceTable:
    """Return the newest price table that comes with the library."""
    tables = sorted((one for one in files("interlock.cost").joinpath("prices").iterdir()), key=lambda one: one.name)
    newest = [one for one in tables if one.name.endswith(".json")][-1]
    return read_prices(parse(newest.read_text(encoding="utf-8"), newest.name), newest.name)
