"""Settings: what is accepted, and that all that is not is said at once."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.validation import ArgumentError
from interlock.rules import Problem
from interlock.settings.section import Environment, Layer
from stacks.program import read_settings
from tests.stacks.configurations import local, recovery_network, section

OTHER = "210987654321"
REPLICA = f"arn:aws:kms:eu-central-1:{OTHER}:key/mrk-1234abcd1234abcd1234abcd1234abcd"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/serving:0.1.0"


def problems(**changed: Any) -> dict[str, Problem]:
    with pytest.raises(ArgumentError) as caught:
        read_settings("local", local(**changed))
    return {problem.path: problem for problem in caught.value.problems}


def test_the_settings_of_stack_local_are_accepted() -> None:
    settings = read_settings("local", local())
    assert settings.environment is Environment.LOCAL
    assert settings.layers == [Layer.FOUNDATION, Layer.PLATFORM]
    assert settings.account_id == "123456789012"
    assert settings.tags.cost_centre == "4711"
    assert [endpoint.name for endpoint in settings.endpoints] == ["credit"]


WRONG: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "an unknown key": ({"vaultt": 1}, "vaultt", "'1'", "did you mean vault?"),
    "an unknown key far from any": ({"colour_scheme": "red"}, "colour_scheme", "'red'", "there are environment, "),
    "an unknown key inside a section": (
        {"vault": {"retention_day": 40}},
        "vault.retention_day",
        "40",
        "did you mean retention_days?",
    ),
    "an unknown key inside a list": (
        {"endpoints": [{"name": "one", "image": IMAGE, "weights": 1}]},
        "endpoints[0].weights",
        "1",
        "there are name, ",
    ),
    "a missing key": ({"region": ...}, "region", "nothing", "an AWS region"),
    "a missing key inside a section": (
        {"tags": section("tags", owner=...)},
        "tags.owner",
        "nothing",
        "1 to 256 letters",
    ),
    "a missing section": ({"network": ...}, "network", "nothing", "which the layer platform needs"),
    "a section that is no section": ({"vault": "yes"}, "vault", "'yes'", "a section with retention_days"),
    "a value outside of a closed set": (
        {"environment": "qa"},
        "environment",
        "'qa'",
        "one of local, dev, staging, prod",
    ),
    "a tier that there is not": (
        {"tags": section("tags", tier="top")},
        "tags.tier",
        "'top'",
        "one of low, medium, high, ",
    ),
    "no Boolean": ({"disposable": "perhaps"}, "disposable", "'perhaps'", "true or false"),
    "a Boolean that only YAML 1.1 knows": ({"disposable": "yes"}, "disposable", "'yes'", "true or false"),
    "a Boolean in quotes inside a section": (
        {"tracking": section("tracking", database={"multi_az": "true"})},
        "tracking.database.multi_az",
        "'true'",
        "true or false, without quotes",
    ),
    "a word for a Boolean inside a section": (
        {"tracking": section("tracking", database={"multi_az": "yes"})},
        "tracking.database.multi_az",
        "'yes'",
        "true or false",
    ),
    "a number in quotes inside a section": (
        {"vault": {"retention_days": "90"}},
        "vault.retention_days",
        "'90'",
        "days, without quotes",
    ),
    "a Boolean for a number": ({"vault": {"retention_days": True}}, "vault.retention_days", "True", "from 30 to "),
    "a version that lost its last zero": (
        {"tracking": section("tracking", database={"engine_version": 16.1})},
        "tracking.database.engine_version",
        "16.1",
        "in quotes, as 1.10",
    ),
    "an instance class that only looks like one": (
        {"tracking": section("tracking", database={"instance_class": "db.m7g.lagre"})},
        "tracking.database.instance_class",
        "'db.m7g.lagre'",
        "an RDS instance class",
    ),
    "a retention below the minimum": ({"vault": {"retention_days": 29}}, "vault.retention_days", "29", "from 30 to "),
    "a retention that is longer than any lock": (
        {"vault": {"retention_days": 7306}},
        "vault.retention_days",
        "7306",
        "from 30 to 7305 days",
    ),
    "a retention that is no number": ({"vault": {"retention_days": "x"}}, "vault.retention_days", "'x'", "from 30 to "),
    "a log retention that CloudWatch has not": (
        {"log_retention_days": 31},
        "log_retention_days",
        "31",
        "one of 1, 3, ",
    ),
    "an account with eleven digits": ({"account_id": "1" * 11}, "account_id", f"'{'1' * 11}'", "twelve digits"),
    "a region that is none": ({"region": "mars"}, "region", "'mars'", "an AWS region such as"),
    "a layer that there is not": ({"layers": ["cellar"]}, "layers[0]", "'cellar'", "one of foundation, platform"),
    "a layer twice": ({"layers": ["platform", "platform"]}, "layers", "['platform', 'platform']", "each layer once"),
    "a bad ARN": (
        {"administrators": ["arn:aws:s3:::bucket"]},
        "administrators",
        "['arn:aws:s3:::bucket']",
        "an IAM principal's ARN",
    ),
    "a signer of no duty": (
        {"signers": {"cook": ["arn:aws:iam::123456789012:role/cook"]}},
        "signers.cook",
        "'cook'",
        "one of builder, ",
    ),
    "a CIDR block that is none": (
        {"network": section("network", cidr_block="10.20.0.0")},
        "network.cidr_block",
        "'10.20.0.0'",
        "a private IPv4 CIDR",
    ),
    "a public CIDR block": (
        {"network": section("network", cidr_block="8.8.0.0/16")},
        "network.cidr_block",
        "'8.8.0.0/16'",
        "a private IPv4",
    ),
    "overlapping CIDR blocks": (
        {"network": section("network", subnets={"eu-west-1a": "10.20.0.0/20", "eu-west-1b": "10.20.8.0/21"})},
        "network.subnets",
        "'eu-west-1a': '10.20.0.0/20'",
        "10.20.0.0/20 overlaps 10.20.8.0/21",
    ),
    "a subnet outside of its network": (
        {"network": section("network", subnets={"eu-west-1a": "10.20.0.0/20", "eu-west-1b": "10.21.0.0/20"})},
        "network.subnets",
        "10.21.0.0/20",
        "inside of 10.20.0.0/16, unlike 10.21.0.0/20",
    ),
    "a single zone": (
        {"network": section("network", subnets={"eu-west-1a": "10.20.0.0/20"})},
        "network.subnets",
        "eu-west-1a",
        "two or more",
    ),
    "a production in two zones": (
        {"environment": "prod", "disposable": False},
        "network.subnets",
        "eu-west-1b",
        "three or more availability zones",
    ),
    "a zone of another region": (
        {"network": section("network", subnets={"eu-west-1a": "10.20.0.0/20", "eu-west-2b": "10.20.16.0/20"})},
        "network.subnets.eu-west-2b",
        "'eu-west-2b'",
        "an availability zone of eu-west-1",
    ),
    "a domain that is none": (
        {"tracking": section("tracking", domain="no_domain")},
        "tracking.domain",
        "'no_domain'",
        "a DNS name",
    ),
    "a public image": (
        {"tracking": section("tracking", image="nginx:latest")},
        "tracking.image",
        "'nginx:latest'",
        "a private ECR image",
    ),
    "a size that there is not": (
        {"tracking": section("tracking", size="huge")},
        "tracking.size",
        "'huge'",
        "one of small, ",
    ),
    "storage that shrinks": (
        {"tracking": section("tracking", database={"storage_gib": {"min": 200, "max": 100}})},
        "tracking.database.storage_gib.max",
        "100",
        "200, which is min, or more",
    ),
    "a minimum above the default maximum": (
        {"tracking": section("tracking", database={"storage_gib": {"min": 2000}})},
        "tracking.database.storage_gib.max",
        "1000",
        "2000, which is min, or more",
    ),
    "an instance class of another service": (
        {"tracking": section("tracking", database={"instance_class": "ml.m5.large"})},
        "tracking.database.instance_class",
        "'ml.m5.large'",
        "an RDS instance class",
    ),
    "fewer instances at most than at least": (
        {"endpoints": [{"name": "one", "image": IMAGE, "instances": {"min": 3, "max": 2}}]},
        "endpoints[0].instances.max",
        "2",
        "3, which is min, or more",
    ),
    "an instance type of another service": (
        {"endpoints": [{"name": "one", "image": IMAGE, "instance_type": "m5.large"}]},
        "endpoints[0].instance_type",
        "'m5.large'",
        "a SageMaker instance type",
    ),
    "two endpoints of one name": (
        {"endpoints": [{"name": "one", "image": IMAGE}, {"name": "one", "image": IMAGE}]},
        "endpoints",
        "2 endpoints named 'one'",
        "every name once",
    ),
    "a platform without a foundation": (
        {"layers": ["platform"]},
        "foundation_stack",
        "nothing",
        "full name of the stack",
    ),
    "two foundations": (
        {"foundation_stack": "organization/interlock/dev"},
        "foundation_stack",
        "'organization/",
        "nothing",
    ),
    "a production that may vanish": ({"environment": "prod"}, "disposable", "true", "false in environment prod"),
    "an evidence account with eleven digits": (
        {"accounts": {"evidence": {"account_id": "1" * 11}}},
        "accounts.evidence.account_id",
        f"'{'1' * 11}'",
        "twelve digits",
    ),
    "a role of another account": (
        {"accounts": {"evidence": {"account_id": OTHER, "role_arn": "arn:aws:iam::123456789012:role/a"}}},
        "accounts.evidence.role_arn",
        "'arn:aws:iam::123456789012:role/a'",
        f"a role of account {OTHER}",
    ),
    "a role that is none": (
        {"role_arn": "arn:aws:iam::123456789012:user/a"},
        "role_arn",
        "user/a",
        "arn:aws:iam::111122223333:role/name",
    ),
    "two ways into one account": (
        {"accounts": {"audit": {"account_id": "123456789012", "role_arn": "arn:aws:iam::123456789012:role/a"}}},
        "accounts.audit.role_arn",
        "role/a",
        "account 123456789012 is reached in one way: nothing",
    ),
    "a recovery in the same region": (
        {"recovery": {"region": "eu-west-1", "network": recovery_network()}},
        "recovery.region",
        "'eu-west-1'",
        "a region other than eu-west-1",
    ),
    "a recovery without a network": (
        {"recovery": {"region": "eu-central-1"}},
        "recovery.network",
        "nothing",
        "which the layer platform needs",
    ),
    "networks of two regions that overlap": (
        {"recovery": {"region": "eu-central-1", "network": {**recovery_network(), "cidr_block": "10.16.0.0/12"}}},
        "recovery.network.cidr_block",
        "'10.16.0.0/12'",
        "a private IPv4 CIDR block",
    ),
    "networks of two regions that share addresses": (
        {"recovery": {"region": "eu-central-1", "network": {"cidr_block": "10.20.128.0/17"}}},
        "recovery.network.cidr_block",
        "'10.20.128.0/17'",
        "does not overlap 10.20.0.0/16",
    ),
    "a recovery zone of the primary region": (
        {"recovery": {"region": "eu-central-1", "network": section("network")}},
        "recovery.network.subnets.eu-west-1a",
        "'eu-west-1a'",
        "an availability zone of eu-central-1",
    ),
    "two approvers of one name": (
        {"approvers": [{"name": "ana", "source_identity": one} for one in ("ana", "ben")]},
        "approvers",
        "2 approvers named 'ana'",
        "every name once",
    ),
    "one person as two approvers": (
        {"approvers": [{"name": one, "source_identity": "ana@example.com"} for one in ("ana", "ben")]},
        "approvers",
        "2 approvers with source identity 'ana@example.com'",
        "every person once",
    ),
    "a source identity that STS does not take": (
        {"approvers": [{"name": "ana", "source_identity": "aws:ana"}]},
        "approvers[0].source_identity",
        "'aws:ana'",
        "as STS takes a source identity",
    ),
    "a certificate of another region": (
        {"tracking": section("tracking", certificate_arn="arn:aws:acm:us-east-1:123456789012:certificate/a-1")},
        "tracking.certificate_arn",
        "us-east-1",
        "a certificate of eu-west-1 in account 123456789012",
    ),
    "keys of an account that nobody administers": (
        {"accounts": {"evidence": {"account_id": OTHER}}, "administrators": ["arn:aws:iam::123456789012:role/a"]},
        "administrators",
        "role/a",
        f"among others a principal of account {OTHER}",
    ),
    "a key choice that is no Boolean": (
        {"keys": {"multi_region": "maybe"}},
        "keys.multi_region",
        "'maybe'",
        "true or false",
    ),
    "a staging without a second region": (
        {"environment": "staging"},
        "recovery",
        "nothing",
        "because environment staging has to survive its region",
    ),
    "a broken section": ({"vault": "{retention_days: 30"}, "vault", "'{retention_days: 30'", "a section with"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_what_is_wrong_is_named_with_the_value_received_and_what_would_be_accepted(what: str) -> None:
    changed, path, received, accepted = WRONG[what]
    found = problems(**changed)
    assert f"interlock:{path}" in found, found
    assert received in found[f"interlock:{path}"].received
    assert accepted in found[f"interlock:{path}"].accepted


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems(
        vaultt=1,
        vault={"retention_days": 7},
        network=section("network", subnets={"eu-west-1a": "10.20.0.0/20", "eu-west-1b": "10.20.0.0/21"}),
        tracking=section("tracking", database={"storage_gib": {"min": 50, "max": 20}}),
        endpoints=[{"name": "one", "image": "x"}, {"name": "one", "image": IMAGE}],
    )
    assert set(found) == {
        "interlock:vaultt",
        "interlock:vault.retention_days",
        "interlock:network.subnets",
        "interlock:tracking.database.storage_gib.max",
        "interlock:endpoints[0].image",
        "interlock:endpoints",
    }


@pytest.mark.parametrize("stack", ["Local", "my_stack", "x", "prod.eu", "-dev"])
def test_a_stack_whose_name_cannot_name_an_endpoint_is_refused(stack: str) -> None:
    with pytest.raises(ArgumentError, match=f"the stack's name: received '{stack}'; accepted: 2 to 40 small letters"):
        read_settings(stack, local())


def test_a_foundation_alone_needs_no_platform_sections() -> None:
    settings = read_settings("local", local(layers=["foundation"], network=..., tracking=..., endpoints=...))
    assert settings.network is None


def test_keys_of_other_namespaces_are_not_ours_to_judge() -> None:
    assert read_settings("local", {**local(), "aws:region": "us-east-1"}).region == "eu-west-1"


def test_an_error_is_text_without_a_traceback_for_whoever_runs_pulumi() -> None:
    with pytest.raises(pulumi.RunError, match="settings: 1 wrong value\n  interlock:account_id: received '1'"):
        read_settings("local", local(account_id="1"))
