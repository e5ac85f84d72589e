"""Turns what AWS's client raises into the failure that a command ends with."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from interlock.failures import NotPermitted, OutsideFailure

_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
)


def error_code(error: ClientError) -> str:
    """Return AWS's own name of an error, for example `AccessDenied`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def outside(attempt: str, error: ClientError | BotoCoreError) -> OutsideFailure:
    """Return the failure to `attempt` something ("read …"), with what AWS or its client said."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        said = f"{details.get('Code', 'error')}: {details.get('Message', 'no message')}"
        failure = NotPermitted if details.get("Code") in _DENIED else OutsideFailure
        return failure(f"AWS refused to {attempt}: {said}")
    hint = "set AWS credentials for this shell" if isinstance(error, NoCredentialsError) else ""
    return OutsideFailure(f"could not {attempt}: {error}", next_step=hint)
