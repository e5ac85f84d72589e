"""AWS Budgets: budgets that can be changed, their notifications' subscribers, and tags. Nothing is spent here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from moto.budgets.exceptions import DuplicateRecordException, NotFoundException
from moto.budgets.models import Budget, Notification, budgets_backends
from moto.budgets.responses import BudgetsResponse
from moto.core.utils import unix_time

from rehearsal.cloud.service import Patches, Service, correction

_REFERENCE = "https://docs.aws.amazon.com/aws-cost-management/latest/APIReference"
Tags = dict[str, str]


class Budgets(Service):
    """Budgets of each account; what has been spent is always nothing."""

    name: ClassVar[str] = "budgets"

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of the budgets of every account."""
        return [
            _arn(account_id, name)
            for regional in list(budgets_backends.values())
            for backend in list(regional.values())
            for account_id, budgets in backend.budgets.items()
            for name in budgets
        ]

    @correction("budgets.update", f"{_REFERENCE}/API_budgets_UpdateBudget.html")
    def _update(self, patches: Patches) -> None:
        """A budget can be changed, and keeps its notifications."""

        def update_budget(response: BudgetsResponse) -> str:
            request = _request(response)
            wanted = dict(request["NewBudget"])
            budget = _budget(response, wanted["BudgetName"])
            kept = {key: budget.budget[key] for key in ("TimePeriod",) if key not in wanted}
            budget.budget = {**wanted, **kept, "LastUpdatedTime": unix_time()}
            return "{}"

        patches.replace(BudgetsResponse, "update_budget", update_budget)

    @correction("budgets.subscribers", f"{_REFERENCE}/API_budgets_DescribeSubscribersForNotification.html")
    def _subscribers(self, patches: Patches) -> None:
        """Who is told by a notification can be read, added, changed and taken away; the last one has to stay."""

        def describe_subscribers_for_notification(response: BudgetsResponse) -> str:
            return json.dumps({"Subscribers": _notification(response).subscribers})

        def create_subscriber(response: BudgetsResponse) -> str:
            subscribers, new = _subscribers_of(response), _request(response)["Subscriber"]
            if new in subscribers:
                raise DuplicateRecordException(record_type="subscriber", record_name=new["Address"])
            subscribers.append(new)
            return "{}"

        def update_subscriber(response: BudgetsResponse) -> str:
            request, subscribers = _request(response), _subscribers_of(response)
            subscribers[_place(subscribers, request["OldSubscriber"])] = request["NewSubscriber"]
            return "{}"

        def delete_subscriber(response: BudgetsResponse) -> str:
            subscribers = _subscribers_of(response)
            del subscribers[_place(subscribers, _request(response)["Subscriber"])]
            # Source: API_budgets_DeleteSubscriber: "Deleting the last subscriber to a notification also deletes the
            # notification."
            if not subscribers:
                budget = _budget(response, _request(response)["BudgetName"])
                budget.delete_notification(_normal(_request(response)["Notification"]))
            return "{}"

        for operation in (
            describe_subscribers_for_notification,
            create_subscriber,
            update_subscriber,
            delete_subscriber,
        ):
            patches.replace(BudgetsResponse, operation.__name__, operation)

    @correction("budgets.notifications", f"{_REFERENCE}/API_budgets_Notification.html")
    def _notifications(self, patches: Patches) -> None:
        """A notification is known by what it compares, whether its threshold is written 80 or 80.0, and has a state."""
        create: Any = None

        def normal_notification(notification: Notification, details: dict[str, Any], subscribers: Any) -> None:
            create(notification, _normal(details), subscribers)

        delete: Any = None

        def delete_notification(budget: Budget, details: dict[str, Any]) -> None:
            delete(budget, _normal(details))

        create = patches.replace(Notification, "__init__", normal_notification)
        delete = patches.replace(Budget, "delete_notification", delete_notification)

    @correction("budgets.tags", f"{_REFERENCE}/API_budgets_ListTagsForResource.html")
    def _tagging(self, patches: Patches) -> None:
        """The tags of a budget can be given at its creation, listed, set and taken away."""
        create: Any = None

        def create_budget(response: BudgetsResponse) -> str:
            answer: str = create(response)
            request = _request(response)
            _tags(_budget(response, request["Budget"]["BudgetName"])).update(_pairs(request.get("ResourceTags")))
            return answer

        def list_tags_for_resource(response: BudgetsResponse) -> str:
            tags = _tags(_named(response))
            return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})

        def tag_resource(response: BudgetsResponse) -> str:
            _tags(_named(response)).update(_pairs(_request(response)["ResourceTags"]))
            return "{}"

        def untag_resource(response: BudgetsResponse) -> str:
            tags = _tags(_named(response))
            for key in _request(response)["ResourceTagKeys"]:
                tags.pop(key, None)
            return "{}"

        create = patches.replace(BudgetsResponse, "create_budget", create_budget)
        for operation in (list_tags_for_resource, tag_resource, untag_resource):
            patches.replace(BudgetsResponse, operation.__name__, operation)


def _request(response: BudgetsResponse) -> dict[str, Any]:
    return dict(json.loads(response.body))


def _arn(account_id: str, name: str) -> str:
    return f"arn:aws:budgets::{account_id}:budget/{name}"


def _budget(response: BudgetsResponse, name: str) -> Budget:
    account_id = _request(response).get("AccountId") or response.current_account
    budget = response.backend.budgets[account_id].get(name)
    if budget is None:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
    return budget


def _named(response: BudgetsResponse) -> Budget:
    _, _, name = str(_request(response)["ResourceARN"]).partition(":budget/")
    return _budget(response, name)


def _notification(response: BudgetsResponse) -> Notification:
    request = _request(response)
    wanted = _normal(request["Notification"])
    for notification in _budget(response, request["BudgetName"]).notifications:
        if _normal(notification.details) == wanted:
            return notification
    raise NotFoundException("Unable to find the notification - it doesn't exist.")


def _normal(details: Mapping[str, Any]) -> dict[str, Any]:
    # Source: API_budgets_Notification; a threshold is a percentage unless said otherwise.
    return {
        "NotificationState": "OK",
        "ThresholdType": "PERCENTAGE",
        **details,
        "Threshold": float(details["Threshold"]),
    }


def _subscribers_of(response: BudgetsResponse) -> list[dict[str, Any]]:
    notification = _notification(response)
    found: Any = notification.subscribers
    return list(found) if not isinstance(found, list) else found


def _place(subscribers: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> int:
    if wanted not in subscribers:
        raise NotFoundException("Unable to find the subscriber - it doesn't exist.")
    return subscribers.index(wanted)


def _tags(budget: Budget) -> Tags:
    tags: Tags = budget.__dict__.setdefault("tags", {})
    return tags


def _pairs(tags: Sequence[Mapping[str, str]] | None) -> Tags:
    return {pair["Key"]: pair["Value"] for pair in tags or ()}
