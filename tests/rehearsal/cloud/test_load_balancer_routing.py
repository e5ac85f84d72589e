from __future__ import annotations

from typing import Any

import pytest

from rehearsal.cloud.load_balancer.routing import Request, choose, holds, redirection
from rehearsal.cloud.load_balancer.targets import Targets

REQUEST = Request("GET", "tracking.example.com", "/api/2.0/runs", "user=anna&all", "127.0.0.1", {"x-team": "Credit"})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Field": "path-pattern", "Values": ["/api/*"]}, True),
        ({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/?.0/runs"]}}, True),
        ({"Field": "path-pattern", "Values": ["/API/*"]}, False),
        ({"Field": "path-pattern", "Values": ["/[a]pi/*"]}, False),
        ({"Field": "host-header", "HostHeaderConfig": {"Values": ["*.EXAMPLE.com"]}}, True),
        ({"Field": "host-header", "HostHeaderConfig": {"Values": ["example.com"]}}, False),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": ["cred*"]}}, True),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Other", "Values": ["*"]}}, False),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST", "GET"]}}, True),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8", "127.0.0.0/8"]}}, True),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, False),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "user", "Value": "AN*"}]}}, True),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "bert"}]}}, False),
    ],
)
def test_a_condition_holds_when_one_of_its_values_does(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition, REQUEST) is expected


def test_the_first_rule_whose_conditions_all_hold_is_taken_else_the_default() -> None:
    api, post = {"Field": "path-pattern", "Values": ["/api/*"]}, {"Field": "http-request-method", "Values": ["POST"]}
    rules: list[dict[str, Any]] = [
        {"conditions": [api, post], "actions": [{"Type": "first"}]},
        {"conditions": [api], "actions": [{"Type": "second"}]},
        {"conditions": [], "actions": [{"Type": "default"}]},
    ]
    assert choose(rules, REQUEST) == [{"Type": "second"}]
    assert choose(rules, Request("GET", "h", "/", "", "127.0.0.1", {})) == [{"Type": "default"}]


def test_a_redirect_keeps_what_it_does_not_name() -> None:
    assert redirection({"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}, REQUEST, "http", 80) == (
        301,
        "https://tracking.example.com/api/2.0/runs?user=anna&all",
    )
    assert redirection({"Host": "other.#{host}", "Path": "/new/#{path}", "Query": ""}, REQUEST, "http", 8080) == (
        302,
        "http://other.tracking.example.com:8080/new/api/2.0/runs",
    )


def group(*usable: str, algorithm: str = "round_robin") -> dict[str, Any]:
    places = {target: target for target in usable}
    return {"scheme": "http", "algorithm": algorithm, "usable": list(usable), "places": places, "draining": []}


def test_targets_take_turns_or_the_least_busy_one_is_taken() -> None:
    targets = Targets()
    targets.replace({"turns": group("a:1", "b:1"), "busy": group("a:1", "b:1", algorithm="least_outstanding_requests")})

    chosen = [targets.choose({"TargetGroupArn": "turns"}, {}) for _ in range(4)]
    assert [target.url for target in chosen if target] == ["http://a:1", "http://b:1", "http://a:1", "http://b:1"]
    least = targets.choose({"TargetGroupArn": "busy"}, {"busy a:1": 3, "busy b:1": 2})
    assert least is not None
    assert least.url == "http://b:1"


def test_a_group_of_weight_zero_gets_nothing_and_an_empty_one_has_no_target() -> None:
    targets = Targets()
    targets.replace({"a": group("a:1"), "b": group("b:1"), "empty": group()})
    weighted = [{"TargetGroupArn": "a", "Weight": 0}, {"TargetGroupArn": "b", "Weight": 1}]

    chosen = {targets.choose({"ForwardConfig": {"TargetGroups": weighted}}, {}) for _ in range(50)}
    assert {target.url for target in chosen if target} == {"http://b:1"}
    assert targets.choose({"TargetGroupArn": "empty"}, {}) is None
