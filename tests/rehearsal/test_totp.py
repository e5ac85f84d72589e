from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from rehearsal.totp import code_at

SEED = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(("second", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_a_device_shows_the_codes_of_the_standards_own_examples(second: int, code: str) -> None:
    """RFC 6238, appendix B, of whose eight digits a device shows the last six."""
    assert code_at(SEED, datetime.fromtimestamp(second, UTC)) == code
