"""One signing key with its alias, and its replica in another region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from interlock.duties.duty import SigningDuty
from interlock.duties.key_policy import approver_key_policy, signing_key_policy

KeyOutput = pulumi.Output[dict[str, str]]
"""`key_arn`, `key_id` and `alias`; of an approver's key also `source_identity`."""
KeyOutputs = pulumi.Output[dict[str, dict[str, str]]]

DUTIES: Final = tuple(duty.value for duty in SigningDuty)
APPROVER: Final = "approver"


class KeyHolders(TypedDict):
    """Who holds the keys of one region, and how they are named."""

    account_id: pulumi.Input[str]
    administrators: pulumi.Input[list[str]]
    """ARNs of the only principals who may disable, replicate or schedule to delete a key."""
    alias_prefix: pulumi.Input[str]
    """Aliases are `alias/<prefix>-<duty>` and `alias/<prefix>-approver-<name>`."""
    deletion_window_days: NotRequired[pulumi.Input[int]]
    """How long a deletion can still be called off; 30 unless given."""
    signers: NotRequired[Mapping[str, pulumi.Input[list[str]]]]
    """By duty: ARNs of the only principals who may sign. Where a duty has none, IAM policies decide."""
    roles: NotRequired[Mapping[str, pulumi.Input[list[str]]]]
    """By duty: ARNs of the duty's roles, which alone sign then, whatever `signers` says; `approver` is the people's."""
    approvers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """By the approver's name: the source identity that alone signs with their key."""
    shared_with: NotRequired[pulumi.Input[list[str]]]
    """Ids of other accounts whose principals verify, and sign where their IAM policies and the key's let them."""


HOLDER_RULES: Final = {
    "account_id": validation.account_id,
    "administrators": validation.some(validation.iam_principal),
    "alias_prefix": validation.alias,
    "deletion_window_days": validation.integer(7, 30, "days"),
    "signers": validation.mapping(DUTIES, validation.some(validation.iam_principal)),
    "roles": validation.mapping((*DUTIES, APPROVER), validation.some(validation.role_arn)),
    "approvers": validation.any_of(validation.name, validation.source_identity),
    "shared_with": validation.some(validation.account_id, at_least=0),
}


@dataclass(frozen=True)
class SigningKeyPlan:
    """What one signing key is to be, in whichever region."""

    name: str
    """Of the resources."""
    description: str
    alias: pulumi.Output[str]
    policy: pulumi.Output[str]
    deletion_window_days: pulumi.Input[int]
    details: Mapping[str, pulumi.Input[str]]
    """What the output says of the key beside its names."""

    def create(self, *, multi_region: bool, opts: pulumi.ResourceOptions) -> KeyOutput:
        """Register a new key: ECC P-256, for signatures alone."""
        key = aws.kms.Key(
            self.name,
            description=self.description,
            customer_master_key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY",
            # Left out and not false where it is not wanted: a key that was made without it is not to change.
            multi_region=True if multi_region else None,
            deletion_window_in_days=self.deletion_window_days,
            policy=self.policy,
            opts=opts,
        )
        return self._named(key.arn, key.key_id, opts)

    def replicate(self, primary_key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions) -> KeyOutput:
        """Register the replica of a multi-Region key: the same key under an ARN of another region."""
        replica = aws.kms.ReplicaKey(
            self.name,
            primary_key_arn=primary_key_arn,
            description=self.description,
            deletion_window_in_days=self.deletion_window_days,
            policy=self.policy,
            opts=opts,
        )
        return self._named(replica.arn, replica.key_id, opts)

    def adopt(self, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions) -> KeyOutput:
        """Give a key that there is already its alias; its policy stays as it is."""
        arn = pulumi.Output.from_input(key_arn)
        return self._named(arn, arn.apply(lambda known: known.rpartition("/")[2]), opts)

    def _named(
        self, key_arn: pulumi.Output[str], key_id: pulumi.Output[str], opts: pulumi.ResourceOptions
    ) -> KeyOutput:
        alias = aws.kms.Alias(f"{self.name}-alias", name=self.alias, target_key_id=key_id, opts=opts)
        return pulumi.Output.all(key_arn=key_arn, key_id=key_id, alias=alias.name, **self.details)


def by_holder(keys: Mapping[str, KeyOutput]) -> KeyOutputs:
    """Return keys by duty or person as one output, of nothing too: `Output.all` of nothing is a list."""
    return pulumi.Output.all(**keys) if keys else pulumi.Output.from_input({})


def duty_key(component: str, duty: str, holders: KeyHolders) -> SigningKeyPlan:
    """Return the plan of a duty's key, as a child of `component`."""
    return _plan(
        f"{component}-{duty}",
        f"Signs as {duty}",
        duty,
        holders,
        _policy(holders, holders.get("signers", {}).get(duty, []), duty, signing_key_policy),
        {},
    )


def approver_key(component: str, person: str, holders: KeyHolders) -> SigningKeyPlan:
    """Return the plan of one person's key, as a child of `component`."""
    identity = holders["approvers"][person]
    return _plan(
        f"{component}-approver-{person}",
        f"Approves as {person}",
        f"approver-{person}",
        holders,
        _policy(holders, identity, APPROVER, approver_key_policy),
        {"source_identity": identity},
    )


def _plan(
    name: str,
    description: str,
    alias: str,
    holders: KeyHolders,
    policy: pulumi.Output[str],
    details: Mapping[str, pulumi.Input[str]],
) -> SigningKeyPlan:
    return SigningKeyPlan(
        name=name,
        description=description,
        alias=pulumi.Output.concat("alias/", holders["alias_prefix"], f"-{alias}"),
        policy=policy,
        deletion_window_days=holders.get("deletion_window_days", 30),
        details=details,
    )


def _policy(holders: KeyHolders, who: Any, duty: str, policy: Any) -> pulumi.Output[str]:
    known = pulumi.Output.all(
        holders["account_id"],
        holders["administrators"],
        who,
        holders.get("shared_with", []),
        holders.get("roles", {}).get(duty, []),
    )
    return known.apply(lambda of: str(policy(*of)))
