"""Providers of several accounts and regions: each acts in its own, and is refused where it could not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, WORKLOAD, organization_role
from rehearsal.engine.aws.properties import encode
from rehearsal.engine.host import Host
from tests.rehearsal.engine.aws.caller import Caller, RefusedError

OpenCaller = Callable[..., Caller]
KEY = "aws:kms/key:Key"


def configuration(account: str, region: str, **more: Any) -> dict[str, Any]:
    """Return an explicit provider's configuration as the SDK writes it: all but texts as JSON."""
    roles = [] if account == WORKLOAD else [{"roleArn": organization_role(account)}]
    lists = {"allowedAccountIds": [account], "assumeRoles": roles, **more}
    return {"region": region, **{name: json.dumps(value) for name, value in lists.items() if value}}


def test_providers_of_three_accounts_and_two_regions_act_each_in_its_own(open_caller: OpenCaller, host: Host) -> None:
    places = [(account, region) for account in (WORKLOAD, EVIDENCE, AUDIT) for region in ("eu-west-1", "eu-central-1")]
    before = len(host.processes())
    for account, region in places:
        # A second provider of the same place shares the first one's process.
        for _ in range(2):
            made = open_caller(configuration(account, region)).create(KEY, "key", {"description": "of a place"})
            assert made.outputs["arn"].startswith(f"arn:aws:kms:{region}:{account}:key/")
    assert len(host.processes()) - before <= len(places)


def test_a_provider_of_an_account_that_is_not_allowed_says_which_it_is_of(open_caller: OpenCaller) -> None:
    wrong = open_caller(configuration(WORKLOAD, "eu-west-1", allowedAccountIds=["111111111111"]))
    with pytest.raises(grpc.RpcError) as refused:
        wrong.preview(KEY, "key", {})
    assert refused.value.details() == (
        f"allowedAccountIds: the credentials are those of account {WORKLOAD}; allowed: 111111111111"
    )


def test_a_provider_whose_role_is_not_there_says_so(open_caller: OpenCaller) -> None:
    absent = f"arn:aws:iam::{EVIDENCE}:role/nobody"
    wrong = open_caller(configuration(WORKLOAD, "eu-west-1", assumeRoles=[{"roleArn": absent}]))
    with pytest.raises(grpc.RpcError) as refused:
        wrong.preview(KEY, "key", {})
    assert f"IAM Role ({absent}) cannot be assumed" in str(refused.value.details())


@pytest.mark.parametrize(
    ("region", "told"),
    [
        ("mars-1", 'region: AWS has no region "mars-1"; give one such as eu-west-1'),
        ("eu-wets-1", 'region: AWS has no region "eu-wets-1"; did you mean eu-west-1?'),
    ],
)
def test_a_region_that_aws_has_not_is_refused(aws: Caller, open_caller: OpenCaller, region: str, told: str) -> None:
    checked = aws.stub.CheckConfig(provider_pb2.CheckRequest(news=encode({"region": region})))
    assert [failure.reason for failure in checked.failures] == [told]
    with pytest.raises(grpc.RpcError) as refused:
        open_caller({"region": region})
    assert refused.value.details() == told
    with pytest.raises(RefusedError) as of_resource:
        aws.preview(KEY, "key", {"region": region})
    assert of_resource.value.reasons == [told]


def test_a_role_that_is_none_is_told_by_the_program_s_name_for_it(open_caller: OpenCaller) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        open_caller(configuration(WORKLOAD, "eu-west-1", assumeRoles=[{"roleArn": "administrator"}])).create(
            KEY, "key", {}
        )
    assert str(failed.value.details()).startswith("assumeRoles[0].roleArn (administrator) is an invalid ARN")
