"""The endpoint: what its template promises, what it is alarmed by, and what it keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.aws.serving import Variant, configuration_request
from interlock.manifest_parts import DataCapturePart, EndpointPart, ServingTemplatePart
from policy.recording.answers import ACCOUNT
from policy.recording.monitor import Recording, record
from tests.components.programs import KEY, make
from tests.interlock.manifests import manifest_document

TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:alarms"
TYPE = "interlock:serving:ModelEndpoint"


def recorded(preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        make("ModelEndpoint", **changed)

    return record(program, preview=preview)


def template(recording: Recording) -> ServingTemplatePart:
    return ServingTemplatePart.model_validate(recording.outputs_of(TYPE)["servingTemplate"])


def test_a_variant_scales_at_a_thousand_requests_an_instance_slowly_down_and_quickly_up() -> None:
    found = template(recorded())
    assert found.scaling is not None
    assert found.scaling.model_dump() == {
        "invocations_per_instance": 1000,
        "scale_in_cooldown_seconds": 300,
        "scale_out_cooldown_seconds": 60,
    }
    assert (found.min_instance_count, found.max_instance_count) == (1, 8)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_the_program_owns_no_scaling_that_a_rollout_could_be_put_back_by(preview: bool) -> None:
    assert [one.urn for one in recorded(preview).resources if "appautoscaling" in one.type] == []


def test_each_variant_is_alarmed_by_three_percentiles_and_the_shares_of_its_errors() -> None:
    recording = recorded(p99_latency_limit_ms=1000)
    alarms = {one.name: one.inputs for one in recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")}
    limits = {kind: alarms[f"one-alarms-green-{kind}"]["threshold"] for kind in ("p50", "p95", "p99")}
    assert limits == {"p50": 200_000, "p95": 600_000, "p99": 1_000_000}
    assert len(template(recording).alarm_names) == len(alarms) == 10


def test_limits_of_the_middle_are_taken_as_given() -> None:
    recording = recorded(p50_latency_limit_ms=7, p95_latency_limit_ms=8)
    alarms = {one.name: one.inputs["threshold"] for one in recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert (alarms["one-alarms-blue-p50"], alarms["one-alarms-blue-p95"]) == (7000, 8000)


def test_alarms_are_published_where_it_is_asked_for() -> None:
    for alarm in recorded(alarm_topic_arns=[TOPIC]).of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [TOPIC]


def test_nothing_is_captured_unless_it_is_asked_for() -> None:
    recording = recorded()
    assert template(recording).data_capture is None
    assert recording.of_type("aws:s3/bucket:Bucket") == []
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    assert not [one for one in policy["Statement"] if "s3:PutObject" in one["Action"]]


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_what_is_captured_is_encrypted_in_a_bucket_of_its_own(preview: bool) -> None:
    recording = recorded(preview, data_capture_percent=10)
    assert recording.one("aws:s3/bucket:Bucket", "one-captured-bucket").inputs["forceDestroy"] is False
    if preview:
        return
    capture = template(recording).data_capture
    assert capture is not None
    assert (capture.percent, capture.uri.rpartition("/")[2]) == (10, "captured")
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    (keep,) = [one for one in policy["Statement"] if one["Sid"] == "KeepCaptured"]
    assert keep["Resource"] == f"arn:aws:s3:::{capture.uri.removeprefix('s3://')}/*"


def test_the_controller_captures_what_the_template_says() -> None:
    document = manifest_document()["endpoints"]["credit"]
    variants = (Variant("blue", "model", 1.0, 1),)
    off = EndpointPart.model_validate(document)
    assert "DataCaptureConfig" not in configuration_request("test", off, variants)
    capture = DataCapturePart(percent=5, uri="s3://captured/captured", encryption_key_arn=KEY)
    on = off.model_copy(update={"serving_template": off.serving_template.model_copy(update={"data_capture": capture})})
    request = configuration_request("test", on, variants)
    assert request["DataCaptureConfig"]["InitialSamplingPercentage"] == 5
    assert request["EndpointConfigName"] != configuration_request("test", off, variants)["EndpointConfigName"]
