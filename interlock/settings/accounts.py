"""Accounts, regions and people: where a stack's parts live, and who approves."""

from __future__ import annotations

from typing import Annotated

from interlock import rules
from interlock.settings.network import NetworkSettings
from interlock.settings.refusals import Must
from interlock.settings.section import AccountId, Means, Region, RoleArn, Section


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
    multi_region: Annotated[bool | None, Means("signing keys have replicas in the recovery region")] = None
    """Whether signing keys are multi-Region keys; with a section `recovery` they are, without it not, unless given.

    AWS fixes it when a key is made. A stack whose keys were made without a recovery region says `false` when it
    gets one: its keys stay the ones that signed what is in the vault.
    """


class ApproverSettings(Section):
    """A person who approves, with a key that nobody else signs with."""

    name: Annotated[str, Must(rules.name), Means("the approver's name in key and alias")]
    source_identity: Annotated[
        str, Must(rules.source_identity), Means("the source identity that the approver's sessions carry")
    ]
