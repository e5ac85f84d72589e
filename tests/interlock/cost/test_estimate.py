from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.cost.estimate import Estimate, differences, estimate, total
from interlock.cost.plan import read_preview
from interlock.cost.prices import STALE_DAYS
from interlock.cost.usage import Usage, read_usage
from tests.interlock.cost.previews import (
    UNKNOWN,
    component,
    database,
    endpoint,
    keys,
    preview,
    service,
    step,
    urn,
)
from tests.interlock.cost.tables import DAY, price_list

BUCKET = "aws:s3/bucket:Bucket"


def estimated(*steps: dict[str, Any], usage: Usage | None = None) -> Estimate:
    return estimate(read_preview(preview(*steps)), price_list(), usage or Usage())


def usage(**sections: Any) -> Usage:
    return read_usage(sections, "usage")


def test_tasks_cost_their_vcpu_and_memory_for_every_hour_of_the_month() -> None:
    found = estimated(*service(3, cpu=2048, memory=8192))
    assert found.total == 3 * 730 * (2 * Decimal("0.04") + 8 * Decimal("0.004"))
    assert found.unpriced == ()


def test_a_task_that_no_service_runs_costs_the_hours_assumed() -> None:
    definition = service(1)[0]
    assert estimated(definition, usage=usage(task={"hours": 10})).total == 10 * (Decimal("0.04") + 2 * Decimal("0.004"))


def test_a_standby_in_another_zone_doubles_the_instance_and_its_storage() -> None:
    none = usage(database={"backup_ratio": 1})
    alone, doubled = estimated(database(), usage=none), estimated(database(multiAz=True), usage=none)
    assert alone.total == 730 * Decimal("0.2") + 100 * Decimal("0.1")
    assert doubled.total == 2 * alone.total


def test_backups_cost_what_they_take_beyond_the_storage() -> None:
    more, as_much = (estimated(database(), usage=usage(database={"backup_ratio": ratio})).total for ratio in (3, 1))
    assert more - as_much == 200 * Decimal("0.1")


def test_a_replica_takes_from_its_source_what_it_does_not_say() -> None:
    replica = step(
        "aws:rds/instance:Instance",
        "replica",
        {"instanceClass": "db.m7g.large", "replicateSourceDb": UNKNOWN},
        region="eu-central-1",
        needs={"replicateSourceDb": [database()["urn"]]},
    )
    found = estimated(database(), replica)
    assert found.unpriced == ()
    shares = {region: usd for (_, region), usd in found.shares().items()}
    assert shares["eu-central-1"] == 730 * Decimal("0.2") + 100 * Decimal("0.1")


def test_an_endpoint_costs_the_instances_of_every_variant() -> None:
    found = estimated(*endpoint(2), usage=usage(endpoint={"processed_gib": 0}))
    assert found.total == 2 * 2 * 730 * Decimal("0.1")


def test_an_interface_endpoint_costs_by_zone_even_while_its_subnets_are_not_known() -> None:
    subnet = "aws:ec2/subnet:Subnet"
    names = ("a", "b", "c")
    inputs = {"vpcEndpointType": "Interface", "subnetIds": UNKNOWN}
    interface = step(
        "aws:ec2/vpcEndpoint:VpcEndpoint", "ecr", inputs, needs={"subnetIds": [urn(subnet, one) for one in names]}
    )
    gateway = step("aws:ec2/vpcEndpoint:VpcEndpoint", "s3", {"vpcEndpointType": "Gateway"})
    found = estimated(interface, gateway, usage=usage(traffic={"processed_gib": 0}))
    assert found.total == 3 * 730 * Decimal("0.01")


def test_a_bucket_with_a_rule_holds_the_share_assumed_in_colder_storage() -> None:
    rule = {"status": "Enabled", "transitions": [{"days": 90, "storageClass": "STANDARD_IA"}]}
    lifecycle = step(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "lifecycle",
        {"rules": [rule]},
        needs={"bucket": [urn(BUCKET, "store")]},
    )
    quiet = usage(bucket={"gib": 1000, "colder_share": 0.75, "writes": 0, "reads": 0})
    assert estimated(step(BUCKET, "store", {}), usage=quiet).total == 20
    assert estimated(step(BUCKET, "store", {}), lifecycle, usage=quiet).total == 5 + Decimal("7.5")


def test_replication_costs_the_way_and_the_promise_of_its_time() -> None:
    rule = {"status": "Enabled", "destination": {"replicationTime": {"status": "Enabled"}}}
    replication = step(
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        "replication",
        {"rules": [rule]},
        needs={"bucket": [urn(BUCKET, "vault")]},
    )
    quiet = usage(bucket={"gib": 0, "writes": 0, "reads": 0}, of={"vault": {"bucket": {"written_gib": 100}}})
    assert estimated(step(BUCKET, "vault", {}), replication, usage=quiet).total == 2 + Decimal("1.5")


def test_copies_of_images_are_counted_once() -> None:
    repository = "aws:ecr/repository:Repository"
    rules = [{"destinations": [{"region": "eu-central-1", "registryId": "111122223333"}]}]
    replication = step(
        "aws:ecr/replicationConfiguration:ReplicationConfiguration",
        "replication",
        {"replicationConfiguration": {"rules": rules}},
    )
    held = usage(repository={"gib": 10, "pushed_gib": 5})
    there = step(repository, "there", {}, region="eu-central-1")
    without = estimated(step(repository, "here", {}), replication, usage=held).total
    assert without == 1 + 5 * Decimal("0.02") + 1
    assert estimated(step(repository, "here", {}), replication, there, usage=held).total == without


