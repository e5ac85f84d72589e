"""What is known of single services, against what botocore knows of them."""

from __future__ import annotations

import botocore.session

from interlock.duties.evaluator.services import is_beside_keys, is_of_keys

ON_ALIASES = {"CreateAlias", "DeleteAlias", "UpdateAlias"}
ON_NO_KEY = {
    "ConnectCustomKeyStore", "CreateCustomKeyStore", "CreateKey", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants",
    "UpdateCustomKeyStore",
}  # fmt: skip
OTHERWISE_CALLED = {"ReEncrypt": "ReEncryptFrom"}


def test_every_operation_of_kms_is_on_keys_on_aliases_or_on_neither() -> None:
    operations = set(botocore.session.get_session().get_service_model("kms").operation_names)
    on_keys = {one for one in operations if is_of_keys(f"kms:{OTHERWISE_CALLED.get(one, one)}")}
    assert on_keys == operations - ON_ALIASES - ON_NO_KEY
    assert {one for one in operations if is_beside_keys(f"kms:{OTHERWISE_CALLED.get(one, one)}")} == ON_ALIASES


def test_an_action_of_kms_that_nobody_knows_may_be_on_what_is_no_key() -> None:
    assert is_beside_keys("kms:SomethingNew")
    assert not is_of_keys("kms:SomethingNew")
    assert not is_beside_keys("s3:SomethingNew")
