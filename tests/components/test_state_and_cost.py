"""Live state and budgets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT
from policy.recording.monitor import Recording, record
from tests.components.programs import KEY, make

TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/kept"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:costs"


def recorded(kind: str, preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        make(kind, **changed)

    return record(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_live_state_can_be_restored_to_any_second_and_is_not_deleted_by_mistake(preview: bool) -> None:
    table = recorded("LiveState", preview).one("aws:dynamodb/table:Table").inputs
    assert (table["hashKey"], table["rangeKey"], table["billingMode"]) == ("pk", "sk", "PAY_PER_REQUEST")
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["deletionProtectionEnabled"] is True
    assert table["serverSideEncryption"]["enabled"] is True
    assert "replicas" not in table


def test_a_table_that_there_is_already_is_used() -> None:
    recording = recorded("LiveState", encryption_key_arn=..., existing_table_arn=TABLE)
    assert recording.of_type("aws:dynamodb/table:Table") == []
    assert recording.outputs_of("interlock:state:LiveState") == {"tableName": "kept", "tableArn": TABLE}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_a_budget_counts_one_cost_centre_and_is_told_before_and_after_it_is_spent(preview: bool) -> None:
    budget = recorded("Budgets", preview).one("aws:budgets/budget:Budget").inputs
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("5000", "USD", "MONTHLY")
    assert budget["costFilters"] == [{"name": "TagKeyValue", "values": ["user:cost-centre$4711"]}]
    told = [(one["notificationType"], one["threshold"]) for one in budget["notifications"]]
    assert told == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]


def test_budgets_alone_publishes_to_the_budgets_topic_on_behalf_of_this_account() -> None:
    recording = recorded("Budgets")
    assert recording.one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"].startswith("arn:aws:kms:")
    policy = json.loads(recording.one("aws:sns/topicPolicy:TopicPolicy").inputs["policy"])
    (allowed,) = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "budgets.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_a_topic_that_there_is_already_is_published_to_beside_e_mails() -> None:
    recording = recorded("Budgets", encryption_key_arn=..., existing_topic_arn=TOPIC, emails=["owner@example.com"])
    assert recording.of_type("aws:sns/topic:Topic") == []
    (first, *_) = recording.one("aws:budgets/budget:Budget").inputs["notifications"]
    assert first["subscriberSnsTopicArns"] == [TOPIC]
    assert first["subscriberEmailAddresses"] == ["owner@example.com"]


@pytest.mark.parametrize(
    ("kind", "existing"),
    [("LiveState", {"existing_table_arn": TABLE}), ("Budgets", {"existing_topic_arn": TOPIC})],
)
def test_either_a_key_for_a_new_one_or_one_that_there_is(kind: str, existing: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="encryption_key_arn: received nothing"):
        recorded(kind, encryption_key_arn=...)
    (name,) = existing
    with pytest.raises(ArgumentError, match=f"{name}: received .* accepted: nothing, as encryption_key_arn is given"):
        recorded(kind, encryption_key_arn=KEY, **existing)


def test_the_key_admits_budgets_only_when_asked() -> None:
    def sids(**changed: Any) -> set[str]:
        policy = json.loads(recorded("DataKey", **changed).one("aws:kms/key:Key").inputs["policy"])
        return {one["Sid"] for one in policy["Statement"]}

    assert "PublishBudgets" not in sids()
    assert "PublishBudgets" in sids(for_budgets=True)


def test_a_data_key_that_there_is_already_is_used() -> None:
    recording = recorded("DataKey", existing_key_arn=KEY)
    assert [one for one in recording.resources if one.custom] == []
    assert recording.outputs_of("interlock:keys:DataKey") == {"keyArn": KEY}
