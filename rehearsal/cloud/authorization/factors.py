"""Second factors: the code that a user's own virtual device shows now.

Source: RFC 6238, with the 30 s and six digits of https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import datetime

from moto.iam.models import IAMBackend, iam_backends

_STEP_SECONDS = 30
_DIGITS = 6
_PARTITION = "aws"


def code_at(seed: str, moment: datetime) -> str:
    """Return the code that a device with a seed (base 32) shows at a moment."""
    counter = struct.pack(">Q", int(moment.timestamp()) // _STEP_SECONDS)
    digest = hmac.new(base64.b32decode(seed), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def is_current_code(user_arn: str, serial_number: str, code: str, now: datetime) -> bool:
    """Return whether the device is the user's and shows the code, or showed it in the step before."""
    backend: IAMBackend = iam_backends[user_arn.split(":")[4]][_PARTITION]
    user = backend.users.get(user_arn.rpartition("/")[2])
    device = backend.virtual_mfa_devices.get(serial_number)
    if user is None or device is None or serial_number not in user.mfa_devices:
        return False
    before = datetime.fromtimestamp(now.timestamp() - _STEP_SECONDS, now.tzinfo)
    return any(hmac.compare_digest(code_at(device.base32_string_seed, moment), code) for moment in (now, before))
