"""Certificate Manager: the certificates that callers bring or ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from moto.acm.models import acm_backends

from rehearsal.cloud.service import Service

TRUST_ROOT = "https://www.amazontrust.com/repository/AmazonRootCA1.pem"
"""Where images fetch the authority of ACM's certificates."""

PROVIDED = {"interlock:provided-by": "rehearsal"}
"""The tag of a certificate that is there before any caller comes, as a company's domain would be."""


class CertificateManager(Service):
    """AWS Certificate Manager."""

    name: ClassVar[str] = "acm"

    def start(self) -> None:
        """Let the containers' root authority be this cloud's."""
        self.cloud.containers.downloads[TRUST_ROOT] = self.cloud.authority.certificate_file

    def inventory(self) -> Sequence[str]:
        """Return the certificates that callers made; one that the rehearsal provided does not count."""
        return [
            certificate.arn
            for _, _, backend in acm_backends.iter_backends()
            for certificate in list(backend._certificates.values())
            if not PROVIDED.items() <= certificate.tags.items()
        ]
