"""Alarms that would reach nobody, or that AWS would not let publish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from interlock import rules
from interlock.rules import Problem, shown
from interlock.settings.contradictions.written import Check, Written, has_layer, is_of, text_at, value_at
from interlock.settings.section import PREFIX, Environment, Layer

MAXIMUM_TOPICS: Final = 5
"""Actions of an alarm for one state. Source: CloudWatch API Reference, PutMetricAlarm, AlarmActions."""


def _nobody_is_told(written: Written) -> Iterator[Problem]:
    alarms = written.get("alarms")
    if alarms is None:
        if is_of(written, Environment.PROD) and has_layer(written, Layer.PLATFORM):
            accepted = "in environment prod a section alarms, with the emails or topic_arns that are told of them"
            yield Problem(f"{PREFIX}alarms", "nothing", accepted)
    elif isinstance(alarms, Mapping) and not alarms.get("emails") and not alarms.get("topic_arns"):
        yield Problem(f"{PREFIX}alarms", shown(alarms), "emails, topic_arns or both")


def _topics_elsewhere(written: Written) -> Iterator[Problem]:
    regions = _regions(written)
    for position, arn in enumerate(_listed(written, "alarms.topic_arns")):
        if regions and rules.topic_arn.holds(arn) and _region_of(arn) not in regions:
            accepted = f"a topic in {' or '.join(regions)}: an alarm publishes in its own region alone"
            yield Problem(f"{PREFIX}alarms.topic_arns[{position}]", repr(arn), accepted)


def _unheard_or_crowded_region(written: Written) -> Iterator[Problem]:
    topics, emails = _listed(written, "alarms.topic_arns"), _listed(written, "alarms.emails")
    if not topics or not all(rules.topic_arn.holds(arn) for arn in topics):
        return
    most = MAXIMUM_TOPICS - (1 if emails else 0)
    for region in _regions(written):
        count = sum(_region_of(arn) == region for arn in topics)
        if count == 0 and not emails:
            accepted = f"a topic in {region} too, whose alarms reach nobody else, or emails"
            yield Problem(f"{PREFIX}alarms.topic_arns", shown(topics), accepted)
        if count > most:
            beside = ", beside the one that is made for emails" if emails else ""
            accepted = f"{most} or fewer topics in {region}{beside}: an alarm publishes to {MAXIMUM_TOPICS} at most"
            yield Problem(f"{PREFIX}alarms.topic_arns", f"{count} topics in {region}", accepted)


def _regions(written: Written) -> Sequence[str]:
    found = (text_at(written, "region"), text_at(written, "recovery.region"))
    return [one for one in found if one is not None and rules.region.holds(one)]


def _region_of(arn: str) -> str:
    return arn.split(":")[3]


def _listed(written: Written, path: str) -> Sequence[Any]:
    found = value_at(written, path)
    return found if isinstance(found, list) else []


CHECKS: Final[Sequence[Check]] = (_nobody_is_told, _topics_elsewhere, _unheard_or_crowded_region)
