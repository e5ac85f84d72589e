"""Settings of who has which duty."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from interlock import rules
from interlock.duties.duty import Duty
from interlock.duties.people import PEOPLES_DUTIES, PIPELINES_DUTIES, Assignments, Person, Pipeline
from interlock.settings.refusals import Must, refuse
from interlock.settings.section import Flag, Means, Section

PROVIDERS_ROLE = rules.text(
    r"arn:aws[a-z-]*:iam::\d{12}:role/aws-reserved/sso\.amazonaws\.com/[\w./+=,@-]+",
    "the ARN of a role of IAM Identity Center, such as "
    "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Name_0123456789abcdef",
)
USER = rules.text(
    r"arn:aws[a-z-]*:iam::\d{12}:user/[\w+=,.@/-]+",
    "the ARN of an IAM user of one person, such as arn:aws:iam::111122223333:user/approver-1",
)
USER_NAME = rules.text(r"[\w+=,.@-]{2,64}", "2 to 64 letters, digits and _+=,.@-, without * or ?")
SUBJECT = rules.text(
    r"repo:[\w.-]+/[\w.-]+:(ref:refs/(heads|tags)/[\w./-]+|environment:[\w.-]+)",
    "one ref or environment of one repository, such as repo:owner/name:ref:refs/heads/main",
)


class SingleSignOnSettings(Section):
    role_arn: Annotated[str, Must(PROVIDERS_ROLE), Means("the role that IAM Identity Center gives them")]
    user_name: Annotated[str, Must(USER_NAME), Means("what IAM Identity Center calls them")]


class PersonSettings(Section):
    """Somebody with duties."""

    name: Annotated[str, Must(rules.name), Means("the person's name")]
    source_identity: Annotated[str, Must(rules.source_identity), Means("the source identity that their sessions carry")]
    duties: Annotated[list[Duty], Means("what they answer for")] = Field(min_length=1)
    user_arn: Annotated[Annotated[str, Must(USER)] | None, Means("the IAM user that they are")] = None
    single_sign_on: Annotated[SingleSignOnSettings | None, Means("they come by IAM Identity Center")] = None
    """One of the two."""

    @field_validator("duties")
    @classmethod
    def _a_persons(cls, duties: list[Duty]) -> list[Duty]:
        if any(one not in PEOPLES_DUTIES for one in duties):
            refuse("duties of people: " + ", ".join(PEOPLES_DUTIES))
        if len(set(duties)) != len(duties):
            refuse("each duty once")
        return duties

    def person(self) -> Person:
        """Return the person as the duties know them."""
        way = self.single_sign_on
        principal = way.role_arn if way else self.user_arn
        assert principal is not None
        return Person(self.name, self.source_identity, tuple(self.duties), principal, way.user_name if way else None)


class PipelineSettings(Section):
    """Workflows that take on a duty with a token of GitHub."""

    name: Annotated[str, Must(rules.name), Means("what their sessions are called")]
    duty: Annotated[Duty, Means("the duty that they take on")]
    subjects: Annotated[
        list[Annotated[str, Must(SUBJECT)]], Must(rules.some(SUBJECT)), Means("the refs that they run on")
    ]

    @field_validator("duty")
    @classmethod
    def _a_pipelines(cls, duty: Duty, info: ValidationInfo) -> Duty:
        if duty not in PIPELINES_DUTIES:
            refuse(f"for pipeline {info.data.get('name')} one of {', '.join(PIPELINES_DUTIES)}")
        return duty

    def pipeline(self) -> Pipeline:
        """Return the pipeline as the duties know it."""
        return Pipeline(self.name, self.duty, tuple(self.subjects))


class DutySettings(Section):
    foundation_threshold: Annotated[
        int, Must(rules.integer(1, 9, "people")), Means("people of the foundation that it takes to change the trust")
    ] = 2
    platform_stack: Annotated[
        Annotated[str, Must(rules.name)] | None, Means("the stack whose layer platform the duties are about")
    ] = None
    """The stack itself unless given."""
    alarm_emails: Annotated[
        list[Annotated[str, Must(rules.email)]], Must(rules.at_most(10)), Means("who is told of an emergency by e-mail")
    ] = Field(default_factory=list)
    bind: Annotated[Flag, Means("keys and vault obey the duties' roles alone")] = True
    """Whether a signing key is used, and the vault written to, by the duties' roles and by nobody else.

    A stack that has callers already makes the roles first, moves its callers to them, and binds then.
    """
    people: Annotated[list[PersonSettings], Means("somebody has duties")] = Field(default_factory=list)
    pipelines: Annotated[list[PipelineSettings], Means("workflows take on a duty")] = Field(default_factory=list)

    def assignments(self) -> Assignments:
        """Return who has which duty."""
        return Assignments(
            tuple(one.person() for one in self.people),
            tuple(one.pipeline() for one in self.pipelines),
            self.foundation_threshold,
        )
