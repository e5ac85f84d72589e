from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import threading
import time

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.balancing import Balancer, Target
from tests.rehearsal.cloud.waiting import until

DOMAIN = "balancer.example.com"
pytestmark = pytest.mark.usefixtures("quick_checks")


@pytest.mark.corrects("elbv2.load-balancer-is-a-proxy")
def test_a_load_balancer_is_provisioning_and_then_answers_at_its_dns_name(cloud: LocalCloud) -> None:
    balancer = Balancer(cloud)
    try:
        assert balancer.state == "provisioning"
        assert balancer.address in cloud.context.addresses.load_balancer_addresses
        until(balancer.described_state, lambda state: state == "active")
        balancer.listen()
        assert balancer.ask()[0] == 503
    finally:
        balancer.delete()
    until(lambda: balancer.accepts(80), lambda accepts: not accepts)


def test_a_load_balancer_of_another_region_serves_with_that_regions_certificate(
    cloud: LocalCloud, target: Target
) -> None:
    balancer = Balancer(cloud, "eu-central-1")
    arns = cloud.certificate(DOMAIN)
    assert {region: arn.split(":")[3] for region, arn in arns.items()} == {name: name for name in cloud.context.regions}
    balancer.register(target)
    balancer.listen(443, Protocol="HTTPS", Certificates=[{"CertificateArn": arns["eu-central-1"]}])
    balancer.until_health(target, "healthy")
    trusting = ssl.create_default_context(cafile=str(cloud.context.authority.certificate_file))

    connection = http.client.HTTPSConnection(balancer.address, 443, context=trusting, timeout=10)
    connection.request("GET", "/here")
    assert connection.getresponse().status == 200
    assert balancer.arn in cloud.inventory()["elbv2"]
    balancer.delete()


@pytest.mark.corrects("elbv2.target-health")
def test_a_target_s_health_is_what_its_checks_find(balancer: Balancer, target: Target) -> None:
    balancer.register(target)
    assert balancer.until_health(target, "unused") == ("unused", "Target.NotInUse")

    target.healthy = False
    balancer.listen()
    assert balancer.until_health(target, "unhealthy") == ("unhealthy", "Target.ResponseCodeMismatch")
    target.healthy = True
    assert balancer.until_health(target, "healthy") == ("healthy", None)


def test_a_target_is_healthy_once_the_load_balancer_sends_to_it(balancer: Balancer, target: Target) -> None:
    balancer.listen()
    proxy = balancer.proxy()
    os.kill(proxy.pid, signal.SIGSTOP)
    try:
        balancer.register(target)
        until(lambda: target.checks, lambda checks: checks > 1)
        assert balancer.health()[target.address][0] == "initial"
    finally:
        os.kill(proxy.pid, signal.SIGCONT)
    balancer.until_health(target, "healthy")
    assert balancer.ask()[0] == 200


def test_with_no_healthy_target_all_are_tried(balancer: Balancer, target: Target) -> None:
    target.healthy = False
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "unhealthy")
    until(lambda: balancer.ask()[0], lambda status: status == 200)


def test_a_deregistered_target_ends_what_it_began_and_gets_nothing_new(
    cloud: LocalCloud, balancer: Balancer, target: Target
) -> None:
    other = Target(cloud)
    balancer.listen()
    balancer.register(target, other)
    balancer.until_health(target, "healthy")
    balancer.until_health(other, "healthy")
    answers: list[tuple[int, bytes]] = []
    held = [threading.Thread(target=lambda: answers.append(balancer.ask("/held"))) for _ in range(2)]
    for thread in held:
        thread.start()
    until(lambda: (target.held, other.held), lambda seen: seen == (1, 1))
    balancer.elb.deregister_targets(TargetGroupArn=balancer.group, Targets=[{"Id": target.address}])

    assert balancer.until_health(target, "draining") == ("draining", "Target.DeregistrationInProgress")
    asked = lambda: {json.loads(balancer.ask()[1])["address"] for _ in range(6)}  # noqa: E731
    assert until(asked, lambda seen: len(seen) == 1) == {other.address}
    assert balancer.health()[target.address][0] == "draining"
    target.release.set()
    other.release.set()
    for thread in held:
        thread.join()
    assert sorted(answers) == sorted([(200, target.address.encode()), (200, other.address.encode())])
    balancer.until_health(target, "unused")
    other.close()


def test_a_target_drains_from_the_moment_it_is_deregistered_until_the_proxy_knows(
    balancer: Balancer, target: Target
) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    proxy = balancer.proxy()
    os.kill(proxy.pid, signal.SIGSTOP)
    try:
        balancer.elb.deregister_targets(TargetGroupArn=balancer.group, Targets=[{"Id": target.address}])
        assert balancer.health()[target.address][0] == "draining"
        time.sleep(1.5)
        assert balancer.health()[target.address][0] == "draining"
    finally:
        os.kill(proxy.pid, signal.SIGCONT)
    until(balancer.health, lambda seen: seen == {})


@pytest.mark.corrects("elbv2.deletion-protection")
def test_a_protected_load_balancer_is_not_deleted(cloud: LocalCloud) -> None:
    balancer = Balancer(cloud)
    attribute = "deletion_protection.enabled"
    balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn, Attributes=[{"Key": attribute, "Value": "true"}]
    )
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        balancer.elb.delete_load_balancer(LoadBalancerArn=balancer.arn)
    balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn, Attributes=[{"Key": attribute, "Value": "false"}]
    )
    balancer.delete()


def test_a_killed_proxy_is_started_again(balancer: Balancer, target: Target) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    balancer.proxy().kill()

    def status() -> int:
        try:
            return balancer.ask()[0]
        except OSError:
            return 0

    assert until(status, lambda seen: seen == 200) == 200
