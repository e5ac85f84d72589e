"""The bill of materials of a release as CycloneDX 1.6.

Format: https://cyclonedx.org/docs/1.6/json/. It says the same whenever it is made of the same: it is dated as the
snapshot of vulnerabilities is, and numbered by the release.
"""

from __future__ import annotations

import string
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from interlock.release.gates.supply.inventory import Distribution
from interlock.release.gates.supply.osv import Severity, Vulnerability

_RATINGS: Final = {Severity.UNRATED: "unknown"}
_RELEASE: Final = "release"
_UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-._~")


def purl_of(name: str, version: str) -> str:
    """Return a distribution's package URL (https://github.com/package-url/purl-spec)."""
    return f"pkg:pypi/{_quoted(name)}@{_quoted(version)}"


def bill_of_materials(
    subject_digest: str,
    asked_for: Sequence[str],
    distributions: Sequence[Distribution],
    vulnerabilities: Sequence[Vulnerability],
    taken_at: datetime,
) -> dict[str, Any]:
    """Return the bill as a JSON document. `asked_for` are the names that the release itself asks for."""
    here = {one.name: purl_of(one.name, one.version) for one in distributions}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"urn:interlock:release:{subject_digest}").urn,
        "version": 1,
        "metadata": {
            "timestamp": taken_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "machine-learning-model",
                "bom-ref": _RELEASE,
                "name": _RELEASE,
                "version": subject_digest,
                "hashes": [{"alg": "SHA-256", "content": subject_digest}],
            },
        },
        "components": [_component(one) for one in distributions],
        "dependencies": [
            {"ref": _RELEASE, "dependsOn": sorted(here[one] for one in set(asked_for) if one in here)},
            *(
                {"ref": here[one.name], "dependsOn": sorted(here[need] for need in set(one.requires) if need in here)}
                for one in distributions
            ),
        ],
        "vulnerabilities": [_vulnerability(one) for one in vulnerabilities],
    }


def _quoted(text: str) -> str:
    """Percent-encode all but RFC 3986's unreserved characters."""
    return "".join(chr(one) if chr(one) in _UNRESERVED else f"%{one:02X}" for one in text.encode())


def _component(distribution: Distribution) -> dict[str, Any]:
    purl = purl_of(distribution.name, distribution.version)
    said: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": distribution.name,
        "version": distribution.version,
        "purl": purl,
    }
    return said if not distribution.licence else {**said, "licenses": [{"expression": distribution.licence}]}


def _vulnerability(found: Vulnerability) -> dict[str, Any]:
    purl = purl_of(found.name, found.version)
    rating: dict[str, Any] = {"severity": _RATINGS.get(found.severity, str(found.severity))}
    if found.vector is not None:
        rating |= {"method": "CVSSv31" if found.vector.startswith("CVSS:3.1") else "CVSSv3", "vector": found.vector}
    return {
        "bom-ref": f"{found.identifier} {purl}",
        "id": found.identifier,
        "source": {"name": "OSV", "url": f"https://osv.dev/vulnerability/{_quoted(found.identifier)}"},
        "ratings": [rating],
        "affects": [{"ref": purl}],
    }
