"""CloudWatch in the local cloud: metrics, expressions and alarms as a client sees them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.waiting import until

_count = itertools.count()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cloudwatch(cloud: LocalCloud) -> Any:
    return cloud.client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return f"Tests/{next(_count)}"


@pytest.fixture
def hour() -> datetime:
    """The beginning of the last whole hour."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


def dimensions(**pairs: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs.items()]


def stat(query_id: str, namespace: str, name: str, statistic: str, period: int = 60, **options: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": options.pop("Dimensions", [])}
    unit = {"Unit": options.pop("Unit")} if "Unit" in options else {}
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic, **unit}, **options}


def values(cloudwatch: Any, queries: list[dict[str, Any]], start: datetime, end: datetime) -> dict[str, list[float]]:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    problem = caught.value.response["Error"]
    return str(problem["Code"]), str(problem["Message"])


@pytest.mark.corrects("cloudwatch.get-metric-data")
def test_percentiles_agree_with_what_the_client_counted(cloudwatch: Any, namespace: str, hour: datetime) -> None:
    published = np.random.default_rng(3).lognormal(3, 1, 900)
    for part in np.array_split(published, 9):
        datum = {
            "MetricName": "Latency",
            "Timestamp": hour,
            "Values": list(part),
            "Dimensions": dimensions(A="1", B="2"),
        }
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    other_order = dimensions(B="2", A="1")
    asked = {"p50": 50, "p99": 99, "p99.9": 99.9}
    queries = [
        stat(f"q{place}", namespace, "Latency", name, Dimensions=other_order) for place, name in enumerate(asked)
    ]
    found = values(cloudwatch, queries, hour, hour + MINUTE)
    for place, percent in enumerate(asked.values()):
        assert found[f"q{place}"] == [pytest.approx(np.percentile(published, percent))]
    without = values(cloudwatch, [stat("q", namespace, "Latency", "Sum")], hour, hour + MINUTE)
    assert without == {"q": []}


def test_expressions_are_computed_over_other_queries_whatever_their_order(
    cloudwatch: Any, namespace: str, hour: datetime
) -> None:
    for minute, (errors, total) in enumerate([(1, 10), (0, 20), (5, 10)]):
        at = hour + minute * MINUTE
        data = [
            {"MetricName": "Errors", "Timestamp": at, "Value": errors},
            {"MetricName": "Total", "Timestamp": at, "Value": total},
        ]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    queries = [
        {"Id": "doubled", "Expression": "2 * rate"},
        {"Id": "rate", "Expression": "errors / total", "Label": "error rate"},
        stat("errors", namespace, "Errors", "Sum", ReturnData=False),
        stat("total", namespace, "Total", "Sum", ReturnData=False),
    ]
    found = values(cloudwatch, queries, hour, hour + timedelta(hours=1))
    assert found == {"doubled": [0.2, 0.0, 1.0], "rate": [0.1, 0.0, 0.5]}


