"""The users of an MLflow server: a secret a duty, from which the server makes the user at its next start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NotRequired, TypedDict

import pulumi

from components import validation
from components.generated_secret import GeneratedSecret, GeneratedSecretArgs
from components.validation import checked

DUTIES: Final = ("creator", "builder", "deployer", "observer", "auditor")
"""The duties that use MLflow; `images/mlflow/users.py` says what each may do there."""


class MlflowUsersArgs(TypedDict):
    encryption_key_arn: pulumi.Input[str]
    recovery_window_days: NotRequired[pulumi.Input[int]]
    """How long a deleted secret can be restored; 30 unless given."""
    administrators: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals who keep the secrets; the account's policies decide unless given."""
    readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of who else reads all of them, or patterns of them: what starts the server."""
    duty_role_arns: NotRequired[pulumi.Input[Mapping[str, str]]]
    """By duty: the role that reads its own user's secret."""


class MlflowUsers(pulumi.ComponentResource):
    """Secrets with JSON {"username", "password"}, each for those of one duty to read and for nobody else."""

    secret_arns: pulumi.Output[dict[str, str]]
    """By duty."""

    def __init__(self, name: str, args: MlflowUsersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(MlflowUsersArgs, f"MlflowUsers {name}", args, _RULES)
        super().__init__("interlock:tracking:MlflowUsers", name, {}, opts)

        secrets = {
            duty: GeneratedSecret(
                f"{name}-{duty}",
                self._of(duty, args),
                pulumi.ResourceOptions(parent=self),
            )
            for duty in DUTIES
        }
        self.secret_arns = pulumi.Output.all(**{duty: secret.secret_arn for duty, secret in secrets.items()})
        self.register_outputs({"secretArns": self.secret_arns})

    def _of(self, duty: str, args: MlflowUsersArgs) -> GeneratedSecretArgs:
        wanted: GeneratedSecretArgs = {
            "description": f"MLflow's user for the duty {duty}",
            "encryption_key_arn": args["encryption_key_arn"],
            "username": duty,
            "recovery_window_days": args.get("recovery_window_days", 30),
        }
        if "administrators" in args:
            wanted["administrators"] = args["administrators"]
            wanted["readers"] = pulumi.Output.all(args.get("readers", []), args.get("duty_role_arns", {})).apply(
                lambda known: [*known[0], *([known[1][duty]] if duty in known[1] else [])]
            )
        return wanted


_RULES: Final = {
    "encryption_key_arn": validation.key_arn,
    "recovery_window_days": validation.Rule(
        "0 or a whole number from 7 to 30 days", lambda value: value == 0 or validation.integer(7, 30).holds(value)
    ),
    "administrators": validation.some(validation.iam_principal),
    "readers": validation.some(validation.iam_principal_pattern, at_least=0),
    "duty_role_arns": validation.any_of(validation.user_name, validation.role_arn),
}
