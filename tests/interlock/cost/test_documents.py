from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from interlock.cost.prices import DocumentError, PriceList, parse, published, read_prices
from interlock.cost.usage import Usage, read_usage
from tests.interlock.cost.tables import table, table_document

REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")


def problems(read: Any, document: Any) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read(document, "table.yaml")
    return [problem.path for problem in caught.value.problems]


def test_the_published_table_has_every_price_in_every_one_of_its_regions() -> None:
    for name, item in published().items.items():
        kinds = {region: sorted(item.usd.get(region, {})) for region in REGIONS}
        assert len({tuple(one) for one in kinds.values()}) == 1, name
        assert set(item.usd) == set(REGIONS), name


def test_prices_of_a_users_own_table_go_before_the_published_ones() -> None:
    own = table({("kms.key", "each"): 0.5}, as_of=datetime.date(2026, 10, 1))
    prices = PriceList([own, published()])
    found = prices.find("kms.key", "each", "eu-west-1")
    assert found is not None
    assert (found.usd, found.as_of) == (Decimal("0.5"), datetime.date(2026, 10, 1))
    other = prices.find("kms.key", "each", "us-east-1")
    assert other is not None
    assert other.as_of == published().as_of


def test_all_that_is_wrong_with_a_price_table_is_told_at_once() -> None:
    document = table_document(as_of="yesterday", currency="EUR")
    document["items"]["kms.key"]["usd"]["eu-west-1"]["each"] = -1
    document["items"]["kms.key"]["usd"]["Ireland"] = {"each": 1}
    document["items"]["s3.storage"]["page"] = "somewhere"
    assert problems(read_prices, document) == [
        "table.yaml: as_of",
        "table.yaml: items.kms.key.usd.eu-west-1.each",
        "table.yaml: items.kms.key.usd.Ireland",
        "table.yaml: items.s3.storage.page",
        "table.yaml: currency",
    ]


@pytest.mark.parametrize("document", [None, 3, "prices", ["one"]])
def test_what_is_no_price_table_is_refused(document: Any) -> None:
    assert problems(read_prices, document) == ["table.yaml"]


def test_what_is_wrong_with_assumptions_is_told_with_its_path() -> None:
    assert problems(read_usage, {"bucket": {"gib": -1, "colder_share": 2}, "buckets": {}}) == [
        "table.yaml: bucket.gib",
        "table.yaml: bucket.colder_share",
        "table.yaml: buckets",
    ]
    assert problems(read_usage, {"of": {"vault-bucket": {"bucket": {"bytes": 3}}}}) == ["of.vault-bucket: bucket.bytes"]


def test_no_assumptions_are_the_default_ones() -> None:
    assert read_usage(None, "usage.yaml") == Usage()


def test_text_that_is_no_document_is_refused_with_its_line() -> None:
    with pytest.raises(DocumentError, match="line 2"):
        parse("a: 1\nb: [", "usage.yaml")
