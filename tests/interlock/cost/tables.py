"""A price table with round prices, for sums that can be checked by hand."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from interlock.cost.prices import PriceList, PriceTable, read_prices

DAY = datetime.date(2026, 6, 1)

PRICES: Mapping[tuple[str, str], float] = {
    ("fargate.vcpu", "X86_64"): 0.04,
    ("fargate.memory", "X86_64"): 0.004,
    ("kms.key", "each"): 1,
    ("kms.request", "symmetric"): 0.000003,
    ("kms.request", "pair"): 0.000015,
    ("rds.postgres.instance", "db.m7g.large"): 0.2,
    ("rds.postgres.storage", "gp3 one-zone"): 0.1,
    ("rds.postgres.storage", "gp3 two-zones"): 0.2,
    ("rds.backup", "each"): 0.1,
    ("sagemaker.instance", "ml.m5.large"): 0.1,
    ("sagemaker.processing", "each"): 0.01,
    ("s3.storage", "STANDARD"): 0.02,
    ("s3.storage", "STANDARD_IA"): 0.01,
    ("s3.write", "STANDARD"): 0.000005,
    ("s3.read", "STANDARD"): 0.0000004,
    ("s3.timed", "each"): 0.015,
    ("transfer.region", "each"): 0.02,
    ("ecr.storage", "each"): 0.1,
    ("endpoint.hour", "each"): 0.01,
    ("endpoint.traffic", "each"): 0.01,
    ("secret.secret", "each"): 0.4,
    ("secret.request", "each"): 0.000005,
    ("cloudwatch.alarm", "standard"): 0.1,
}


def table_document(prices: Mapping[tuple[str, str], float] = PRICES, **changed: Any) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for (item, kind), usd in prices.items():
        entry = items.setdefault(item, {"unit": "unit", "page": "https://aws.amazon.com/pricing/", "usd": {}})
        for region in ("eu-west-1", "eu-central-1"):
            entry["usd"].setdefault(region, {})[kind] = usd
    return {"schema_version": 1, "as_of": DAY, "items": items, **changed}


def table(prices: Mapping[tuple[str, str], float] = PRICES, **changed: Any) -> PriceTable:
    return read_prices(table_document(prices, **changed), "table")


def price_list() -> PriceList:
    return PriceList([table()])
