from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from rehearsal.cloud.certificates import CertificateAuthority


def handshake(authority: Path, certificate: Path, key: Path, server_name: str) -> None:
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate, key)
    client_context = ssl.create_default_context(cafile=str(authority))
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    server_context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with socket.create_connection(listener.getsockname()) as connection:
                client_context.wrap_socket(connection, server_hostname=server_name).close()
        finally:
            thread.join()


def test_a_client_that_trusts_the_authority_accepts_the_names_and_addresses_and_no_other(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = authority.issue("db", ["db.example.com"], ["127.9.0.1"])
    issued.write(tmp_path / "server.pem", tmp_path / "server.key")

    for name in ("db.example.com", "127.9.0.1"):
        handshake(authority.certificate_file, tmp_path / "server.pem", tmp_path / "server.key", name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority.certificate_file, tmp_path / "server.pem", tmp_path / "server.key", "other.example.com")


def test_another_cloud_s_authority_is_not_trusted(tmp_path: Path) -> None:
    ours, theirs = CertificateAuthority(tmp_path / "ours"), CertificateAuthority(tmp_path / "theirs")
    theirs.issue("db", ["db.example.com"], []).write(tmp_path / "server.pem", tmp_path / "server.key")

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours.certificate_file, tmp_path / "server.pem", tmp_path / "server.key", "db.example.com")


def test_only_the_owner_reads_a_private_key(tmp_path: Path) -> None:
    (tmp_path / "server.key").write_text("an older one, open to all")
    CertificateAuthority(tmp_path).issue("db", ["db"], []).write(tmp_path / "server.pem", tmp_path / "server.key")

    assert stat.S_IMODE((tmp_path / "server.key").stat().st_mode) == 0o600
