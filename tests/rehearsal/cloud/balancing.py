"""A load balancer and its targets, as a client of the local cloud makes and meets them."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rehearsal.cloud.processes import Process
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.networks import workstation_group
from tests.rehearsal.cloud.waiting import until


class Target:
    """A small web server on an address of its own that tells what it got; `healthy` is what it answers to checks."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.healthy = True
        self.release = threading.Event()
        """What the answers to `/held` wait for."""
        self.held = 0
        self.checks = 0
        self.address = cloud.context.addresses.allocate("a test's target")
        self.server = ThreadingHTTPServer((self.address, 8000), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path == "/health":
                    target.checks += 1
                    self._answer(200 if target.healthy else 500, b"")
                elif self.path.startswith("/large"):
                    self._large(int(self.path.rpartition("=")[2]))
                elif self.path == "/held":
                    target.held += 1
                    target.release.wait(60)
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
            http.client.HTTPConnection(self.address, port, timeout=30).connect()
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

    def until_health(self, target: Target, state: str, seconds: float = 60) -> tuple[str, str | None]:
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

    def proxy(self) -> Process:
        """Return the process that the load balancer is; its configuration is named after it."""
        name = self.arn.rpartition("/")[2]
        alive = self.cloud.context.processes.alive()
        return next(one for one in alive if any(name in word for word in one.program.arguments))
