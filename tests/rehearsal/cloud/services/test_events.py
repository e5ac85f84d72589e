"""EventBridge in the local cloud: a rule with a rate invokes its functions in time, if their policies let it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.events import Events, period
from tests.rehearsal.cloud.services.functions import Functions, function_role, refused, write_image
from tests.rehearsal.cloud.waiting import until

ACCOUNT = "123456789012"


@pytest.fixture(scope="module", autouse=True)
def images(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("images") / "function"
    write_image(folder)
    before, cloud.context.containers.images = cloud.context.containers.images, folder.parent
    yield
    cloud.context.containers.images = before


@pytest.fixture
def functions(cloud: LocalCloud) -> Iterator[Functions]:
    made = Functions(cloud, function_role(cloud))
    yield made
    made.close()


@pytest.fixture
def rules(cloud: LocalCloud) -> Iterator[list[str]]:
    made: list[str] = []
    yield made
    events = cloud.client("events")
    for name in made:
        events.remove_targets(Rule=name, Ids=["function"])
        events.delete_rule(Name=name)


def put(cloud: LocalCloud, rules: list[str], function: str, *, state: str = "ENABLED") -> str:
    """Make a rule that invokes a function every minute, and return its ARN."""
    events, name = cloud.client("events"), f"rule-{uuid.uuid4().hex[:8]}"
    made = events.put_rule(Name=name, ScheduleExpression="rate(1 minute)", State=state)
    arn = cloud.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "function", "Arn": arn}])
    rules.append(name)
    return str(made["RuleArn"])


def permit(cloud: LocalCloud, function: str, rule: str) -> None:
    cloud.client("lambda").add_permission(
        FunctionName=function, StatementId="rule", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
        SourceArn=rule, SourceAccount=ACCOUNT,
    )  # fmt: skip


def lines(cloud: LocalCloud, function: str) -> list[str]:
    """Return what a function has logged."""
    logs, group = cloud.client("logs"), f"/aws/lambda/{function}"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    return [one["message"] for one in logs.filter_log_events(logGroupName=group)["events"]]


def ended(cloud: LocalCloud, function: str) -> int:
    """Return how many runs of a function have come to their end."""
    return sum(one.startswith("END") for one in lines(cloud, function))


def _at(at: datetime) -> datetime:
    return at


def test_a_rule_invokes_its_function_each_time_that_its_time_has_come_and_not_before(
    cloud: LocalCloud, functions: Functions, rules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, silent = functions.make(), functions.make()
    permit(cloud, name, put(cloud, rules, name))
    put(cloud, rules, silent)
    until(lambda: len(_scheduled(cloud)), lambda known: known >= 2)
    assert lines(cloud, name) == []

    for times in (1, 2):
        ahead = datetime.now(UTC) + timedelta(minutes=2 * times)
        monkeypatch.setattr(cloud.context, "now", partial(_at, ahead))
        until(partial(ended, cloud, name), times.__eq__)
    # Its own policy lets nobody in.
    assert lines(cloud, silent) == []


def test_a_rule_that_is_disabled_invokes_nothing(
    cloud: LocalCloud, functions: Functions, rules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle, busy = functions.make(), functions.make()
    permit(cloud, idle, put(cloud, rules, idle, state="DISABLED"))
    permit(cloud, busy, put(cloud, rules, busy))
    until(lambda: len(_scheduled(cloud)), lambda known: known >= 1)
    monkeypatch.setattr(cloud.context, "now", lambda: datetime.now(UTC) + timedelta(minutes=2))
    until(lambda: lines(cloud, busy), bool)
    assert lines(cloud, idle) == []


@pytest.mark.corrects("events.rates")
@pytest.mark.parametrize("wrong", ["rate(1 minutes)", "rate(5 minute)", "rate(1 hours)"])
def test_a_rate_with_the_wrong_unit_is_refused(cloud: LocalCloud, wrong: str) -> None:
    code, text = refused(lambda: cloud.client("events").put_rule(Name="wrong", ScheduleExpression=wrong))
    assert (code, text) == ("ValidationException", "Parameter ScheduleExpression is not valid.")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(90 minutes)", timedelta(minutes=90)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(7 days)", timedelta(days=7)),
        ("cron(0 12 * * ? *)", None),
    ],
)
def test_a_rate_says_how_long_it_is_between_two_times(expression: str, expected: timedelta | None) -> None:
    assert period(expression) == expected


def _scheduled(cloud: LocalCloud) -> Mapping[str, datetime]:
    return cloud.context.service(Events).scheduled()
