"""The duties' signing keys: who did something is told by which of them signed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.data_key import DataKey
from components.validation import checked
from interlock.duties.duty import SigningDuty
from interlock.duties.key_policy import signing_key_policy


class SigningKeysArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    administrators: pulumi.Input[list[str]]
    """ARNs (patterns with * allowed) of the only principals who may disable a key or schedule its deletion."""
    alias_prefix: pulumi.Input[str]
    """Aliases are `alias/<prefix>-<duty>`, and `alias/<prefix>-evidence` of the key that encrypts the vault."""
    deletion_window_days: NotRequired[pulumi.Input[int]]
    """How long a deletion can still be called off; 30 unless given."""
    signers: NotRequired[Mapping[str, pulumi.Input[list[str]]]]
    """By duty: ARNs of the only principals who may sign. Where a duty has none, the account's IAM policies decide."""
    existing_key_arns: NotRequired[Mapping[str, pulumi.Input[str]]]
    """By duty: a key that there is already and that takes the place of a new one."""


class SigningKeys(pulumi.ComponentResource):
    """One ECC P-256 key a duty, and the key that encrypts what they sign."""

    keys: pulumi.Output[dict[str, dict[str, str]]]
    """By duty: `key_arn`, `key_id` and `alias`."""
    evidence_key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: SigningKeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(SigningKeysArgs, f"SigningKeys {name}", args, _RULES)
        super().__init__("interlock:keys:SigningKeys", name, {}, opts)

        self.keys = pulumi.Output.all(**{duty.value: self._key(name, duty, args) for duty in SigningDuty})
        evidence = DataKey(
            f"{name}-evidence",
            {
                "account_id": args["account_id"],
                "region": args["region"],
                "administrators": args["administrators"],
                "alias": pulumi.Output.concat(args["alias_prefix"], "-evidence"),
                "deletion_window_days": args.get("deletion_window_days", 30),
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.evidence_key_arn = evidence.key_arn
        self.register_outputs({"keys": self.keys, "evidenceKeyArn": self.evidence_key_arn})

    def _key(self, name: str, duty: SigningDuty, args: SigningKeysArgs) -> pulumi.Output[dict[str, Any]]:
        inside = pulumi.ResourceOptions(parent=self)
        existing = args.get("existing_key_arns", {}).get(duty.value)
        if existing is not None:
            key_arn = pulumi.Output.from_input(existing)
            key_id = key_arn.apply(lambda arn: arn.rpartition("/")[2])
        else:
            signers = args.get("signers", {}).get(duty.value, [])
            key = aws.kms.Key(
                f"{name}-{duty.value}",
                description=f"Signs as {duty.value}",
                customer_master_key_spec="ECC_NIST_P256",
                key_usage="SIGN_VERIFY",
                deletion_window_in_days=args.get("deletion_window_days", 30),
                policy=pulumi.Output.all(args["account_id"], args["administrators"], signers).apply(
                    lambda known: signing_key_policy(known[0], known[1], known[2])
                ),
                opts=inside,
            )
            key_arn, key_id = key.arn, key.key_id
        alias = aws.kms.Alias(
            f"{name}-{duty.value}-alias",
            name=pulumi.Output.concat("alias/", args["alias_prefix"], f"-{duty.value}"),
            target_key_id=key_id,
            opts=inside,
        )
        return pulumi.Output.all(key_arn=key_arn, key_id=key_id, alias=alias.name)


_DUTIES = [duty.value for duty in SigningDuty]
_RULES = {
    "account_id": validation.account_id,
    "region": validation.region,
    "administrators": validation.some(validation.principal),
    "alias_prefix": validation.alias,
    "deletion_window_days": validation.integer(7, 30, "days"),
    "signers": validation.mapping(_DUTIES, validation.some(validation.principal)),
    "existing_key_arns": validation.mapping(_DUTIES, validation.key_arn),
}
