"""Alarms reach people: what the settings demand, and that every alarm of both regions has a topic of its own region."""

from __future__ import annotations

from typing import Any

import pytest

from components.validation import ArgumentError
from interlock.rules import Problem
from policy.recording.monitor import Recording, record
from stacks.program import provision, read_settings
from tests.provisioned.projects import config_of
from tests.stacks.configurations import as_handed_over, local, prod, section

ACCOUNT, EVIDENCE = "123456789012", "210987654321"
PERSON = "oncall@example.com"
KEYS = {"": "platform", "ledger-": "ledger"}
"""By what the names of topics begin with, whose key they are under."""
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def topic(region: str, name: str = "pages") -> str:
    return f"arn:aws:sns:{region}:{ACCOUNT}:{name}"


HERE, THERE, NOWHERE = topic("eu-west-1"), topic("eu-central-1"), topic("us-east-1")
FIVE = [topic(region, f"pages-{number}") for region in ("eu-west-1", "eu-central-1") for number in range(5)]

WRONG: dict[str, tuple[dict[str, Any] | None, str, str, str]] = {
    "nobody told": (None, "alarms", "nothing", "in environment prod a section alarms"),
    "nobody in the section": ({}, "alarms", "{}", "emails, topic_arns or both"),
    "empty lists": ({"emails": [], "topic_arns": []}, "alarms", "[]", "emails, topic_arns or both"),
    "a name without an address": ({"emails": ["oncall"]}, "alarms.emails[0]", "'oncall'", "an e-mail address such as"),
    "one told twice": ({"emails": [PERSON, PERSON]}, "alarms.emails", PERSON, "each once"),
    "a queue": (
        {"topic_arns": [HERE, THERE.replace("sns", "sqs")]}, "alarms.topic_arns[1]", "sqs", "arn:aws:sns:",
    ),
    "a topic elsewhere": (
        {"emails": [PERSON], "topic_arns": [NOWHERE]},
        "alarms.topic_arns[0]", "us-east-1", "in eu-west-1 or eu-central-1",
    ),
    "a region that nobody hears": (
        {"topic_arns": [HERE]}, "alarms.topic_arns", "eu-west-1", "a topic in eu-central-1 too",
    ),
    "more topics than an alarm has actions": (
        {"emails": [PERSON], "topic_arns": FIVE}, "alarms.topic_arns", "5 topics in eu-west-1", "4 or fewer",
    ),
}  # fmt: skip


def refused(config: dict[str, str]) -> list[Problem]:
    with pytest.raises(ArgumentError) as caught:
        read_settings("one", config)
    return list(caught.value.problems)


@pytest.mark.parametrize("what", sorted(WRONG))
def test_prod_demands_somebody_who_is_told_in_both_regions(what: str) -> None:
    alarms, path, received, accepted = WRONG[what]
    found = [one for one in refused(prod(alarms=... if alarms is None else alarms)) if one.path == f"interlock:{path}"]
    assert any(received in one.received and accepted in one.accepted for one in found), found


@pytest.mark.parametrize(
    "alarms",
    [
        {"emails": [PERSON]},
        {"topic_arns": [HERE, THERE]},
        {"emails": [PERSON], "topic_arns": [HERE]},
        {"topic_arns": FIVE},
    ],
    ids=["people", "topics of both regions", "people and a topic of one region", "as many as an alarm takes"],
)
def test_prod_accepts_people_and_topics(alarms: dict[str, Any]) -> None:
    assert read_settings("one", prod(alarms=alarms)).alarms is not None


def test_a_foundation_alone_has_no_alarms_to_tell_of() -> None:
    foundation = dict.fromkeys(("alarms", "network", "tracking", "endpoints", "runner", "budget"), ...)
    assert read_settings("one", prod(layers=["foundation"], **foundation)).alarms is None


def prod_with(alarms: dict[str, Any] | None = None, *, preview: bool) -> Recording:
    changed: dict[str, Any] = {}
    if alarms is not None:
        ledgers = {**alarms, "topic_arns": [one.replace(ACCOUNT, EVIDENCE) for one in alarms["topic_arns"]]}
        ledger = config_of("prod")["interlock:ledger"] | {"alarms": ledgers}
        changed = {"interlock:alarms": alarms, "interlock:ledger": ledger}
    settings = as_handed_over(config_of("prod") | changed)
    return record(lambda: provision(settings), preview=preview, stack="prod")


@pytest.fixture(scope="module")
def lasting() -> Recording:
    return prod_with(preview=False)


def test_every_alarm_of_prod_tells_its_own_regions_topic_when_it_goes_off_and_when_it_is_over(
    lasting: Recording,
) -> None:
    alarms = lasting.of_type(ALARM)
    assert {"-recovery" in one.name for one in alarms} == {True, False}
    for alarm in alarms:
        name = "alarms-recovery-topic" if "-recovery" in alarm.name else "alarms-topic"
        name = f"ledger-{name}" if alarm.name.startswith("ledger-") else name
        told = lasting.one("aws:sns/topic:Topic", name)
        for actions in ("alarmActions", "okActions"):
            assert [arn.split(":")[5].startswith(f"{name}-") for arn in alarm.inputs[actions]] == [True], alarm.name
            assert told.urn in alarm.property_dependencies[actions], alarm.name


