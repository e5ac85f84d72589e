"""The topic of alarms: who may publish to it, who is told by it, and what it takes in place of a new one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.validation import ArgumentError
from policy.recording.answers import ACCOUNT, REGION
from policy.recording.monitor import UNKNOWN, Recording, record
from tests.components.programs import KEY, make

TOPICS = [f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" for name in ("first", "second")]
PEOPLE = ["oncall@example.com", "owner@example.com"]


def recorded(preview: bool = False, kind: str = "AlarmTopic", **changed: Any) -> Recording:
    return record(lambda: _make(kind, changed), preview=preview)


def _make(kind: str, changed: dict[str, Any]) -> None:
    make(kind, **changed)


def allowed(policy: str) -> dict[str, dict[str, Any]]:
    """Return by service what a policy allows services, as their conditions."""
    found = [one for one in json.loads(policy)["Statement"] if one["Effect"] == "Allow"]
    return {one["Principal"]["Service"]: one.get("Condition", {}) for one in found if "Service" in one["Principal"]}


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_each_address_is_subscribed_once_by_e_mail(preview: bool) -> None:
    subscriptions = recorded(preview, emails=PEOPLE).of_type("aws:sns/topicSubscription:TopicSubscription")
    assert [(one.inputs["protocol"], one.inputs["endpoint"]) for one in subscriptions] == [
        ("email", address) for address in PEOPLE
    ]


def test_what_is_published_is_encrypted_with_the_key_that_was_given() -> None:
    assert recorded(encryption_key_arn=KEY).one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == KEY


def test_alarms_and_event_rules_of_this_account_and_region_alone_publish() -> None:
    policy = recorded().one("aws:sns/topicPolicy:TopicPolicy").inputs["policy"]
    sources = {"cloudwatch": f"{REGION}:{ACCOUNT}:alarm:*", "events": f"{REGION}:{ACCOUNT}:rule/*"}
    assert allowed(policy) == {
        f"{service}.amazonaws.com": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:{service}:{source}"},
        }
        for service, source in sources.items()
    }


def test_nobody_publishes_in_the_clear() -> None:
    statements = json.loads(recorded().one("aws:sns/topicPolicy:TopicPolicy").inputs["policy"])["Statement"]
    (denied,) = [one for one in statements if one["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Condition"]) == ("*", {"Bool": {"aws:SecureTransport": "false"}})


def test_a_preview_knows_not_which_topic_alarms_will_publish_to_but_an_up_does() -> None:
    assert recorded(preview=True).outputs_of("interlock:alarms:AlarmTopic") == {"topicArns": UNKNOWN}
    recording = recorded()
    (arn,) = recording.outputs_of("interlock:alarms:AlarmTopic")["topicArns"]
    assert arn.startswith(f"arn:aws:sns:{REGION}:{ACCOUNT}:one-topic")


def test_topics_that_there_are_already_come_beside_the_new_one() -> None:
    recording = recorded(existing_topic_arns=TOPICS)
    assert recording.outputs_of("interlock:alarms:AlarmTopic")["topicArns"][1:] == TOPICS
    assert recording.one("aws:sns/topic:Topic")


def test_people_are_told_by_a_new_topic_alone_so_it_needs_its_key() -> None:
    with pytest.raises(ArgumentError, match=r"encryption_key_arn: received nothing.*tells oncall@example\.com"):
        recorded(encryption_key_arn=..., existing_topic_arns=TOPICS)


def test_a_topic_that_is_neither_new_nor_there_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"encryption_key_arn: received nothing.*or existing_topic_arns"):
        recorded(encryption_key_arn=..., emails=...)


def test_nobody_is_told_twice() -> None:
    with pytest.raises(ArgumentError, match=r"AlarmTopic one\.emails"):
        recorded(emails=[PEOPLE[0], PEOPLE[0]])


def test_the_key_admits_alarms_only_when_asked_and_only_this_regions() -> None:
    def services(**changed: Any) -> dict[str, dict[str, Any]]:
        return allowed(recorded(kind="DataKey", **changed).one("aws:kms/key:Key").inputs["policy"])

    assert services().keys().isdisjoint({"cloudwatch.amazonaws.com", "events.amazonaws.com"})
    found = services(for_alarms=True)
    assert found["cloudwatch.amazonaws.com"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
    }


def test_eventbridge_uses_the_key_for_topics_alone_without_conditions_that_would_stop_it() -> None:
    key = recorded(kind="DataKey", for_alarms=True).one("aws:kms/key:Key").inputs["policy"]
    topics = f"arn:aws:sns:{REGION}:{ACCOUNT}:*"
    assert allowed(key)["events.amazonaws.com"] == {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": topics}}
