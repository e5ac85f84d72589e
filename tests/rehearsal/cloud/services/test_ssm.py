"""Parameter Store in the local cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud


@pytest.fixture
def ssm(cloud: LocalCloud) -> Any:
    return cloud.client("ssm")


@pytest.fixture
def name() -> str:
    return f"/test/{uuid4().hex}"


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.corrects("ssm.tiers")
def test_each_tier_holds_what_it_holds(cloud: LocalCloud, ssm: Any, name: str) -> None:
    def put(size: int, **more: Any) -> Any:
        return ssm.put_parameter(Name=name, Value="x" * size, Type="String", **more)

    assert _code(lambda: put(4097)) == "ValidationException"
    assert name not in [one["Name"] for one in ssm.describe_parameters()["Parameters"]]
    assert put(4096)["Tier"] == "Standard"
    assert put(8192, Tier="Advanced", Overwrite=True)["Tier"] == "Advanced"
    assert _code(lambda: put(8193, Tier="Advanced", Overwrite=True)) == "ValidationException"
    assert _code(lambda: put(1, Tier="Standard", Overwrite=True)) == "ValidationException"


@pytest.mark.corrects("ssm.tiers")
@pytest.mark.parametrize(("size", "tier"), [(4096, "Standard"), (4097, "Advanced")])
def test_intelligent_tiering_chooses_by_size(cloud: LocalCloud, ssm: Any, name: str, size: int, tier: str) -> None:
    put = ssm.put_parameter(Name=name, Value="x" * size, Type="String", Tier="Intelligent-Tiering")
    assert put["Tier"] == tier


@pytest.mark.corrects("ssm.allowed-pattern")
def test_a_value_that_does_not_match_its_pattern_is_refused(cloud: LocalCloud, ssm: Any, name: str) -> None:
    def put(value: str) -> Any:
        return ssm.put_parameter(Name=name, Value=value, Type="String", AllowedPattern="[0-9]+")

    assert _code(lambda: put("12x")) == "ParameterPatternMismatchException"
    put("12")


@pytest.mark.corrects("ssm.secure-string")
def test_a_secure_string_is_shown_sealed_and_opened_by_its_key(cloud: LocalCloud, ssm: Any, name: str) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    ssm.put_parameter(Name=name, Value="plain words", Type="SecureString", KeyId=key)
    assert "plain words" not in ssm.get_parameter(Name=name)["Parameter"]["Value"]
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "plain words"
    kms.disable_key(KeyId=key)
    assert _code(lambda: ssm.get_parameter(Name=name, WithDecryption=True)) == "InvalidKeyId"


@pytest.mark.corrects("ssm.secure-string")
def test_a_secure_string_needs_a_key_that_exists(cloud: LocalCloud, ssm: Any, name: str) -> None:
    put = lambda: ssm.put_parameter(Name=name, Value="x", Type="SecureString", KeyId="alias/none")  # noqa: E731
    assert _code(put) == "InvalidKeyId"


def test_versions_count_up_and_can_be_read(cloud: LocalCloud, ssm: Any, name: str) -> None:
    for value in ("one", "two"):
        ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    assert ssm.get_parameter(Name=name)["Parameter"]["Version"] == 2
    assert ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Value"] == "one"
    assert _code(lambda: ssm.put_parameter(Name=name, Value="three", Type="String")) == "ParameterAlreadyExists"


def test_the_inventory_counts_parameters(cloud: LocalCloud, ssm: Any, name: str) -> None:
    arn = f"arn:aws:ssm:{cloud.region}:{cloud.account_id}:parameter{name}"
    ssm.put_parameter(Name=name, Value="x", Type="String")
    assert arn in cloud.inventory()["ssm"]
    ssm.delete_parameter(Name=name)
    assert arn not in cloud.inventory()["ssm"]