def test_each_replica_of_a_secret_costs_as_a_secret() -> None:
    secret = step("aws:secretsmanager/secret:Secret", "secret", {"replicas": [{"region": "eu-central-1"}]})
    assert estimated(secret, usage=usage(secret={"reads": 0})).total == Decimal("0.8")


def test_what_has_no_price_is_named_and_not_taken_as_free() -> None:
    found = estimated(
        *keys(1),
        database(instanceClass="db.x2g.large"),
        *endpoint(1, "ml.p5.48xlarge"),
        step("aws:kms/key:Key", "far", {}, region="ap-south-1"),
        step("aws:redshift/cluster:Cluster", "warehouse", {}),
        step("aws:lb/loadBalancer:LoadBalancer", "gateway", {"loadBalancerType": "gateway"}),
    )
    reasons = {(one.resource.name, one.why) for one in found.unpriced}
    assert {
        ("database", "the price tables have no rds.postgres.instance of kind db.x2g.large in eu-west-1"),
        ("endpoint", "the price tables have no sagemaker.instance of kind ml.p5.48xlarge in eu-west-1"),
        ("far", "the price tables have no kms.key in ap-south-1"),
        ("warehouse", "no price is kept for resources of type aws:redshift/cluster:Cluster"),
        ("gateway", "no price is kept for load balancers of type gateway"),
    } <= reasons
    assert not any(line.resource.name in ("far", "warehouse", "gateway") for line in found.lines)


def test_what_the_preview_does_not_know_is_named() -> None:
    found = estimated(
        database(instanceClass=UNKNOWN),
        step("aws:ecs/service:Service", "adopted", {"desiredCount": 1, "taskDefinition": "arn:aws:ecs:…"}),
        step("aws:ec2/vpcEndpoint:VpcEndpoint", "late", {"vpcEndpointType": "Interface", "subnetIds": UNKNOWN}),
    )
    assert {one.resource.name: one.why for one in found.unpriced} == {
        "database": "instanceClass is not known before it is made",
        "adopted": "its task definition is not one of the stack",
        "late": "how many subnetIds there are is not known before it is made",
    }
    assert found.total == 0


def test_costs_are_summed_by_the_outermost_component_and_the_region() -> None:
    outer, inner = ("interlock:storage:Vault", "vault"), ("interlock:storage:PrivateBucket", "vault-inner")
    found = estimated(
        component(*outer),
        component(*inner, parent=urn(*outer)),
        step("aws:kms/key:Key", "one", {}, parent=urn(*inner)),
        step("aws:kms/key:Key", "two", {}, parent=urn(*outer), region="eu-central-1"),
        *keys(1),
        usage=usage(key={"requests": 0}),
    )
    assert {(str(one), region): usd for (one, region), usd in found.shares().items()} == {
        ("vault (Vault)", "eu-west-1"): 1,
        ("vault (Vault)", "eu-central-1"): 1,
        ("outside of components", "eu-west-1"): 1,
    }


def test_the_three_dearest_lines_come_first() -> None:
    found = estimated(*keys(3), database(multiAz=True), *endpoint(2))
    assert [line.charge.item for line in found.dominant()] == [
        "rds.postgres.instance",
        "sagemaker.instance",
        "sagemaker.instance",
    ]


def test_every_assumption_used_is_listed_once_and_special_ones_by_resource() -> None:
    found = estimated(*keys(2), usage=usage(of={"key-1": {"key": {"requests": 7}}, "gone": {"key": {"requests": 1}}}))
    assert [(one.path, one.value, one.of) for one in found.assumptions] == [
        ("key.requests", Decimal(20_000), ""),
        ("key.requests", Decimal(7), "key-1"),
    ]
    assert found.unused_usage == ("gone",)


def test_prices_are_doubted_when_their_table_is_older_than_half_a_year() -> None:
    found = estimated(*keys(1))
    assert found.stale(DAY + datetime.timedelta(days=STALE_DAYS)) == []
    assert found.stale(DAY + datetime.timedelta(days=STALE_DAYS + 1)) == [DAY]


def test_two_stacks_differ_by_component_and_region() -> None:
    first, second = estimated(*keys(1), database()), estimated(*keys(1), database(multiAz=True), *endpoint(1))
    found = differences(first, second)
    assert sum(one.more for one in found) == second.total - first.total
    assert {one.component for one in found} == {"outside of components"}
    assert differences(first, first) == []


COUNTS = st.integers(min_value=1, max_value=50)


@given(tasks=COUNTS, instances=COUNTS)
def test_twice_as_many_cost_twice_as_much(tasks: int, instances: int) -> None:
    none = usage(endpoint={"processed_gib": 0})
    once = estimated(*service(tasks), *endpoint(instances), usage=none)
    twice = estimated(*service(2 * tasks), *endpoint(2 * instances), usage=none)
    assert twice.total == 2 * once.total


@given(tasks=COUNTS, count=st.integers(0, 10), multi_az=st.booleans())
def test_the_parts_sum_to_the_total_and_each_part_costs_what_it_costs_alone(
    tasks: int, count: int, multi_az: bool
) -> None:
    parts = [service(tasks), [database(multiAz=multi_az)], keys(count)]
    whole = estimated(*(one for part in parts for one in part))
    assert whole.total == total(whole.lines) == sum(whole.shares().values())
    assert whole.total == sum(estimated(*part).total for part in parts)


@pytest.mark.parametrize("op", ["create", "same", "update", "import", "create-replacement"])
def test_what_would_exist_is_priced(op: str) -> None:
    assert estimated(step("aws:kms/key:Key", "key", {}, op=op)).total > 0


@pytest.mark.parametrize("op", ["delete", "delete-replaced", "read"])
def test_what_would_be_gone_or_belongs_to_others_is_not_priced(op: str) -> None:
    assert estimated(step("aws:kms/key:Key", "key", {}, op=op)).total == 0