def test_the_topic_of_each_region_is_encrypted_with_that_regions_key_which_admits_alarms(lasting: Recording) -> None:
    whose = {f"{of}alarms{suffix}": f"{key}-key{suffix}" for suffix in ("", "-recovery") for of, key in KEYS.items()}
    for name, known in whose.items():
        topic_made = lasting.one("aws:sns/topic:Topic", f"{name}-topic")
        key = lasting.one("aws:kms/key:Key", f"{known}-key")
        assert key.urn in topic_made.property_dependencies["kmsMasterKeyId"]
        assert "cloudwatch.amazonaws.com" in key.inputs["policy"]


def test_the_people_of_the_settings_are_subscribed_in_both_regions(lasting: Recording) -> None:
    people = [one.inputs["endpoint"] for one in lasting.of_type("aws:sns/topicSubscription:TopicSubscription")]
    assert people == config_of("prod")["interlock:alarms"]["emails"] * 4, "of the platform and of the ledger"


def test_a_preview_of_prod_registers_what_its_up_registers(lasting: Recording) -> None:
    assert [one.urn for one in prod_with(preview=True).resources] == [one.urn for one in lasting.resources]


def test_topics_that_there_are_already_are_told_in_their_region_and_none_is_made() -> None:
    recording = prod_with({"topic_arns": [HERE, THERE]}, preview=True)
    assert recording.of_type("aws:sns/topicSubscription:TopicSubscription") == []
    topics = {one.name for one in recording.of_type("aws:sns/topic:Topic")}
    assert topics == {"budgets-topic", "emergency-topic"}, "of budgets and of break-glass, and none for alarms"
    for alarm in recording.of_type(ALARM):
        told = THERE if "-recovery" in alarm.name else HERE
        told = told.replace(ACCOUNT, EVIDENCE) if alarm.name.startswith("ledger-") else told
        assert alarm.inputs["alarmActions"] == [told], alarm.name


def test_without_the_section_alarms_tell_nobody_and_nothing_is_made_for_them() -> None:
    recording = record(lambda: provision(local()), preview=False, stack="local")
    assert recording.of_type("interlock:alarms:AlarmTopic") == []
    assert all("alarmActions" not in one.inputs for one in recording.of_type(ALARM))


KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CLUSTER = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/shared"
RUNNER = {"image": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/interlock/runner:0.1.0"}
IN_RECOVERY = {
    "keys": {"existing_recovery_data_key_arn": KEY.replace("west-1", "central-1")},
    "runner": {**RUNNER, "existing_recovery_cluster_arn": CLUSTER.replace("west-1", "central-1")},
}


def test_a_data_key_and_clusters_that_there_are_already_are_used() -> None:
    recording = record(
        lambda: provision(
            local(
                keys={"existing_data_key_arn": KEY},
                tracking=section("tracking", existing_cluster_arn=CLUSTER),
                runner={**RUNNER, "existing_cluster_arn": CLUSTER},
            )
        ),
        preview=False,
        stack="local",
    )
    assert recording.of_type("aws:ecs/cluster:Cluster") == []
    assert "platform-key-key" not in {one.name for one in recording.of_type("aws:kms/key:Key")}
    assert recording.one("aws:ecs/service:Service").inputs["cluster"] == CLUSTER
    assert recording.one("aws:dynamodb/table:Table").inputs["serverSideEncryption"]["kmsKeyArn"] == KEY


def test_those_of_the_recovery_region_are_used_there_and_the_primary_has_its_own() -> None:
    config = config_of("prod")
    settings = as_handed_over(config | {f"interlock:{name}": value for name, value in IN_RECOVERY.items()})
    recording = record(lambda: provision(settings), preview=True, stack="prod")
    assert {one.name for one in recording.of_type("aws:ecs/cluster:Cluster")} == {"tracking-cluster", "runner-cluster"}
    keys = {one.name for one in recording.of_type("aws:kms/key:Key")}
    assert "platform-key-key" in keys
    assert "platform-key-recovery-key" not in keys


MISPLACED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a data key of another region": (
        {"keys": {"existing_data_key_arn": KEY.replace("west-1", "central-1")}},
        "keys.existing_data_key_arn", f"one of account {ACCOUNT} in eu-west-1",
    ),
    "a cluster of another account": (
        {"tracking": section("tracking", existing_cluster_arn=CLUSTER.replace(ACCOUNT, "999988887777"))},
        "tracking.existing_cluster_arn", f"one of account {ACCOUNT} in eu-west-1",
    ),
    "a cluster's name": (
        {"runner": {**RUNNER, "existing_cluster_arn": "shared"}}, "runner.existing_cluster_arn", ":cluster/name",
    ),
    "a recovery key without a recovery": (
        {"keys": IN_RECOVERY["keys"]}, "keys.existing_recovery_data_key_arn", "unless there is a section recovery",
    ),
    "a recovery cluster without a recovery": (
        {"runner": IN_RECOVERY["runner"]}, "runner.existing_recovery_cluster_arn", "unless there is a section recovery",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(MISPLACED))
def test_what_there_is_already_has_to_be_where_it_is_used(what: str) -> None:
    changed, path, accepted = MISPLACED[what]
    found = [one for one in refused(local(**changed)) if one.path == f"interlock:{path}"]
    assert any(accepted in one.accepted for one in found), found
