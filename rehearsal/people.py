"""The people of stack local, come in as IAM users, and sessions of the roles that their duties give them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.credentials import RefreshableCredentials

from interlock.duties.duty import Role
from interlock.duties.landscape import Landscape
from interlock.duties.matrix import MATRIX
from interlock.duties.people import Assignments, Person
from interlock.duties.rights import Account, Bearer
from interlock.settings.files import stack_file
from interlock.settings.model import Settings
from interlock.settings.reading import read_settings
from rehearsal.boto_session import boto_session
from rehearsal.coming import AnyEntrance, Entrance, NotTheirs, ServiceEntrance, TokenEntrance
from rehearsal.layers import FOUNDATION
from rehearsal.totp import STEP_SECONDS, code_at


class Cloud(Protocol):
    """What people need of a session."""

    @property
    def environment(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Belongings:
    """A user's access key and second factor."""

    access_key_id: str
    secret_access_key: str
    device: str
    """Serial number of their virtual MFA device."""
    seed: str
    """Of the device, in base 32."""


class People:
    """Everybody to whom the settings of a foundation give a duty, and what services run as."""

    def __init__(self, cloud: Cloud, checkout: Path, used: Callable[[str], None] = lambda _: None) -> None:
        """`used` is told the ARN of each role that a session is asked for."""
        self._used = used
        self._cloud = cloud
        self._checkout = checkout
        self._belongings: dict[str, Belongings] = {}
        self._sessions: dict[tuple[str, str, str | None], boto3.Session] = {}
        self._lock = threading.Lock()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the foundation."""
        return read_settings(FOUNDATION, stack_file(FOUNDATION, self._checkout).config)

    @cached_property
    def assignments(self) -> Assignments:
        """Who has which duty."""
        assert self.settings.duties is not None
        return self.settings.duties.assignments()

    @cached_property
    def names(self) -> Landscape:
        """Where the roles are."""
        settings = self.settings
        evidence, audit = settings.accounts.evidence, settings.accounts.audit
        return Landscape(
            stack=settings.named_after(FOUNDATION),
            workload=settings.account_id,
            evidence=evidence.account_id if evidence else settings.account_id,
            audit=audit.account_id if audit else settings.account_id,
            regions=(settings.region,),
            vaults=(),
            staging=(),
            endpoints=(),
            tables=(),
        )

    def role_arn(self, role: Role) -> str:
        """Return the ARN of a role, where people come in first."""
        home = Account.WORKLOAD if role is Role.FOUNDATION else MATRIX[role].home
        return self.names.role_arn(role, home)

    def arrive(self) -> list[str]:
        """Make each person's user, as the workload account's administrator; return their names.

        A user may do nothing but assume the roles of their duties under their own name.
        """
        iam = boto_session().client("iam")
        for person in self.assignments.people:
            name = user_name(person)
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="duties", PolicyDocument=self._policy_of(person))
            self._belongings[person.name] = self._equip(iam, name)
        return [one.name for one in self.assignments.people]

    def _equip(self, iam: Any, name: str) -> Belongings:
        key = iam.create_access_key(UserName=name)["AccessKey"]
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
        seed = device["Base32StringSeed"].decode()
        now = datetime.now(UTC)
        # Two codes in a row, which tell that the device's clock is right.
        codes = [code_at(seed, now - timedelta(seconds=STEP_SECONDS)), code_at(seed, now)]
        iam.enable_mfa_device(
            UserName=name,
            SerialNumber=device["SerialNumber"],
            AuthenticationCode1=codes[0],
            AuthenticationCode2=codes[1],
        )
        return Belongings(key["AccessKeyId"], key["SecretAccessKey"], device["SerialNumber"], seed)

    def _policy_of(self, person: Person) -> str:
        statement = {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            "Resource": sorted(self.role_arn(Role(duty.value)) for duty in person.duties),
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def user(self, name: str) -> boto3.Session:
        """Return a session of a person's own user, who has no role yet."""
        own = self._belongings[name]
        key = {"aws_access_key_id": own.access_key_id, "aws_secret_access_key": own.secret_access_key}
        return boto_session(key, self.settings.region)

    def named(self, name: str) -> Person:
        """Return a person. Raises NotTheirs for a stranger."""
        for one in self.assignments.people:
            if one.name == name:
                return one
        raise NotTheirs(f"{name} has no duty")

    def entrance(self, role: Role, person: str) -> Entrance:
        """Return a person's way into a role. Raises NotTheirs."""
        identity, own = self.named(person).source_identity, self._belongings[person]
        return Entrance(
            role_arn=self.role_arn(role),
            source_identity=identity,
            access_key_id=own.access_key_id,
            secret_access_key=own.secret_access_key,
            device=own.device,
            seed=own.seed,
        )

    def entrances(self) -> dict[str, AnyEntrance]:
        """Return everybody's ways in by the names of their profiles.

        A person's is their name, with the duty if they have more than one; a pipeline's and a service's is their role.
        """
        people = {
            person.name if len(person.duties) == 1 else f"{person.name}-{duty.value}": self.entrance(
                Role(duty.value), person.name
            )
            for person in self.assignments.people
            for duty in person.duties
        }
        others = [role for role, row in MATRIX.items() if row.bearer is not Bearer.PEOPLE and self._is_borne(role)]
        return {**people, **{role.value: self._way(role, self.bearer(role)) for role in others}}

    def _is_borne(self, role: Role) -> bool:
        return MATRIX[role].bearer is Bearer.SERVICE or bool(self.assignments.pipelines_of(MATRIX[role].duty))

    def _way(self, role: Role, who: str) -> AnyEntrance:
        row = MATRIX[role]
        if row.bearer is Bearer.PEOPLE:
            return self.entrance(role, who)
        if row.bearer is Bearer.SERVICE:
            return ServiceEntrance(self.role_arn(role), who, str(row.service))
        pipeline = next(one for one in self.assignments.pipelines if one.name == who)
        return TokenEntrance(
            self.role_arn(role), who, f"https://{pipeline.issuer}", pipeline.audience, pipeline.subjects[0]
        )

    def as_(self, role: Role, person: str | None = None, region: str | None = None) -> boto3.Session:
        """Return a session of a role, good for as long as the story takes.

        A person's is `person`'s, or the first's who has the duty; a service's is what AWS gives the service. Raises
        NotTheirs.
        """
        who = self.bearer(role, person)
        self._used(self.role_arn(role))
        with self._lock:
            known = self._sessions.get((role.value, who, region))
            if known is None:
                known = self._sessions[role.value, who, region] = self._session(role, who, region)
            return known

    def environment(self, role: Role, person: str | None = None) -> dict[str, str]:
        """Return the cloud's environment for a process that runs under a role, for an hour."""
        credentials = self.as_(role, person).get_credentials()
        assert credentials is not None
        frozen = credentials.get_frozen_credentials()
        return {
            **self._cloud.environment,
            "AWS_ACCESS_KEY_ID": str(frozen.access_key),
            "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key),
            "AWS_SESSION_TOKEN": str(frozen.token),
        }

    def bearer(self, role: Role, person: str | None = None) -> str:
        """Return who comes as a role: `person`, or the first who has the duty. Raises NotTheirs."""
        if person is not None:
            return person
        row = MATRIX[role]
        if row.bearer is Bearer.SERVICE:
            return f"{role.value}-service"
        borne = self.assignments.people_of(row.duty) if row.bearer is Bearer.PEOPLE else []
        pipelines = self.assignments.pipelines_of(row.duty)
        if not borne and not pipelines:
            raise NotTheirs(f"nobody has the duty {row.duty.value}")
        return borne[0].name if borne else pipelines[0].name

    def _session(self, role: Role, who: str, region: str | None) -> boto3.Session:
        def fresh() -> dict[str, str]:
            given = self._way(role, who).come()
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        credentials = RefreshableCredentials.create_from_metadata(
            metadata=fresh(), refresh_using=fresh, method="sts-assume-role"
        )
        return boto_session(credentials, region_name=region or self.settings.region)


def user_name(person: Person) -> str:
    """Return the name of a person's IAM user."""
    return person.principal.rpartition("/")[2]
