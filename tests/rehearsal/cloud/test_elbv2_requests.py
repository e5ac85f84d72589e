from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.balancing import Balancer, Target
from tests.rehearsal.cloud.waiting import until

DOMAIN = "balancer.example.com"
pytestmark = pytest.mark.usefixtures("quick_checks")


def imported(cloud: LocalCloud, domain: str) -> str:
    """Return the ARN of a new certificate in ACM."""
    issued = cloud.context.authority.issue(domain, [domain], list(cloud.context.addresses.load_balancer_addresses))
    acm = cloud.client("acm")
    answer = acm.import_certificate(
        Certificate=issued.certificate, PrivateKey=issued.private_key, CertificateChain=issued.chain
    )
    return str(answer["CertificateArn"])


def test_requests_go_to_healthy_targets_in_turn(cloud: LocalCloud, balancer: Balancer, target: Target) -> None:
    other, broken = Target(cloud), Target(cloud)
    broken.healthy = False
    balancer.listen()
    balancer.register(target, other, broken)
    balancer.until_health(broken, "unhealthy")
    balancer.until_health(other, "healthy")

    answered = [json.loads(balancer.ask()[1])["address"] for _ in range(10)]
    assert {address: answered.count(address) for address in set(answered)} == {target.address: 5, other.address: 5}
    other.close()
    broken.close()


def test_a_target_learns_who_asked_and_how(balancer: Balancer, target: Target) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
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


def test_a_hundred_megabytes_pass_both_ways_unbuffered(balancer: Balancer, target: Target) -> None:
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")
    size = 100 * 1024 * 1024
    body = os.urandom(1024 * 1024) * 100

    assert balancer.ask("/upload", "POST", body=body) == (201, hashlib.sha256(body).hexdigest().encode())
    status, received = balancer.ask(f"/large?size={size}")
    assert (status, len(received)) == (200, size)
    lines = Path(f"/proc/{balancer.proxy().pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 150 * 1024, "kB"


def test_a_target_that_fails_is_answered_for(balancer: Balancer, target: Target) -> None:
    balancer.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer.arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "2"}]
    )
    balancer.listen()
    balancer.register(target)
    balancer.until_health(target, "healthy")

    assert balancer.ask("/hangup")[0] == 502
    assert balancer.ask("/held")[0] == 504
    target.close()
    assert balancer.ask("/")[0] == 502


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
    certificate = imported(cloud, DOMAIN)
    balancer.listen(
        443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    )
    balancer.register(target)
    balancer.until_health(target, "healthy")
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


def test_a_listener_refuses_nobody_while_its_certificate_changes(cloud: LocalCloud, balancer: Balancer) -> None:
    names = ["before.example.com", "after.example.com"]
    before, after = (imported(cloud, name) for name in names)
    listener = balancer.listen(443, Protocol="HTTPS", Certificates=[{"CertificateArn": before}])
    trusting = ssl.create_default_context(cafile=str(cloud.context.authority.certificate_file))
    trusting.check_hostname = False

    def shown() -> str:
        with (
            socket.create_connection((balancer.address, 443), 10) as plain,
            trusting.wrap_socket(plain, server_hostname="any.example.com") as secured,
        ):
            told: Any = secured.getpeercert()
            return str(dict(one[0] for one in told["subject"])["commonName"])

    assert shown() == names[0]
    balancer.elb.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": after}])
    until(shown, lambda name: name == names[1])
