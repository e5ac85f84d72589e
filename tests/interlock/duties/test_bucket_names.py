"""What the foundation's buckets are called before they exist."""

from __future__ import annotations

from fnmatch import fnmatchcase

from interlock.duties.bucket_names import LONGEST, STAGING, VAULT, bucket_name

ACCOUNT = "444455556666"


def test_a_name_tells_stack_account_and_region() -> None:
    assert bucket_name("interlock-prod", VAULT, ACCOUNT, "eu-west-1") == "interlock-prod-vault-444455556666-eu-west-1"


def test_a_long_name_still_fits_is_still_found_by_its_beginning_and_is_still_one_place_s() -> None:
    prefix = f"interlock-{'s' * 38}"
    names = {
        bucket_name(prefix, what, account, region)
        for what in (VAULT, STAGING)
        for account in (ACCOUNT, "111122223333")
        for region in ("ap-southeast-1", "ap-southeast-2")
    }
    assert len(names) == 8
    assert all(len(one) <= LONGEST for one in names)
    assert all(fnmatchcase(one, f"{prefix}-vault-*") or fnmatchcase(one, f"{prefix}-staging-*") for one in names)
