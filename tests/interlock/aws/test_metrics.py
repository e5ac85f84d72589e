from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from interlock.aws.metrics import MetricQuery, read_variant
from interlock.failures import OutsideFailure
from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.cloudwatch import CloudWatch

SUM = MetricQuery("Invocations", "Sum")
P90 = MetricQuery("ModelLatency", "p90")


def publish(cloud: LocalCloud, endpoint: str, variant: str, name: str, values: list[float]) -> None:
    dimensions = [("EndpointName", endpoint), ("VariantName", variant)]
    context = cloud.context
    context.service(CloudWatch).record(
        context.account_id, context.region, "AWS/SageMaker", dimensions, [(name, value, "None") for value in values]
    )


def test_one_variants_metrics_are_read_in_periods_that_begin_on_the_clock(cloud: LocalCloud) -> None:
    publish(cloud, "metrics", "blue", "Invocations", [1.0] * 5)
    publish(cloud, "metrics", "green", "Invocations", [1.0] * 7)
    publish(cloud, "metrics", "blue", "ModelLatency", [float(value) for value in range(1, 101)])
    hour, end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0), datetime.now(UTC) + timedelta(minutes=1)
    found = read_variant(cloud.client("cloudwatch"), "metrics", "blue", [SUM, P90], hour, end, period_seconds=3600)
    assert found[SUM] == ((hour, 5.0),)
    (at, latency), *more = found[P90]
    assert (at, more) == (hour, [])
    assert latency == pytest.approx(90, abs=1)


def test_what_has_no_data_is_an_empty_series_and_not_zero(cloud: LocalCloud) -> None:
    now = datetime.now(UTC)
    found = read_variant(cloud.client("cloudwatch"), "nobody", "blue", [SUM], now - timedelta(minutes=5), now)
    assert found == {SUM: ()}


@pytest.mark.parametrize("results", [[{"Id": "q0", "StatusCode": "InternalError", "Timestamps": [], "Values": []}], []])
def test_a_part_of_the_data_is_not_taken_for_the_whole(cloud: LocalCloud, results: list[Any]) -> None:
    client, now = cloud.client("cloudwatch"), datetime.now(UTC)
    with Stubber(client) as stub:
        stub.add_response("get_metric_data", {"MetricDataResults": results})
        with pytest.raises(OutsideFailure, match="only a part"):
            read_variant(client, "metrics", "blue", [SUM], now - timedelta(minutes=5), now)
