from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import ssl
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import workstation_group
from tests.rehearsal.cloud.waiting import until

DOMAIN = "balancer.example.com"


class Target:
    """A small web server on an address of its own that tells what it got; `healthy` is what it answers to checks."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.healthy = True
        self.address = cloud.context.addresses.allocate("a test's target")
        self.server = ThreadingHTTPServer((self.address, 8000), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path == "/health":
                    self._answer(200 if target.healthy else 500, b"")
                elif self.path.startswith("/large"):
                    self._large(int(self.path.rpartition("=")[2]))
                elif self.path.startswith("/slow"):
                    time.sleep(float(self.path.rpartition("=")[2]))
                    self._answer(200, target.address.encode())
                elif self.path == "/hangup":
                    self.connection.close()
                    self.close_connection = True
                else:
                    seen = {"address": target.address, "path": self.path, "headers": dict(self.headers.items())}
                    self._answer(200, json.dumps(seen).encode())

            def do_POST(self) -> None:
                digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
                while left:
                    chunk = self.rfile.read(min(left, 65536))
                    digest.update(chunk)
                    left -= len(chunk)
                self._answer(201, digest.hexdigest().encode())

            def _large(self, size: int) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                block = b"x" * 65536
                for start in range(0, size, len(block)):
                    self.wfile.write(block[: size - start])

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


class Balancer:
    """A load balancer with one target group, as a client declares them."""

    def __init__(self, cloud: LocalCloud, region: str | None = None, **group: Any) -> None:
        self.cloud = cloud
        place = {"region_name": region or cloud.region}
        self.elb = cloud.client("elbv2", **place)
        subnets = cloud.client("ec2", **place).describe_subnets()["Subnets"][:2]
        self.name = f"lb-{uuid.uuid4().hex[:8]}"
        created = self.elb.create_load_balancer(
            Name=self.name,
            Subnets=[subnet["SubnetId"] for subnet in subnets],
            SecurityGroups=[workstation_group(cloud, region)],
            Scheme="internal",
        )["LoadBalancers"][0]
        self.arn, self.state = created["LoadBalancerArn"], created["State"]["Code"]
        self.address = created["DNSName"]
        settings = {"HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 5, "HealthyThresholdCount": 2, **group}
        self.group = self.elb.create_target_group(
            Name=self.name, Protocol="HTTP", Port=8000, VpcId=subnets[0]["VpcId"], TargetType="ip", **settings
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(
            TargetGroupArn=self.group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}]
        )

    def described_state(self) -> str:
        described = self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"][0]
        return str(described["State"]["Code"])

    def listen(self, port: int = 80, **options: Any) -> str:
        forward = [{"Type": "forward", "TargetGroupArn": self.group}]
        given = {"Protocol": "HTTP", "DefaultActions": forward, **options}
        listener = self.elb.create_listener(LoadBalancerArn=self.arn, Port=port, **given)["Listeners"][0]
        until(lambda: self.accepts(port), bool)
        return str(listener["ListenerArn"])

    def accepts(self, port: int) -> bool:
        try:
            http.client.HTTPConnection(self.address, port, timeout=5).connect()
        except OSError:
            return False
        return True

    def register(self, *targets: Target) -> None:
        self.elb.register_targets(TargetGroupArn=self.group, Targets=[{"Id": target.address} for target in targets])

    def health(self) -> dict[str, tuple[str, str | None]]:
        described = self.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {
            one["Target"]["Id"]: (one["TargetHealth"]["State"], one["TargetHealth"].get("Reason")) for one in described
        }

    def until_health(self, target: Target, state: str, seconds: float = 30) -> tuple[str, str | None]:
        seen = until(self.health, lambda seen: seen.get(target.address, ("unused", None))[0] == state, seconds)
        return seen.get(target.address, ("unused", None))

    def ask(self, path: str = "/", method: str = "GET", port: int = 80, **options: Any) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address, port, timeout=60)
        connection.request(method, path, **options)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def delete(self) -> None:
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        self.elb.delete_target_group(TargetGroupArn=self.group)


@pytest.fixture
def balancer(cloud: LocalCloud) -> Iterator[Balancer]:
    balancer = Balancer(cloud)
    yield balancer
    balancer.delete()


@pytest.fixture
def target(cloud: LocalCloud) -> Iterator[Target]:
    target = Target(cloud)
    yield target
    target.close()


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

    def status() -> int:
        connection = http.client.HTTPSConnection(balancer.address, 443, context=trusting, timeout=10)
        connection.request("GET", "/here")
        return connection.getresponse().status

    until(status, lambda seen: seen == 200)
    assert balancer.arn in cloud.inventory()["elbv2"]
    balancer.delete()


@pytest.mark.corrects("elbv2.target-health")
def test_a_target_s_health_is_what_its_checks_find(balancer: Balancer, target: Target) -> None:
    balancer.register(target)
    assert balancer.until_health(target, "unused", 5) == ("unused", "Target.NotInUse")

    target.healthy = False
    balancer.listen()
    assert balancer.until_health(target, "unhealthy") == ("unhealthy", "Target.ResponseCodeMismatch")
    target.healthy = True
    assert balancer.until_health(target, "healthy") == ("healthy", None)


def test_requests_go_to_healthy_targets_in_turn(cloud: LocalCloud, balancer: Balancer, target: Target) -> None:
    other, broken = Target(cloud), Target(cloud)
    broken.healthy = False
    balancer.listen()
    balancer.register(target, other, broken)
    balancer.until_health(broken, "unhealthy")
    balancer.until_health(other, "healthy")
    time.sleep(1)

    answered = [json.loads(balancer.ask()[1])["address"] for _ in range(10)]
    assert {address: answered.count(address) for address in set(answered)} == {target.address: 5, other.address: 5}
    other.close()
    broken.close()


def test_with_no_healthy_target_all_are_tried(balancer: Balancer, target: Target) -> None:
    target.healthy = False
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "unhealthy")
    until(lambda: balancer.ask()[0], lambda status: status == 200)


def test_a_target_learns_who_asked_and_how(balancer: Balancer, target: Target) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    time.sleep(1)
    status, body = balancer.ask(
        "/a%2Fb?c=d%20e", headers={"X-Forwarded-For": "203.0.113.9", "Host": "tracking.example.com"}
    )
    seen = json.loads(body)
    headers = {name.lower(): value for name, value in seen["headers"].items()}

    assert (status, seen["path"]) == (200, "/a%2Fb?c=d%20e")
    assert headers["x-forwarded-for"].startswith("203.0.113.9, 127.")
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", "80")
    assert headers["host"] == "tracking.example.com"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")


def proxy_of(cloud: LocalCloud, balancer: Balancer) -> Any:
    """Return the process that a balancer is; its configuration is named after it."""
    name = balancer.arn.rpartition("/")[2]
    return next(one for one in cloud.context.processes.alive() if any(name in word for word in one.program.arguments))


def test_a_hundred_megabytes_pass_both_ways_unbuffered(cloud: LocalCloud, balancer: Balancer, target: Target) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    time.sleep(1)
    size = 100 * 1024 * 1024
    body = os.urandom(1024 * 1024) * 100

    assert balancer.ask("/upload", "POST", body=body) == (201, hashlib.sha256(body).hexdigest().encode())
    status, received = balancer.ask(f"/large?size={size}")
    assert (status, len(received)) == (200, size)
    proxy = proxy_of(cloud, balancer)
    lines = Path(f"/proc/{proxy.pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 150 * 1024, "kB"


def test_a_target_that_fails_is_answered_for(balancer: Balancer, target: Target) -> None:
    balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "2"}]
    )
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    time.sleep(1)

    assert balancer.ask("/hangup")[0] == 502
    assert balancer.ask("/slow?seconds=4")[0] == 504
    target.close()
    assert balancer.ask("/")[0] == 502


def test_a_deregistered_target_ends_what_it_began_and_gets_nothing_new(
    cloud: LocalCloud, balancer: Balancer, target: Target
) -> None:
    other = Target(cloud)
    balancer.listen()
    balancer.register(target, other)
    balancer.until_health(target, "healthy")
    balancer.until_health(other, "healthy")
    time.sleep(1)
    answers: list[tuple[int, bytes]] = []
    slow = [threading.Thread(target=lambda: answers.append(balancer.ask("/slow?seconds=4"))) for _ in range(2)]
    for thread in slow:
        thread.start()
    time.sleep(0.5)
    balancer.elb.deregister_targets(TargetGroupArn=balancer.group, Targets=[{"Id": target.address}])

    assert balancer.until_health(target, "draining") == ("draining", "Target.DeregistrationInProgress")
    time.sleep(1)
    assert {json.loads(balancer.ask()[1])["address"] for _ in range(6)} == {other.address}
    for thread in slow:
        thread.join()
    assert sorted(answers) == sorted([(200, target.address.encode()), (200, other.address.encode())])
    balancer.until_health(target, "unused", 5)
    other.close()


def test_a_target_drains_from_the_moment_it_is_deregistered_until_the_proxy_knows(
    cloud: LocalCloud, balancer: Balancer, target: Target
) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    name = f"/{balancer.arn.rpartition('/')[2]}"
    proxy = next(p for p in cloud.context.processes.alive() if str(p.program.directory).endswith(name))
    os.kill(proxy.pid, signal.SIGSTOP)
    try:
        balancer.elb.deregister_targets(TargetGroupArn=balancer.group, Targets=[{"Id": target.address}])
        assert balancer.health()[target.address][0] == "draining"
        time.sleep(3)
        assert balancer.health()[target.address][0] == "draining"
    finally:
        os.kill(proxy.pid, signal.SIGCONT)
    until(balancer.health, lambda seen: seen == {}, 5)


def test_rules_decide_by_priority(balancer: Balancer, target: Target) -> None:
    listener = balancer.listen()
    balancer.register(target)
    fixed = {"StatusCode": "418", "ContentType": "text/plain", "MessageBody": "teapot"}
    balancer.elb.create_rule(
        ListenerArn=listener,
        Priority=20,
        Conditions=[{"Field": "path-pattern", "Values": ["/tea*"]}],
        Actions=[{"Type": "redirect", "RedirectConfig": {"Path": "/coffee", "StatusCode": "HTTP_301"}}],
    )
    until(lambda: balancer.ask("/tea/pot")[0], lambda status: status == 301)
    balancer.elb.create_rule(
        ListenerArn=listener,
        Priority=10,
        Conditions=[{"Field": "path-pattern", "Values": ["/tea/*"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )
    until(lambda: balancer.ask("/tea/pot"), lambda answer: answer == (418, b"teapot"))
    assert balancer.ask("/tea")[0] == 301


def test_https_shows_the_certificate_of_acm_and_refuses_old_tls(
    cloud: LocalCloud, balancer: Balancer, target: Target
) -> None:
    authority = cloud.context.authority
    issued = authority.issue(DOMAIN, [DOMAIN], list(cloud.context.addresses.load_balancer_addresses))
    certificate = cloud.client("acm").import_certificate(
        Certificate=issued.certificate, PrivateKey=issued.private_key, CertificateChain=issued.chain
    )["CertificateArn"]
    balancer.listen(
        443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    )
    balancer.register(target)
    balancer.until_health(target, "healthy")
    time.sleep(1)
    trusting = ssl.create_default_context(cafile=str(authority.certificate_file))
    connection = http.client.HTTPSConnection(balancer.address, 443, context=trusting, timeout=10)
    connection.request("GET", "/")
    seen = json.loads(connection.getresponse().read())
    assert {name.lower(): value for name, value in seen["headers"].items()}["x-forwarded-proto"] == "https"

    old = ssl.create_default_context(cafile=str(authority.certificate_file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        http.client.HTTPSConnection(balancer.address, 443, context=old, timeout=10).connect()
    with pytest.raises(ssl.SSLCertVerificationError):
        http.client.HTTPSConnection(balancer.address, 443, context=ssl.create_default_context(), timeout=10).connect()


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


def test_a_killed_proxy_is_started_again(cloud: LocalCloud, balancer: Balancer, target: Target) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    proxy = proxy_of(cloud, balancer)
    proxy.kill()

    def status() -> int:
        try:
            return balancer.ask()[0]
        except OSError:
            return 0

    assert until(status, lambda seen: seen == 200) == 200
