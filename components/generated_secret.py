"""A secret whose value is made once, by Secrets Manager, and never shown."""

from __future__ import annotations

import json
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.secret_guard import SecretGuard
from components.validation import checked


class GeneratedSecretArgs(TypedDict):
    description: str
    encryption_key_arn: pulumi.Input[str]
    username: NotRequired[pulumi.Input[str]]
    """With it the secret is JSON {"username", "password"}; without it, the bare value."""
    recovery_window_days: NotRequired[pulumi.Input[int]]
    """How long a deleted secret can be restored: 0 (not at all) or 7 to 30; 30 unless given."""
    administrators: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals who keep the secret, whoever runs `pulumi up` among them: they read back what they
    put. The account's policies decide unless given."""
    readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of who else alone reads the value, or patterns of them; nobody unless given."""


class GeneratedSecret(pulumi.ComponentResource):
    """A secret of 40 random characters; a later value is a rotation's business, and kept."""

    secret_arn: pulumi.Output[str]
    value: pulumi.Output[str]
    """What it holds at first."""

    def __init__(self, name: str, args: GeneratedSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(GeneratedSecretArgs, f"GeneratedSecret {name}", args, _RULES)
        super().__init__("interlock:keys:GeneratedSecret", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            description=args["description"],
            kms_key_id=args["encryption_key_arn"],
            recovery_window_in_days=args.get("recovery_window_days", 30),
            opts=inside,
        )
        guarded = self._guard(name, secret, args)
        drawn = aws.secretsmanager.get_random_password_output(
            password_length=40, exclude_punctuation=True, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        value: pulumi.Output[str] = pulumi.Output.secret(drawn.random_password)
        if "username" in args:
            pair: pulumi.Output[dict[str, str]] = pulumi.Output.all(username=args["username"], password=value)
            value = pair.apply(lambda known: json.dumps(known))
        version = aws.secretsmanager.SecretVersion(
            f"{name}-value",
            secret_id=secret.id,
            secret_string=value,
            # Every run draws anew; the first draw stays.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secret_string"], depends_on=guarded),
        )

        # Who is given the secret finds a value in it.
        self.secret_arn = pulumi.Output.all(secret.arn, version.id).apply(lambda known: str(known[0]))
        self.value = version.secret_string.apply(str)
        self.register_outputs({"secretArn": self.secret_arn})

    def _guard(
        self, name: str, secret: aws.secretsmanager.Secret, args: GeneratedSecretArgs
    ) -> list[pulumi.Resource] | None:
        if "administrators" not in args:
            return None
        administrators = pulumi.Output.from_input(args["administrators"])
        readers = pulumi.Output.all(administrators, args.get("readers", [])).apply(
            lambda known: sorted({*known[0], *known[1]})
        )
        return [
            SecretGuard(
                f"{name}-guard",
                {"secret_arn": secret.arn, "readers": readers, "administrators": administrators},
                pulumi.ResourceOptions(parent=self),
            )
        ]


_RULES = {
    "description": validation.description,
    "encryption_key_arn": validation.key_arn,
    "username": validation.user_name,
    "recovery_window_days": validation.secret_recovery_days,
    "administrators": validation.some(validation.iam_principal),
    "readers": validation.some(validation.iam_principal_pattern, at_least=0),
}
