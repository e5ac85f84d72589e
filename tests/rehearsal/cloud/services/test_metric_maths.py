"""Metric maths over given series."""

from __future__ import annotations

import pytest

from rehearsal.cloud.services.cloudwatch.expressions.evaluate import evaluate, final_series
from rehearsal.cloud.services.cloudwatch.expressions.functions import Evaluation
from rehearsal.cloud.services.cloudwatch.expressions.syntax import ExpressionError, parse
from rehearsal.cloud.services.cloudwatch.expressions.values import TimeSeries, Window
from rehearsal.cloud.services.cloudwatch.search import matcher
from rehearsal.cloud.services.cloudwatch.store import MetricId

M1 = TimeSeries({0: 1.0, 60: 2.0, 180: 4.0}, 60, "one", "m1")
M2 = TimeSeries({0: 10.0, 60: 0.0, 120: 5.0}, 60, "two", "m2")
EVALUATION = Evaluation(Window(0, 240), [M1, M2], lambda text, statistic, period: [M1] if text else [], 60)


def result(expression: str) -> list[dict[int, float]]:
    value = evaluate(parse(expression), {"m1": M1, "m2": M2}, EVALUATION)
    return [dict(series.values) for series in final_series(value, EVALUATION)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 + m2", {0: 11, 60: 2}),
        ("m1 / m2", {0: 0.1}),  # nothing where the divisor is zero
        ("m1 * 2 - 1", {0: 1, 60: 3, 180: 7}),
        ("2 + 3 * m1", {0: 5, 60: 8, 180: 14}),
        ("-m1 ^ 2", {0: -1, 60: -4, 180: -16}),
        ("(m1 + 1) * (m1 - 1)", {0: 0, 60: 3, 180: 15}),
        ("m1 > 1 && m1 < 4", {0: 0, 60: 1, 180: 0}),
        ("m1 == 1 OR m1 >= 4", {0: 1, 60: 0, 180: 1}),
        ("SUM([m1, m2])", {0: 11, 60: 2, 120: 5, 180: 4}),
        ("SUM(METRICS())", {0: 11, 60: 2, 120: 5, 180: 4}),
        ("AVG(METRICS('m2'))", {0: 10, 60: 0, 120: 5}),
        ("MAX([m1, m2])", {0: 10, 60: 2, 120: 5, 180: 4}),
        ("m1 - MIN(m1)", {0: 0, 60: 1, 180: 3}),
        ("SUM(m1)", {0: 7, 60: 7, 120: 7, 180: 7}),
        ("FILL(m1, 0)", {0: 1, 60: 2, 120: 0, 180: 4}),
        ("FILL(m1, REPEAT)", {0: 1, 60: 2, 120: 2, 180: 4}),
        ("FILL(m1, LINEAR)", {0: 1, 60: 2, 120: 3, 180: 4}),
        ("IF(m1 > 1, m1, 0)", {0: 0, 60: 2, 180: 4}),
        ("IF(m1 > 1, m2)", {60: 0}),
        ("RATE(m1)", {60: 1 / 60, 180: 2 / 120}),
        ("DIFF(m1)", {60: 1, 180: 2}),
        ("DIFF_TIME(m1)", {60: 60, 180: 120}),
        ("PERIOD(m1) * m1", {0: 60, 60: 120, 180: 240}),
        ("RUNNING_SUM(m1)", {0: 1, 60: 3, 180: 7}),
        ("DATAPOINT_COUNT(m1) + m1 * 0", {0: 3, 60: 3, 180: 3}),
        ("METRIC_COUNT(METRICS()) * (m1 / m1)", {0: 2, 60: 2, 180: 2}),
        ("CEIL(m1 / 3)", {0: 1, 60: 1, 180: 2}),
        ("100 * SUM(m1) / SUM(m2)", {0: 700 / 15, 60: 700 / 15, 120: 700 / 15, 180: 700 / 15}),
        ("FIRST(SORT(METRICS(), SUM, DESC))", {0: 10, 60: 0, 120: 5}),
        ("MINUTE(m1)", {0: 0, 60: 1, 180: 3}),
    ],
)
def test_expressions(expression: str, expected: dict[int, float]) -> None:
    (only,) = result(expression)
    assert only == pytest.approx(expected)


def test_an_array_times_a_number_is_an_array() -> None:
    assert result("METRICS() * 10") == [{0: 10.0, 60: 20.0, 180: 40.0}, {0: 100.0, 60: 0.0, 120: 50.0}]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("m1 +", "the end"),
        ("m1 m2", "m2"),
        ("(m1", "expected )"),
        ("m3 * 2", "m3"),
        ("ANOMALY_DETECTION_BAND(m1, 2)", "ANOMALY_DETECTION_BAND"),
        ("1 / 0", "no value"),
        ("METRICS() + METRICS()", "two arrays"),
        ("FILL(m1)", "FILL takes 2"),
        ("'text'", "not text"),
        ("m1 $ 2", "$"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_name(expression: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        result(expression)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('{AWS/SageMaker,EndpointName,VariantName} MetricName="Invocations"', True),
        ('{AWS/SageMaker,VariantName,EndpointName} MetricName="Invocations"', True),
        ('{AWS/SageMaker,EndpointName} MetricName="Invocations"', False),
        ('{AWS/SageMaker,EndpointName,VariantName} MetricName="Invocation"', False),
        ('Namespace="AWS/SageMaker" EndpointName="credit" NOT VariantName="green"', True),
        ('VariantName="green" OR (credit AND invocations)', True),
        ("VariantName=green", False),
    ],
)
def test_search_finds_by_schema_terms_and_properties(expression: str, found: bool) -> None:
    dimensions = frozenset({("EndpointName", "credit"), ("VariantName", "blue")})
    assert matcher(expression)(MetricId("AWS/SageMaker", "Invocations", dimensions)) is found
