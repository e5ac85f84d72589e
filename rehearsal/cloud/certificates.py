"""The certificate authority of a local cloud: what Amazon's authorities are to real load balancers and databases."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class IssuedCertificate:
    """A server's certificate as PEM: `certificate` alone, `chain` the issuers above it, `private_key` in PKCS #8."""

    certificate: bytes
    chain: bytes
    private_key: bytes

    def write(self, certificate: Path, private_key: Path) -> None:
        """Write certificate with chain, and the key readable by its owner only."""
        certificate.write_bytes(self.certificate + self.chain)
        write_private(private_key, self.private_key)


class CertificateAuthority:
    """Issues server certificates; `certificate_file` is what a client is given to trust."""

    def __init__(self, directory: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        # RSA, because ACM lists only RSA certificates unless a client asks for other key types.
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        # One for all servers, because making an RSA key takes longer than all else that they need.
        self._servers_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Interlock rehearsal authority")])
        self._certificate = self._sign_own()
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate_file = directory / "authority.pem"
        self.certificate_file.write_bytes(self.pem)

    @property
    def pem(self) -> bytes:
        """Return the authority's own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, common_name: str, dns_names: Sequence[str], ip_addresses: Sequence[str]) -> IssuedCertificate:
        """Return a certificate for a server that answers to these names and addresses, valid for 397 days."""
        key = self._servers_key
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ip_addresses]
        builder = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]), key.public_key(), 397)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return IssuedCertificate(
            certificate.public_bytes(serialization.Encoding.PEM),
            self.pem,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def _sign_own(self) -> x509.Certificate:
        builder = (
            self._builder(self._name, self._key.public_key(), 1825)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        return builder.sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: rsa.RSAPublicKey, days: int) -> x509.CertificateBuilder:
        own = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now() - _DAY)
            .not_valid_after(self._now() + days * _DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, and could not be read by others for an instant."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
