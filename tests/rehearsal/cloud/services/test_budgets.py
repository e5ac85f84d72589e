"""AWS Budgets in the local cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud

NOTIFICATION = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80,
    "ThresholdType": "PERCENTAGE",
}
OWNER = {"SubscriptionType": "EMAIL", "Address": "owner@example.com"}
OTHER = {"SubscriptionType": "EMAIL", "Address": "other@example.com"}


class OneBudget:
    """A budget of its own for a test, and calls that name it."""

    def __init__(self, cloud: LocalCloud, notifications: list[dict[str, Any]]) -> None:
        self.client = cloud.client("budgets")
        self.account_id = cloud.account_id
        self.name = f"budget-{uuid4().hex}"
        self.client.create_budget(
            AccountId=self.account_id,
            Budget=self.document(100),
            NotificationsWithSubscribers=notifications,
            ResourceTags=[{"Key": "owner", "Value": "risk"}],
        )

    def document(self, limit: int) -> dict[str, Any]:
        return {
            "BudgetName": self.name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": str(limit), "Unit": "USD"},
        }

    def call(self, operation: str, **arguments: Any) -> Any:
        return getattr(self.client, operation)(AccountId=self.account_id, BudgetName=self.name, **arguments)

    def subscribers(self, notification: dict[str, Any]) -> Any:
        return self.call("describe_subscribers_for_notification", Notification=notification)["Subscribers"]


@pytest.fixture
def budget(cloud: LocalCloud) -> OneBudget:
    return OneBudget(cloud, [{"Notification": NOTIFICATION, "Subscribers": [OWNER]}])


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.corrects("budgets.update")
def test_a_budget_is_changed_and_keeps_its_notifications(budget: OneBudget) -> None:
    before = budget.call("describe_budget")["Budget"]["TimePeriod"]
    budget.client.update_budget(AccountId=budget.account_id, NewBudget=budget.document(250))

    changed = budget.call("describe_budget")["Budget"]
    assert changed["BudgetLimit"]["Amount"] == "250"
    assert changed["TimePeriod"] == before
    assert len(budget.call("describe_notifications_for_budget")["Notifications"]) == 1


def test_a_budget_that_there_is_not_cannot_be_changed(budget: OneBudget) -> None:
    wanted = {**budget.document(1), "BudgetName": "none"}
    code = _code(lambda: budget.client.update_budget(AccountId=budget.account_id, NewBudget=wanted))
    assert code == "NotFoundException"


@pytest.mark.corrects("budgets.subscribers")
def test_who_is_told_can_be_read_and_changed_and_the_last_takes_the_notification_along(budget: OneBudget) -> None:
    assert budget.subscribers(NOTIFICATION) == [OWNER]
    budget.call("create_subscriber", Notification=NOTIFICATION, Subscriber=OTHER)
    assert (
        _code(lambda: budget.call("create_subscriber", Notification=NOTIFICATION, Subscriber=OTHER))
        == "DuplicateRecordException"
    )
    third = {**OTHER, "Address": "third@example.com"}
    budget.call("update_subscriber", Notification=NOTIFICATION, OldSubscriber=OTHER, NewSubscriber=third)
    assert budget.subscribers(NOTIFICATION) == [OWNER, third]
    for subscriber in (OWNER, third):
        budget.call("delete_subscriber", Notification=NOTIFICATION, Subscriber=subscriber)
    assert budget.call("describe_notifications_for_budget")["Notifications"] == []


@pytest.mark.corrects("budgets.notifications")
def test_a_notification_is_found_however_its_threshold_is_written(budget: OneBudget) -> None:
    (notification,) = budget.call("describe_notifications_for_budget")["Notifications"]
    assert notification["NotificationState"] == "OK"
    assert budget.subscribers({**NOTIFICATION, "Threshold": 80.0}) == [OWNER]
    budget.call("delete_notification", Notification={**NOTIFICATION, "Threshold": 80.0})
    assert budget.call("describe_notifications_for_budget")["Notifications"] == []


@pytest.mark.corrects("budgets.tags")
def test_tags_given_at_creation_are_listed_set_and_taken_away(budget: OneBudget) -> None:
    arn = f"arn:aws:budgets::{budget.account_id}:budget/{budget.name}"

    def listed() -> dict[str, str]:
        tags = budget.client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    assert listed() == {"owner": "risk"}
    budget.client.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "tier", "Value": "high"}])
    budget.client.untag_resource(ResourceARN=arn, ResourceTagKeys=["owner"])
    assert listed() == {"tier": "high"}


def test_a_budget_counts_in_the_inventory_until_it_is_deleted(cloud: LocalCloud, budget: OneBudget) -> None:
    arn = f"arn:aws:budgets::{budget.account_id}:budget/{budget.name}"
    assert arn in cloud.inventory()["budgets"]
    budget.call("delete_budget")
    assert arn not in cloud.inventory()["budgets"]
