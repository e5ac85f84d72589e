"""Who a caller is, as their session is named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import outside
from interlock.failures import Refusal

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

_SESSION: Final = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/[\w+=,.@-]+/([\w+=,.@-]{2,64})")


def session_name(sts: STSClient) -> str:
    """Return the name of the caller's session, which the duties' roles force to be their source identity.

    Raises Refusal for a caller without a role, and OutsideFailure.
    """
    try:
        arn = sts.get_caller_identity()["Arn"]
    except (ClientError, BotoCoreError) as error:
        raise outside("say who you are (sts:GetCallerIdentity)", error) from error
    found = _SESSION.fullmatch(arn)
    if found is None:
        raise Refusal(
            f"{arn} bears no source identity, so that nothing would tell whose request it is",
            next_step="assume the role of your duty under your own name, as docs/duties.md says",
        )
    return found[1]
