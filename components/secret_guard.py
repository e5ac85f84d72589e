"""What keeps a secret to those who need it: its own policy."""

from __future__ import annotations

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.guarded_resources import secret_policy


class SecretGuardArgs(TypedDict):
    secret_arn: pulumi.Input[str]
    readers: pulumi.Input[list[str]]
    """ARNs of the only roles and users that read the value, or patterns of them."""
    administrators: pulumi.Input[list[str]]
    """ARNs of the only principals who change the secret and this policy; they give it values too."""
    writers: NotRequired[pulumi.Input[list[str]]]
    """Who else gives it values; nobody unless given."""


class SecretGuard(pulumi.ComponentResource):
    """A secret's policy, which its replicas have too."""

    def __init__(self, name: str, args: SecretGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(SecretGuardArgs, f"SecretGuard {name}", args, _RULES)
        super().__init__("interlock:keys:SecretGuard", name, {}, opts)
        policy = aws.secretsmanager.SecretPolicy(
            f"{name}-policy",
            secret_arn=args["secret_arn"],
            policy=pulumi.Output.all(args["readers"], args.get("writers", []), args["administrators"]).apply(
                lambda known: secret_policy(known[0], known[1], known[2])
            ),
            block_public_policy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.secret_arn = policy.secret_arn
        self.register_outputs({"secretArn": self.secret_arn})


_RULES = {
    "secret_arn": validation.secret_arn,
    "readers": validation.some(validation.iam_principal_pattern),
    "administrators": validation.some(validation.iam_principal),
    "writers": validation.some(validation.iam_principal_pattern, at_least=0),
}
