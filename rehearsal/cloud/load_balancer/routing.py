"""Which action a request meets: the conditions of listener rules, as an Application Load Balancer reads them. Pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """What conditions look at; `headers` has lower-case names, `host` no port."""

    method: str
    host: str
    path: str
    query: str
    client: str
    headers: Mapping[str, str]


def choose(rules: Sequence[Mapping[str, Any]], request: Request) -> Sequence[Mapping[str, Any]]:
    """Return the actions of the first rule of which all conditions hold; the default rule is the last."""
    for rule in rules:
        if all(holds(condition, request) for condition in rule["conditions"]):
            return list(rule["actions"])
    return []


def holds(condition: Mapping[str, Any], request: Request) -> bool:
    """Return whether one condition holds: one of its values has to."""
    field = condition["Field"]
    values = _values(condition)
    if field == "path-pattern":
        return any(_matches(value, request.path) for value in values)
    if field == "host-header":
        return any(_matches(value.lower(), request.host.lower()) for value in values)
    if field == "http-header":
        found = request.headers.get(str(condition["HttpHeaderConfig"]["HttpHeaderName"]).lower())
        return found is not None and any(_matches(value.lower(), found.lower()) for value in values)
    if field == "http-request-method":
        return request.method in values
    if field == "source-ip":
        address = ipaddress.ip_address(request.client)
        return any(address in ipaddress.ip_network(value, strict=False) for value in values)
    return _holds_in_query(condition["QueryStringConfig"]["Values"], request.query)


def redirection(config: Mapping[str, str], request: Request, scheme: str, port: int) -> tuple[int, str]:
    """Return the status and the Location of a redirect action.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
    """
    given = {"protocol": scheme, "host": request.host, "port": str(port), "path": request.path.lstrip("/")}
    given["query"] = request.query

    def filled(text: str) -> str:
        return re.sub(r"#\{(protocol|host|port|path|query)\}", lambda match: given[match[1]], text)

    to_scheme = filled(config.get("Protocol", "#{protocol}")).lower()
    to_port = filled(str(config.get("Port", "#{port}")))
    host = filled(config.get("Host", "#{host}"))
    netloc = host if to_port == {"http": "80", "https": "443"}.get(to_scheme) else f"{host}:{to_port}"
    query = filled(config.get("Query", "#{query}"))
    location = f"{to_scheme}://{netloc}{filled(config.get('Path', '/#{path}'))}"
    status = int(config.get("StatusCode", "HTTP_302").removeprefix("HTTP_"))
    return status, f"{location}?{query}" if query else location


def _values(condition: Mapping[str, Any]) -> list[str]:
    for name in (
        "PathPatternConfig",
        "HostHeaderConfig",
        "HttpHeaderConfig",
        "HttpRequestMethodConfig",
        "SourceIpConfig",
    ):
        if condition.get(name):
            return [str(value) for value in condition[name]["Values"]]
    return [str(value) for value in condition.get("Values") or []]


def _holds_in_query(wanted: Sequence[Mapping[str, str]], query: str) -> bool:
    pairs = [(key.lower(), value.lower()) for key, value in parse_qsl(query, keep_blank_values=True)]
    return any(
        ("Key" not in pattern or _matches(str(pattern["Key"]).lower(), key))
        and _matches(str(pattern["Value"]).lower(), value)
        for pattern in wanted
        for key, value in pairs
    )


def _matches(pattern: str, text: str) -> bool:
    # Of the shell's patterns a load balancer knows `*` and `?`; a bracket is but a bracket.
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
