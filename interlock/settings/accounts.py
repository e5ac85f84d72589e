"""Accounts, regions and people: where a stack's parts live, and who approves."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from interlock import rules
from interlock.duties.duty import SigningDuty
from interlock.settings.network import NetworkSettings
from interlock.settings.refusals import Must
from interlock.settings.section import AccountId, Flag, Means, Principals, Region, RoleArn, Section

KeyArn = Annotated[str, Must(rules.key_arn)]
MultiRegionKeyArn = Annotated[str, Must(rules.multi_region_key_arn)]
RepositoryName = Annotated[str, Must(rules.repository_name)]


class ImageUse(StrEnum):
    """What there are images for."""

    MLFLOW = "mlflow"
    SERVING = "serving"
    RUNNER = "runner"
    ROTATION = "rotation"
    CONTROLLER = "controller"
    LEDGER = "ledger"


class AccountSettings(Section):
    """An account beside the workload's."""

    account_id: Annotated[AccountId, Means("the account itself")]
    role_arn: Annotated[RoleArn | None, Means("the role that `pulumi up` assumes in it")] = None
    """Needed unless the credentials of `pulumi up` are the account's own."""


class AccountsSettings(Section):
    """The accounts of the evidence and of the audit; the workload account is both unless given."""

    evidence: Annotated[AccountSettings | None, Means("keys, vault and images lie in an account of their own")] = None
    audit: Annotated[AccountSettings | None, Means("auditors have an account of their own")] = None


class RecoverySettings(Section):
    """The second region, where a standby of everything waits.

    Signing keys become multi-Region keys with it. AWS fixes that when a key is made, so a stack that has keys
    already keeps them as they are; see `keys.multi_region`.
    """

    region: Annotated[Region, Means("the region of the standby")]
    network: Annotated[NetworkSettings | None, Means("the recovery region has a network")] = None


class KeySettings(Section):
    multi_region: Annotated[Flag | None, Means("signing keys have replicas in the recovery region")] = None
    """Whether signing keys are multi-Region keys; with a section `recovery` they are, without it not, unless given.

    AWS fixes it when a key is made. A stack whose keys were made without a recovery region says `false` when it
    gets one: its keys stay the ones that signed what is in the vault.
    """
    existing_key_arns: Annotated[dict[SigningDuty, KeyArn], Means("a duty's key is one that was there already")] = (
        Field(default_factory=dict)
    )
    existing_replica_arns: Annotated[
        dict[SigningDuty, MultiRegionKeyArn], Means("the replica of a duty's key is one that was there already")
    ] = Field(default_factory=dict)
    existing_evidence_key_arn: Annotated[
        KeyArn | None, Means("the key that encrypts the vault, which was there already")
    ] = None
    existing_data_key_arn: Annotated[
        KeyArn | None, Means("the key that encrypts the platform's data, which was there already")
    ] = None
    """Its own policy admits the workload account, CloudWatch Logs, and what publishes for `alarms` and `budget`."""
    existing_recovery_data_key_arn: Annotated[
        KeyArn | None, Means("the key that encrypts the recovery region's data, which was there already")
    ] = None


class ImageSettings(Section):
    """Repositories of the images that may run."""

    untagged_days: Annotated[
        int, Must(rules.integer(1, 3650, "days")), Means("days after which an image without a tag goes")
    ] = 14
    publishers: Annotated[Principals | None, Means("pushing images is left to named principals")] = None
    replicated_by: Annotated[
        Annotated[str, Must(rules.name)] | None, Means("another stack has the images copied to the recovery region")
    ] = None
    """The stack that owns the registry's replication, where several share an evidence account; this one unless given.

    AWS has one replication configuration an account and region, so one stack writes it for all.
    """
    replicates: Annotated[
        list[Annotated[str, Must(rules.name)]], Means("other stacks' images are copied by this one")
    ] = Field(default_factory=list)
    """The stacks of the same evidence account whose `replicated_by` names this one."""
    existing_repository_names: Annotated[
        dict[ImageUse, RepositoryName], Means("an image's repository is one that was there already")
    ] = Field(default_factory=dict)


class ApproverSettings(Section):
    """A person who approves, with a key that nobody else signs with."""

    name: Annotated[str, Must(rules.name), Means("the approver's name in key and alias")]
    source_identity: Annotated[
        str, Must(rules.source_identity), Means("the source identity that the approver's sessions carry")
    ]
