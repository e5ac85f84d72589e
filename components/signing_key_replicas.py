"""The signing keys in another region: the same keys, each with a policy and an alias of its own there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NotRequired

import pulumi

from components import validation
from components.signing_key import DUTIES, HOLDER_RULES, KeyHolders, KeyOutputs, approver_key, by_holder, duty_key
from components.validation import checked


class SigningKeyReplicasArgs(KeyHolders):
    primary_key_arns: Mapping[str, pulumi.Input[str]]
    """By duty: the multi-Region key to replicate."""
    primary_approver_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """By the approver's name; each of them is in `approvers`."""
    existing_replica_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """By duty: a replica that there is already and that takes the place of a new one."""


class SigningKeyReplicas(pulumi.ComponentResource):
    """Replicas work when the primary's region does not, and sign with the same key material."""

    keys: KeyOutputs
    """By duty: `key_arn`, `key_id` and `alias`."""
    approver_keys: KeyOutputs
    """By the approver's name: the same, and `source_identity`."""

    def __init__(self, name: str, args: SigningKeyReplicasArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(SigningKeyReplicasArgs, f"SigningKeyReplicas {name}", args, _RULES)
        super().__init__("interlock:keys:SigningKeyReplicas", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        existing = args.get("existing_replica_arns", {})
        primaries = args["primary_key_arns"]
        self.keys = by_holder(
            {
                duty: duty_key(name, duty, args).adopt(existing[duty], inside)
                if duty in existing
                else duty_key(name, duty, args).replicate(primaries[duty], inside)
                for duty in DUTIES
                if duty in existing or duty in primaries
            }
        )
        self.approver_keys = by_holder(
            {
                person: approver_key(name, person, args).replicate(key_arn, inside)
                for person, key_arn in args.get("primary_approver_key_arns", {}).items()
            }
        )
        self.register_outputs({"keys": self.keys, "approverKeys": self.approver_keys})


_RULES: Final = {
    **HOLDER_RULES,
    "primary_key_arns": validation.mapping(DUTIES, validation.multi_region_key_arn),
    "primary_approver_key_arns": validation.any_of(validation.name, validation.multi_region_key_arn),
    "existing_replica_arns": validation.mapping(DUTIES, validation.multi_region_key_arn),
}
