"""Second factors: the code that a virtual device shows at a moment.

Source: RFC 6238, with the 30 s and six digits of https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import datetime

STEP_SECONDS = 30
_DIGITS = 6


def code_at(seed: str, moment: datetime) -> str:
    """Return the code that a device with a seed (base 32) shows at a moment."""
    counter = struct.pack(">Q", int(moment.timestamp()) // STEP_SECONDS)
    digest = hmac.new(base64.b32decode(seed), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)
