"""What a load balancer's proxy is told, made from moto's records. Pure but for writing certificates' files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.acm.models import acm_backends

from rehearsal.cloud.certificates import write_private
from rehearsal.cloud.places import place_of
from rehearsal.cloud.services.elbv2.health import Check, Health, State

TargetKey = tuple[str, str, int]
Reach = Callable[[str, int], str | None]
"""Says where to connect to, as address and port, for a target's; None if the network lets no connection pass."""
"""A target: its group's ARN, its address and its port."""


@dataclass(frozen=True)
class Certificates:
    """The files of ACM's certificates in `directory`, for the proxies to read."""

    directory: Path

    def files(self, arn: str) -> dict[str, Any] | None:
        """Write a certificate's files if they changed and return their names, None if ACM has no such certificate."""
        bundle = place_of(arn).backend(acm_backends)._certificates.get(arn)
        if bundle is None:
            return None
        self.directory.mkdir(parents=True, exist_ok=True)
        serial = f"{bundle._cert.serial_number:x}"
        file, key_file = self.directory / f"{serial}.pem", self.directory / f"{serial}.key"
        if not file.exists():
            write_private(key_file, bundle.key)
            file.write_bytes(bundle.cert.strip() + b"\n" + bundle.chain)
        return {"file": str(file), "key_file": str(key_file), "names": sorted({bundle.common_name, *bundle.sans})}


def check_of(group: Any, target_port: int) -> Check:
    """Return how a target group checks one of its targets."""
    port = group.health_check_port
    return Check(
        scheme=str(group.health_check_protocol or "HTTP").lower(),
        port=target_port if port in (None, "traffic-port") else int(port),
        path=group.health_check_path or "/",
        interval=float(group.health_check_interval_seconds),
        timeout=float(group.health_check_timeout_seconds),
        healthy_threshold=int(group.healthy_threshold_count),
        unhealthy_threshold=int(group.unhealthy_threshold_count),
        matcher=str((getattr(group, "matcher", None) or {}).get("HttpCode") or "200"),
    )


def registered(group: Any) -> list[TargetKey]:
    """Return the targets registered in a target group."""
    return [(group.arn, str(target["Id"]), int(target.get("Port") or group.port)) for target in group.targets.values()]


def groups_of(balancer: Any) -> set[str]:
    """Return the ARNs of the target groups that a load balancer's listeners forward to."""
    actions = [
        action.data
        for listener in balancer.listeners.values()
        for rule in listener.rules.values()
        for action in rule.actions
    ]
    direct = {str(action["TargetGroupArn"]) for action in actions if action.get("TargetGroupArn")}
    weighted = [group for action in actions for group in (action.get("ForwardConfig") or {}).get("TargetGroups", [])]
    return direct | {str(group["TargetGroupArn"]) for group in weighted}


def describe(
    balancer: Any,
    address: str,
    groups: Mapping[str, Any],
    health: Mapping[TargetKey, Health],
    certificates: Certificates,
    reach: Reach,
) -> dict[str, Any]:
    """Return the configuration of a load balancer's proxy, without its version."""
    wanted = groups_of(balancer)
    return {
        "address": address,
        "idle_timeout": int(balancer.attrs.get("idle_timeout.timeout_seconds", 60)),
        "listeners": [described for one in balancer.listeners.values() if (described := _listener(one, certificates))],
        "target_groups": {arn: _group(groups[arn], health, reach) for arn in sorted(wanted) if arn in groups},
    }


def _listener(listener: Any, certificates: Certificates) -> dict[str, Any] | None:
    if listener.protocol not in {"HTTP", "HTTPS"}:
        return None
    arns = dict.fromkeys([listener.certificate, *listener.certificates]) if listener.protocol == "HTTPS" else {}
    files = [found for arn in arns if arn and (found := certificates.files(arn))]
    if listener.protocol == "HTTPS" and not files:
        return None
    ordered = sorted(
        (rule for rule in listener.rules.values() if rule.priority != "default"), key=lambda rule: int(rule.priority)
    )
    default = [rule for rule in listener.rules.values() if rule.priority == "default"]
    return {
        "port": int(listener.port),
        "scheme": listener.protocol.lower(),
        "certificates": files,
        "minimum_tls": _minimum_tls(str(listener.ssl_policy)),
        "rules": [_rule(rule) for rule in [*ordered, *default]],
    }


def _rule(rule: Any) -> dict[str, Any]:
    actions = sorted(
        (_plain(action.data) for action in rule.actions), key=lambda action: int(action.get("Order") or 50000)
    )
    return {"conditions": [_plain(condition) for condition in rule.conditions], "actions": actions}


def _minimum_tls(policy: str) -> str:
    """Return the oldest version a security policy allows, 1.2 where it allows what is broken.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    """
    return "TLSv1_3" if re.search(r"TLS13-1-3", policy) else "TLSv1_2"


def _group(group: Any, health: Mapping[TargetKey, Health], reach: Reach) -> dict[str, Any]:
    members = [(key, health[key]) for key in registered(group) if key in health]
    usable = [key for key, state in members if state.is_usable]
    # With no healthy target a load balancer fails open: it tries all that it has.
    chosen = usable or [key for key, state in members if state.state is State.UNHEALTHY]
    draining = [key for key, state in health.items() if key[0] == group.arn and state.state is State.DRAINING]
    return {
        "scheme": str(group.protocol).lower(),
        "algorithm": str(group.attributes.get("load_balancing.algorithm.type", "round_robin")),
        "usable": [f"{address}:{port}" for _, address, port in chosen],
        "places": {f"{address}:{port}": reach(address, port) for _, address, port in chosen},
        "draining": [f"{address}:{port}" for _, address, port in draining],
    }


def _plain(value: Any) -> Any:
    """Return moto's parsed request structures as plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
