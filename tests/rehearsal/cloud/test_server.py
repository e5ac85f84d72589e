"""The local cloud as a server: one port, kept connections, no back doors, gone with its owner."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "rehearsal.cloud", "--directory", str(tmp_path), "--account-id", "210987654321"]
    running = subprocess.Popen([*command, "--region", "eu-central-1"], stdout=subprocess.DEVNULL)
    yield running
    running.kill()
    running.wait()


def _description(directory: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while not (directory / "cloud.json").exists():
        assert time.monotonic() < deadline, "the cloud does not become ready"
        time.sleep(0.05)
    described: dict[str, Any] = json.loads((directory / "cloud.json").read_text())
    return described


def test_the_process_describes_itself_serves_and_ends_on_sigterm(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    described = _description(tmp_path)

    assert described["pid"] == process.pid
    assert urlparse(described["endpoint_url"]).hostname == "127.0.0.1"
    assert "BEGIN CERTIFICATE" in Path(described["certificate_authority"]).read_text()
    caller = boto3.client(
        "sts",
        endpoint_url=described["endpoint_url"],
        region_name=described["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).get_caller_identity()
    assert caller["Account"] == described["account_id"] == "210987654321"

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert not (tmp_path / "cloud.json").exists()


def test_a_wrong_account_id_is_refused_with_what_would_be_accepted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rehearsal.cloud", "--directory", str(tmp_path), "--account-id", "12"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "an account id is 12 digits, not '12'" in ended.stderr


def test_a_connection_carries_many_requests(cloud: LocalCloud) -> None:
    address = urlparse(cloud.endpoint_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/_interlock/health")
        answer = connection.getresponse()
        assert json.loads(answer.read())["status"] == "ok"
        assert connection.sock is not None, "the server closed the connection"
    connection.close()


def test_the_inventory_page_names_every_service(cloud: LocalCloud) -> None:
    assert set(_page(cloud, "inventory")) == {service.name for service in cloud.services}


def _page(cloud: LocalCloud, page: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{cloud.endpoint_url}/_interlock/{page}") as answer:
        read: dict[str, Any] = json.loads(answer.read())
    return read


def test_a_certificate_is_issued_into_acm_for_a_domain_and_the_load_balancers(cloud: LocalCloud) -> None:
    arn = _page(cloud, "certificate?domain=mlflow.example")["eu-west-1"]
    described = cloud.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert (described["DomainName"], described["Type"], described["Status"]) == ("mlflow.example", "IMPORTED", "ISSUED")
    assert arn not in cloud.inventory()["acm"]


def test_a_page_refuses_arguments_that_it_does_not_take(cloud: LocalCloud) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        _page(cloud, "certificate?name=mlflow.example")
    assert refused.value.code == 400


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/data.json", "/moto-api/state-manager/set-transition"])
def test_no_client_reaches_motos_own_interface(cloud: LocalCloud, path: str) -> None:
    cloud.client("s3").create_bucket(
        Bucket=f"survivor{len(path)}", CreateBucketConfiguration={"LocationConstraint": cloud.region}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{cloud.endpoint_url}{path}", method="POST", data=b""))
    assert 400 <= refused.value.code < 500
    cloud.client("s3").head_bucket(Bucket=f"survivor{len(path)}")


def test_an_operation_that_is_missing_is_answered_in_aws_form_and_names_itself(cloud: LocalCloud) -> None:
    with pytest.raises(ClientError) as refused:
        cloud.client("kms").create_custom_key_store(CustomKeyStoreName="store")
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert "create_custom_key_store" in refused.value.response["Error"]["Message"]


def test_simultaneous_writers_lose_nothing(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="many-writers", CreateBucketConfiguration={"LocationConstraint": cloud.region})
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket="many-writers", Key=f"{n:04}", Body=str(n)), range(400)))
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="many-writers")["Contents"]]
    assert listed == [f"{n:04}" for n in range(400)]


def test_a_chunked_upload_arrives_whole(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="chunked-upload", CreateBucketConfiguration={"LocationConstraint": cloud.region})
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "chunked-upload", "Key": "parts"})
    address = urlparse(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    chunks = [os.urandom(1000) for _ in range(20)]
    connection.request("PUT", f"{address.path}?{address.query}", body=iter(chunks), encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket="chunked-upload", Key="parts")["Body"].read() == b"".join(chunks)


def test_what_a_service_needs_is_in_its_own_directory_and_private(cloud: LocalCloud) -> None:
    assert cloud.directory.stat().st_mode & 0o077 == 0


def test_an_answer_leaves_in_one_piece(cloud: LocalCloud) -> None:
    # The AWS SDK for Go now and then gives up on an answer whose head comes alone, and repeats what was done.
    address = urlparse(cloud.endpoint_url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        for _ in range(100):
            connection.sendall(b"GET /_interlock/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, _, body = connection.recv(1 << 20).partition(b"\r\n\r\n")
            assert f"Content-Length: {len(body)}".encode() in head
            assert body


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(cloud: LocalCloud) -> None:
    address = urlparse(cloud.endpoint_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = (
            b"POST /_interlock/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        connection.sendall(head)
        assert connection.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
