"""The duties' and approvers' signing keys: who did something is told by which key signed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NotRequired

import pulumi

from components import validation
from components.data_key import DataKey, DataKeyArgs
from components.signing_key import DUTIES, HOLDER_RULES, KeyHolders, KeyOutputs, approver_key, by_holder, duty_key
from components.validation import checked


class SigningKeysArgs(KeyHolders):
    region: pulumi.Input[str]
    multi_region: NotRequired[bool]
    """Whether signing keys can have replicas; false unless given.

    AWS fixes it when a key is made: changing it for keys that there are would replace them.
    """
    existing_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """By duty: a key that there is already and that takes the place of a new one."""
    existing_evidence_key_arn: NotRequired[pulumi.Input[str]]
    """The same for the key that encrypts the vault."""


class SigningKeys(pulumi.ComponentResource):
    """One ECC P-256 key a duty and an approver, and the key that encrypts what they sign.

    The latter's alias is `alias/<prefix>-evidence`.
    """

    keys: KeyOutputs
    """By duty: `key_arn`, `key_id` and `alias`."""
    approver_keys: KeyOutputs
    """By the approver's name: the same, and `source_identity`."""
    evidence_key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: SigningKeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(SigningKeysArgs, f"SigningKeys {name}", args, _RULES)
        super().__init__("interlock:keys:SigningKeys", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        existing = args.get("existing_key_arns", {})
        multi_region = args.get("multi_region", False)
        self.keys = by_holder(
            {
                duty: duty_key(name, duty, args).adopt(existing[duty], inside)
                if duty in existing
                else duty_key(name, duty, args).create(multi_region=multi_region, opts=inside)
                for duty in DUTIES
            }
        )
        self.approver_keys = by_holder(
            {
                person: approver_key(name, person, args).create(multi_region=multi_region, opts=inside)
                for person in args.get("approvers", {})
            }
        )
        self.evidence_key_arn = self._evidence_key(name, args).key_arn
        self.register_outputs(
            {"keys": self.keys, "approverKeys": self.approver_keys, "evidenceKeyArn": self.evidence_key_arn}
        )

    def _evidence_key(self, name: str, args: SigningKeysArgs) -> DataKey:
        of_key: DataKeyArgs = {
            "account_id": args["account_id"],
            "region": args["region"],
            "administrators": args["administrators"],
            "alias": pulumi.Output.concat(args["alias_prefix"], "-evidence"),
            "deletion_window_days": args.get("deletion_window_days", 30),
            "shared_with": args.get("shared_with", []),
        }
        if "existing_evidence_key_arn" in args:
            of_key["existing_key_arn"] = args["existing_evidence_key_arn"]
        return DataKey(f"{name}-evidence", of_key, pulumi.ResourceOptions(parent=self))


_RULES: Final = {
    **HOLDER_RULES,
    "region": validation.region,
    "multi_region": validation.boolean,
    "existing_key_arns": validation.mapping(DUTIES, validation.key_arn),
    "existing_evidence_key_arn": validation.key_arn,
}