def test_periods_are_aligned_and_results_ordered_labelled_and_paged(
    cloudwatch: Any, namespace: str, hour: datetime
) -> None:
    for minute in range(10):
        datum = {"MetricName": "M", "Timestamp": hour + minute * MINUTE, "Value": float(minute)}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    five = cloudwatch.get_metric_data(
        MetricDataQueries=[stat("m", namespace, "M", "Sum", period=300)],
        StartTime=hour + 2 * MINUTE,
        EndTime=hour + timedelta(hours=1),
    )["MetricDataResults"][0]
    assert five["Timestamps"] == [hour + 5 * MINUTE, hour]
    assert (five["Values"], five["Label"], five["StatusCode"]) == ([35.0, 10.0], "M", "Complete")

    request: dict[str, Any] = {
        "MetricDataQueries": [stat("m", namespace, "M", "Sum"), stat("n", namespace, "M", "Maximum")],
        "StartTime": hour,
        "EndTime": hour + timedelta(hours=1),
        "MaxDatapoints": 7,
        "ScanBy": "TimestampAscending",
    }
    seen: dict[str, list[float]] = {"m": [], "n": []}
    statuses = []
    while True:
        page = cloudwatch.get_metric_data(**request)
        for result in page["MetricDataResults"]:
            seen[result["Id"]] += result["Values"]
            statuses.append(result["StatusCode"])
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]
    assert seen == {"m": [float(n) for n in range(10)], "n": [float(n) for n in range(10)]}
    assert statuses[0] == "PartialData"
    assert statuses[-1] == "Complete"


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ({"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m)"}, "ValidationError", "ANOMALY_DETECTION_BAND"),
        ({"Id": "e", "Expression": "missing + 1"}, "ValidationError", "missing"),
        ({"Id": "e", "Expression": "e + 1"}, "ValidationError", "circular"),
        ({"Id": "E", "Expression": "1"}, "ValidationError", "lower case"),
        (stat("e", "N", "M", "p101"), "InvalidParameterValue", "p101"),
        (stat("e", "N", "M", "Sum", period=61), "InvalidParameterValue", "multiple of 60"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused_by_name(
    cloudwatch: Any, hour: datetime, query: dict[str, Any], code: str, said: str
) -> None:
    found = refused(cloudwatch.get_metric_data, MetricDataQueries=[query], StartTime=hour, EndTime=hour + MINUTE)
    assert found[0] == code
    assert said in found[1]


@pytest.mark.corrects("cloudwatch.put-metric-data")
def test_only_aws_publishes_to_awss_namespaces_and_nothing_of_a_bad_request_is_kept(
    cloudwatch: Any, namespace: str, hour: datetime
) -> None:
    datum: dict[str, Any] = {"MetricName": "M", "Value": 1.0, "Timestamp": hour}
    code, said = refused(cloudwatch.put_metric_data, Namespace="AWS/SageMaker", MetricData=[datum])
    assert (code, said) == ("InvalidParameterValue", "The value AWS/SageMaker for parameter Namespace is invalid.")
    old = {**datum, "Timestamp": hour - timedelta(days=15)}
    assert "two weeks" in refused(cloudwatch.put_metric_data, Namespace=namespace, MetricData=[datum, old])[1]
    assert values(cloudwatch, [stat("q", namespace, "M", "Sum")], hour, hour + MINUTE) == {"q": []}


@pytest.mark.corrects("cloudwatch.get-metric-statistics")
def test_extended_statistics_are_answered_beside_the_plain_ones(
    cloudwatch: Any, namespace: str, hour: datetime
) -> None:
    datum = {
        "MetricName": "M",
        "Timestamp": hour,
        "Values": [1.0, 2.0, 3.0, 4.0],
        "Counts": [1, 1, 1, 7],
        "Unit": "Count",
    }
    summary = {"SampleCount": 2, "Sum": 10, "Minimum": 5, "Maximum": 5}
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[datum, {"MetricName": "M", "Timestamp": hour, "StatisticValues": summary, "Unit": "Count"}],
    )
    (point,) = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="M",
        StartTime=hour,
        EndTime=hour + timedelta(hours=1),
        Period=3600,
        Statistics=["SampleCount", "Maximum"],
        ExtendedStatistics=["p50", "tm90"],
    )["Datapoints"]
    assert (point["SampleCount"], point["Maximum"], point["Unit"], point["Timestamp"]) == (12, 5, "Count", hour)
    assert point["ExtendedStatistics"] == pytest.approx({"p50": 4.0, "tm90": (1 + 2 + 3 + 28 + 5) / 11})


@pytest.mark.corrects("cloudwatch.list-metrics")
def test_metrics_are_listed_once_however_their_dimensions_are_ordered(cloudwatch: Any, namespace: str) -> None:
    for given in (dimensions(A="1", B="2"), dimensions(B="2", A="1"), dimensions(A="2")):
        cloudwatch.put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": "M", "Value": 1.0, "Dimensions": given}]
        )
    listed = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert [metric["Dimensions"] for metric in listed] == [dimensions(A="1", B="2"), dimensions(A="2")]
    by_name = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "B"}])["Metrics"]
    assert len(by_name) == 1


