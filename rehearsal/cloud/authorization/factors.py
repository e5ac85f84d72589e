"""Second factors: whether a code is what a user's own virtual device shows now."""

from __future__ import annotations

import hmac
from datetime import datetime

from moto.iam.models import IAMBackend, iam_backends

from rehearsal.totp import STEP_SECONDS, code_at

_PARTITION = "aws"


def is_current_code(user_arn: str, serial_number: str, code: str, now: datetime) -> bool:
    """Return whether the device is the user's and shows the code, or showed it in the step before."""
    backend: IAMBackend = iam_backends[user_arn.split(":")[4]][_PARTITION]
    user = backend.users.get(user_arn.rpartition("/")[2])
    device = backend.virtual_mfa_devices.get(serial_number)
    if user is None or device is None or serial_number not in user.mfa_devices:
        return False
    before = datetime.fromtimestamp(now.timestamp() - STEP_SECONDS, now.tzinfo)
    return any(hmac.compare_digest(code_at(device.base32_string_seed, moment), code) for moment in (now, before))
