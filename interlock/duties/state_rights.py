"""What a role that deploys is granted on the state of its layer, as `infra/bootstrap` writes it beside the table's."""

from __future__ import annotations

import json
from typing import Any, Final

from interlock.duties.documents import Conditions, Statement, document, statement
from interlock.duties.duty import Role
from interlock.duties.landscape import Landscape

PULUMI: Final = "pulumi"
TERRAFORM: Final = "terraform"


def state_name(role: Role, land: Landscape) -> str:
    """Return the name of the policy."""
    return f"{land.role_name(role)}-state"


def state_policy(role: Role, land: Landscape, account_id: str) -> dict[str, Any]:
    """Return the policy of a role that deploys where an account holds the state.

    The foundation keeps Terraform's state too. Each encrypts the secrets of its own layer; the platform opens the
    foundation's, because Pulumi does so before it reads any output.
    """
    region = land.regions[0]
    uses = (PULUMI, TERRAFORM) if role is Role.FOUNDATION else (PULUMI,)
    buckets = [f"arn:aws:s3:::{land.state_prefix}-{use}-{account_id}-{region}" for use in uses]
    keys = [f"arn:aws:kms:{region}:{account_id}:key/*"]
    by_alias: Conditions = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": land.state_alias}}
    through_s3: Conditions = {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
    text = document(
        statement("FindState", "Allow", ["s3:GetBucketLocation", "s3:ListBucket"], buckets),
        statement(
            "KeepState", "Allow", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [f"{one}/*" for one in buckets]
        ),
        statement(
            "KeepStateEncrypted", "Allow", ["kms:Decrypt", "kms:GenerateDataKey"], keys,
            conditions={**through_s3, **by_alias},
        ),
        _in_context("KeepSecrets", ["kms:Decrypt", "kms:Encrypt"], role, keys, by_alias),
        *(
            [_in_context("ReadOutputsOfFoundation", ["kms:Decrypt"], Role.FOUNDATION, keys, by_alias)]
            if role is Role.PLATFORM
            else []
        ),
    )  # fmt: skip
    written: dict[str, Any] = json.loads(text)
    return written


def _in_context(sid: str, actions: list[str], layer: Role, keys: list[str], by_alias: Conditions) -> Statement:
    conditions: Conditions = {"StringEquals": {"kms:EncryptionContext:layer": layer.value}, **by_alias}
    return statement(sid, "Allow", actions, keys, conditions=conditions)