@pytest.fixture
def alarm(cloudwatch: Any, namespace: str) -> Any:
    made: list[str] = []

    def make(**settings: Any) -> str:
        name = f"alarm-{next(_count)}"
        made.append(name)
        request = {
            "AlarmName": name,
            "Namespace": namespace,
            "MetricName": "M",
            "Statistic": "Maximum",
            "Period": 10,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **settings,
        }
        cloudwatch.put_metric_alarm(**{key: value for key, value in request.items() if value is not None})
        return name

    yield make
    cloudwatch.delete_alarms(AlarmNames=made)


def state(cloudwatch: Any, name: str) -> str:
    found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (only,) = found["MetricAlarms"] + found["CompositeAlarms"]
    return str(only["StateValue"])


@pytest.mark.corrects("cloudwatch.alarm-evaluation", "cloudwatch.alarm-history")
def test_an_alarm_begins_without_data_and_goes_off_when_its_metric_breaches(
    cloud: LocalCloud, cloudwatch: Any, namespace: str, alarm: Any
) -> None:
    topic = cloud.client("sns").create_topic(Name=namespace.replace("/", "-"))["TopicArn"]
    name = alarm(Statistic=None, ExtendedStatistic="tm99", AlarmActions=[topic])
    assert state(cloudwatch, name) == "INSUFFICIENT_DATA"
    datum = {"MetricName": "M", "Value": 9.0, "StorageResolution": 1}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    until(lambda: state(cloudwatch, name), lambda seen: seen == "ALARM")

    items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in items] == ["Action", "StateUpdate", "ConfigurationUpdate"]
    assert items[1]["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"


def test_a_changed_alarm_keeps_its_state(cloudwatch: Any, alarm: Any) -> None:
    name = alarm(TreatMissingData="ignore")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    alarm(AlarmName=name, TreatMissingData="ignore", Threshold=7.0)
    (changed,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (changed["StateValue"], changed["StateReason"], changed["Threshold"]) == ("ALARM", "a test", 7.0)


@pytest.mark.corrects("cloudwatch.put-metric-alarm")
def test_an_alarm_that_could_never_go_off_is_refused(alarm: Any) -> None:
    assert "DatapointsToAlarm" in refused(alarm, EvaluationPeriods=2, DatapointsToAlarm=3)[1]


def test_an_alarm_with_a_period_that_does_not_exist_is_refused(alarm: Any) -> None:
    assert "multiple of 60" in refused(alarm, Period=61)[1]


def test_an_alarm_on_an_expression_that_cannot_be_read_is_refused_and_the_old_one_stays(
    cloudwatch: Any, namespace: str, alarm: Any
) -> None:
    name = alarm()
    metrics = [{"Id": "e", "Expression": "NOSUCH(m)"}, stat("m", namespace, "M", "Sum", ReturnData=False)]
    nothing = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    assert "NOSUCH" in refused(alarm, AlarmName=name, Metrics=metrics, **nothing)[1]
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["MetricName"] == "M"


@pytest.mark.corrects("cloudwatch.composite-alarms", "cloudwatch.set-alarm-state", "cloudwatch.describe-alarms")
def test_a_composite_alarm_follows_its_rule_and_is_described_only_when_asked_for(cloudwatch: Any, alarm: Any) -> None:
    one, other = alarm(TreatMissingData="ignore"), alarm(TreatMissingData="ignore")
    name = f"composite-{next(_count)}"
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f'ALARM("{one}") AND NOT ALARM({other})')
    try:
        code, _ = refused(cloudwatch.set_alarm_state, AlarmName=one, StateValue="LOUD", StateReason="a test")
        assert code == "ValidationError"
        cloudwatch.set_alarm_state(AlarmName=one, StateValue="ALARM", StateReason="a test")
        until(lambda: state(cloudwatch, name), lambda seen: seen == "ALARM")
        kinds = [
            item["HistoryItemType"] for item in cloudwatch.describe_alarm_history(AlarmName=one)["AlarmHistoryItems"]
        ]
        assert "StateUpdate" in kinds
        assert cloudwatch.describe_alarms(AlarmNames=[name])["CompositeAlarms"] == []
    finally:
        cloudwatch.delete_alarms(AlarmNames=[name])
