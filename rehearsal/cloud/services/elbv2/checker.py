"""Carries out one health check as a load balancer does.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import http.client
import socket
import ssl

from rehearsal.cloud.services.elbv2.health import Check, Outcome, matches

_ANY_CERTIFICATE = ssl.create_default_context()
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE


def perform(check: Check, address: str) -> Outcome:
    """Check the target at `address` and return what was seen."""
    try:
        if check.scheme not in {"http", "https"}:
            socket.create_connection((address, check.port), check.timeout).close()
            return Outcome(True)
        status = _status(check, address)
    except TimeoutError:
        return Outcome(False, "Target.Timeout", "Request timed out")
    except (OSError, http.client.HTTPException):
        return Outcome(False, "Target.FailedHealthChecks", "Health checks failed")
    if matches(check.matcher, status):
        return Outcome(True)
    return Outcome(False, "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


def _status(check: Check, address: str) -> int:
    connection = (
        http.client.HTTPSConnection(address, check.port, timeout=check.timeout, context=_ANY_CERTIFICATE)
        if check.scheme == "https"
        else http.client.HTTPConnection(address, check.port, timeout=check.timeout)
    )
    try:
        connection.request("GET", check.path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()
