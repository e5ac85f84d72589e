"""Settings of who is told when an alarm goes off."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from interlock import rules
from interlock.settings.refusals import Must, refuse
from interlock.settings.section import Means, Section


class AlarmSettings(Section):
    """Where the alarms of both regions publish: at `emails`, at topics that there are already, or at both."""

    emails: Annotated[list[Annotated[str, Must(rules.email)]], Means("who is told of alarms by e-mail")] = Field(
        default_factory=list
    )
    """Subscribed to a topic that is made in each region; each confirms what AWS then sends."""
    topic_arns: Annotated[
        list[Annotated[str, Must(rules.topic_arn)]], Means("topics that were there already and are told of alarms")
    ] = Field(default_factory=list)
    """An alarm publishes in its own region, so each region takes those that are in it."""

    @field_validator("emails", "topic_arns")
    @classmethod
    def _distinct(cls, values: list[str]) -> list[str]:
        if len(set(values)) != len(values):
            refuse("each once")
        return values

    def topics_in(self, region: str) -> list[str]:
        """Return the ARNs of the topics of `region` that there are already."""
        return [arn for arn in self.topic_arns if arn.split(":")[3] == region]
