"""The layer `foundation`: the duties' keys and the vault. Its people are not the platform's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.signing_keys import SigningKeys
from components.vault import Vault
from interlock.settings.model import Settings
from stacks.places import Places

VAULT_FIELDS = (
    "bucket_name", "bucket_arn", "staging_bucket_name", "staging_bucket_arn", "retention_days", "encryption_key_arn",
)  # fmt: skip


@dataclass(frozen=True)
class Foundation:
    """What the layer `platform` stands on, wherever it was provisioned."""

    vault: Mapping[str, pulumi.Output[Any]]
    """By the names of `interlock.manifest.VaultPart`."""
    signing_keys: pulumi.Output[dict[str, dict[str, str]]]
    key_administrators: pulumi.Output[list[str]]
    stands_on: list[pulumi.Resource]
    """What must be gone last when the stack is destroyed."""

    def outputs(self) -> dict[str, Any]:
        """Return what a platform stack reads by `referenced_foundation`."""
        return {
            "vault": dict(self.vault),
            "signing_keys": self.signing_keys,
            "key_administrators": self.key_administrators,
        }


def provision_foundation(settings: Settings, stack: str, places: Places) -> Foundation:
    """Provision keys and vault."""
    administrators = _key_administrators(settings, places.evidence.provider)
    options = places.evidence.options(protect=not settings.disposable)
    keys = SigningKeys(
        "keys",
        {
            "account_id": places.evidence.account_id,
            "region": places.evidence.region,
            "administrators": administrators,
            "alias_prefix": f"interlock-{stack}",
            "deletion_window_days": 7 if settings.disposable else 30,
            "signers": {duty.value: signers for duty, signers in settings.signers.items()},
        },
        options,
    )
    vault = Vault(
        "vault",
        {
            "encryption_key_arn": keys.evidence_key_arn,
            "administrators": settings.administrators or [],
            "retention_days": settings.vault.retention_days,
            "staging_force_destroy": settings.disposable,
        },
        pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[keys])),
    )
    return Foundation(
        vault={
            "bucket_name": vault.bucket_name,
            "bucket_arn": vault.bucket_arn,
            "staging_bucket_name": vault.staging_bucket_name,
            "staging_bucket_arn": vault.staging_bucket_arn,
            "retention_days": vault.retention_days,
            "encryption_key_arn": keys.evidence_key_arn,
        },
        signing_keys=keys.keys,
        key_administrators=administrators,
        stands_on=[vault.bucket],
    )


def referenced_foundation(name: str) -> Foundation:
    """Return the foundation that stack `name` has provisioned."""
    outputs = pulumi.StackReference("foundation", stack_name=name).require_output("foundation")
    return Foundation(
        vault={field: outputs["vault"][field] for field in VAULT_FIELDS},
        signing_keys=outputs["signing_keys"],
        key_administrators=outputs["key_administrators"],
        stands_on=[],
    )


def _key_administrators(settings: Settings, provider: aws.Provider) -> pulumi.Output[list[str]]:
    # A key that nobody administers could never go: AWS refuses such a policy.
    if settings.administrators is not None:
        return pulumi.Output.from_input(settings.administrators)
    options = pulumi.InvokeOutputOptions(provider=provider)
    caller = aws.get_caller_identity_output(opts=options)
    # A session of a role counts as the role, whose ARN is what a policy's condition sees.
    context = aws.iam.get_session_context_output(arn=caller.arn, opts=options)
    return context.issuer_arn.apply(lambda arn: [arn])
