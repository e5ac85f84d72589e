"""The duties' roles in the accounts of a foundation, and what holds the roles that the program makes for services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.duty_roles import DutyRoles, DutyRolesArgs
from components.emergency_alarm import EmergencyAlarm
from interlock.duties.boundaries import Boundary, boundary_arn
from interlock.duties.duty import Role, SigningDuty
from interlock.duties.landscape import Landscape
from interlock.duties.matrix import MATRIX
from interlock.duties.prefixes import LOCKERS, STAGED_WRITERS, WRITERS
from interlock.duties.rights import Account
from interlock.settings.duties import DutySettings
from interlock.settings.model import Settings
from stacks.places import Place, Places

ROLE_TYPE = "aws:iam/role:Role"


@dataclass(frozen=True)
class Bounds:
    """The boundary of services' roles in one account."""

    boundary_arn: pulumi.Input[str | None]
    made: Sequence[pulumi.Resource]
    """What has to be there before a role is in it."""

    def options(self, *, path: str | None = None) -> pulumi.ResourceOptions:
        """Return options with which every role is made inside of the boundary, and under `path` if one is given.

        Nothing that makes a role can forget it: AWS would refuse the platform any other.
        """

        def bound(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
            if args.type_ != ROLE_TYPE or args.props.get("permissions_boundary") is not None:
                return None
            known = pulumi.Output.from_input(self.boundary_arn)
            held: dict[str, Any] = {"permissions_boundary": self.boundary_arn}
            if path is not None:
                held["path"] = (
                    path if isinstance(self.boundary_arn, str) else known.apply(lambda arn: path if arn else "/")
                )
            after = pulumi.ResourceOptions(depends_on=list(self.made))
            return pulumi.ResourceTransformationResult(
                props={**args.props, **held}, opts=pulumi.ResourceOptions.merge(args.opts, after)
            )

        return pulumi.ResourceOptions(transformations=[bound])


@dataclass(frozen=True)
class Duties:
    """What a foundation knows of its duties before any of their roles is made."""

    settings: Settings
    chosen: DutySettings
    stack: str
    places: Places

    @property
    def _names(self) -> Landscape:
        """Names alone: buckets have no part in them."""
        return Landscape(
            stack=self.stack,
            platform_stack=self.chosen.platform_stack or "",
            workload=self.places.workload.account_id,
            evidence=self.places.evidence.account_id,
            audit=self.places.audit.account_id,
            regions=(self.places.workload.region,),
            vaults=(),
            staging=(),
            endpoints=(),
            tables=(),
        )

    def role_arns(self, *roles: Role) -> list[str]:
        """Return the ARNs of duties' roles, in each account that has them."""
        names = self._names
        return [names.role_arn(one, home) for one in roles for home in names.homes_of(one, MATRIX[one].home)]

    def signing_roles(self) -> dict[str, list[str]]:
        """Return by signing duty the ARNs of the roles that sign with its key; `approver` is the people's own keys."""
        keys = {*(duty.value for duty in SigningDuty), "approver-*"}
        return {
            "approver" if key == "approver-*" else key: self.role_arns(
                *(role for role, row in MATRIX.items() if row.signs_with == key)
            )
            for key in sorted(keys)
        }

    def writers(self) -> dict[str, list[str]]:
        """Return by prefix of the vault the ARNs of the roles that add under it."""
        return {prefix: self.role_arns(*roles) for prefix, roles in WRITERS.items()}

    def lockers(self) -> list[str]:
        """Return the ARNs of the roles that lock for longer what lies in the vault."""
        return self.role_arns(*LOCKERS)

    def staged_writers(self) -> dict[str, list[str]]:
        """Return by prefix of a staging bucket the ARNs of the roles that write under it."""
        return {prefix: self.role_arns(*roles) for prefix, roles in STAGED_WRITERS.items()}

    def service_boundary_arn(self, home: Account) -> str:
        """Return the ARN of the boundary of services' roles in one account."""
        return boundary_arn(Boundary.SERVICE, self._names, home)

    def provision(
        self, vaults: Sequence[pulumi.Input[str]], staging: Sequence[pulumi.Input[str]]
    ) -> Mapping[Account, DutyRoles]:
        """Provision the roles and boundaries of each account, and the alarm of break-glass."""
        workload, evidence = self.places.workload, self.places.evidence
        here = {Account.WORKLOAD: self._roles("duties", Account.WORKLOAD, workload, vaults, staging)}
        if workload.account_id != evidence.account_id:
            here[Account.EVIDENCE] = self._roles("duties-evidence", Account.EVIDENCE, evidence, vaults, staging)
        EmergencyAlarm(
            "emergency",
            {
                "stack": self.stack,
                "role_arn": self.role_arns(Role.BREAK_GLASS)[0],
                "emails": self.chosen.alarm_emails,
            },
            self._options(workload),
        )
        return here

    def _roles(
        self,
        name: str,
        home: Account,
        place: Place,
        vaults: Sequence[pulumi.Input[str]],
        staging: Sequence[pulumi.Input[str]],
    ) -> DutyRoles:
        settings, names = self.settings, self._names
        tables = settings.live_state
        chosen_tables = [one.table_name for one in (tables.primary, tables.recovery)]
        args: DutyRolesArgs = {
            "stack": self.stack,
            "platform_stack": names.platform,
            "home": home.value,
            "workload_account_id": names.workload,
            "evidence_account_id": names.evidence,
            "audit_account_id": names.audit,
            "regions": [settings.region, *([settings.recovery.region] if settings.recovery else [])],
            "vault_bucket_names": vaults,
            "staging_bucket_names": staging,
            "assignments": self.chosen.assignments(),
            "endpoint_names": [f"{names.platform_prefix}-{one.name}" for one in settings.endpoints],
        }
        if all(chosen_tables):
            args["table_names"] = [one for one in chosen_tables if one is not None]
        return DutyRoles(name, args, self._options(place))

    def _options(self, place: Place) -> pulumi.ResourceOptions:
        return place.options(protect=not self.settings.disposable)
