"""How what is attached to a network reaches AWS's services: by the internet, or through an endpoint of its VPC.

Source: https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html and
https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from moto.ec2.models import ec2_backends

from rehearsal.cloud.network.reachability import INTERNET, lets_out, obstacle, reaches_internet
from rehearsal.cloud.network.topology import Interface, interfaces, route_table_of, side_of

HTTPS = 443
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
# Where the name that a request is signed with is not that of the endpoint.
_ENDPOINTS = {
    "ecr": "ecr.api",
    "sagemaker": "sagemaker.api",
    "ses": "email",
    "elasticfilesystem-api": "elasticfilesystem",
}


@dataclass(frozen=True)
class Called:
    """What a request is for: a service by the name of its VPC endpoint, in a region."""

    service: str
    region: str


def called(environ: Mapping[str, Any]) -> Called | None:
    """Return what the signature of a WSGI request says it is for, None without one."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        presigned = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [""])[0]
        scope = _SCOPE.search(f"Credential={presigned}")
    if scope is None:
        return None
    region, name = scope.groups()
    if name == "sagemaker" and environ.get("PATH_INFO", "").endswith("/invocations"):
        return Called("sagemaker.runtime", region)
    return Called(_ENDPOINTS.get(name, name), region)


def service_obstacle(interface: Interface, wanted: Called) -> str | None:
    """Return why an interface cannot call a service, None if it can; in EC2's turn."""
    source = side_of(interface, "0.0.0.0")  # noqa: S104 (its address is in no rule about services)
    if source is None:
        return "its subnet is gone"
    if reaches_internet(source) and lets_out(source, INTERNET, HTTPS):
        return None
    backend = interface.place.backend(ec2_backends)
    found = [
        one for one in _endpoints(backend, wanted) if source.subnet is not None and one.vpc_id == source.subnet.vpc[2]
    ]
    problems = [_endpoint_obstacle(interface, backend, one) for one in found]
    if None in problems:
        return None
    return next(iter(problems), None) or f"its VPC has no endpoint for {wanted.service} in {wanted.region}"


def _endpoints(backend: Any, wanted: Called) -> Iterator[Any]:
    name = f"com.amazonaws.{wanted.region}.{wanted.service}"
    return (
        one for one in list(backend.vpc_end_points.values()) if one.service_name == name and one.state == "available"
    )


def _endpoint_obstacle(interface: Interface, backend: Any, endpoint: Any) -> str | None:
    source = side_of(interface, "0.0.0.0")  # noqa: S104 (as above)
    assert source is not None
    if str(endpoint.vpc_endpoint_type or "Gateway").lower() == "gateway":
        table = route_table_of(backend, interface.subnet_id, endpoint.vpc_id)
        if table is None or table.id not in endpoint.route_table_ids:
            return f"its route table is none of {endpoint.id}'s"
        if not lets_out(source, INTERNET, HTTPS, endpoint.destination_prefix_list_id):
            return f"no egress rule leads to {endpoint.id}"
        return None
    if not endpoint.private_dns_enabled:
        return f"{endpoint.id} has no private DNS name"
    places: Sequence[Interface] = interfaces(interface.place, endpoint.subnet_ids or (), endpoint.security_group_ids)
    sides = [side_of(place, "0.0.0.0") for place in places]  # noqa: S104 (as above)
    problems = [obstacle(source, side, HTTPS) for side in sides if side is not None]
    return next((problem for problem in problems if problem is not None), None if problems else "it has no interface")
