"""Publishing images: the registry and the vault are the local cloud's, the container engine is a script on PATH.

The script pushes what `docker buildx build --push` would name: a manifest whose digest depends on the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import container_engine, images
from interlock.aws.registry import Login
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.manifest import StackManifest
from interlock.release.bases import read_lock
from interlock.release.image import ImageReference, ImageSource
from rehearsal.cloud.server import LocalCloud
from tests.interlock.conftest import new_vault
from tests.interlock.manifests import manifest_document

BASE = "python:3.11.14-slim-bookworm"
BASE_DIGEST = "ab" * 32

ENGINE = """
import hashlib, json, os, sys
from pathlib import Path
import boto3

log = Path(os.environ["ENGINE_LOG"])
with log.open("a") as lines:
    lines.write(json.dumps(sys.argv[1:]) + "\\n")
settings = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
if sys.argv[1] == "login":
    known = json.loads((settings / "config.json").read_text()) if settings.is_dir() else {}
    if known.get("credHelpers", {}).get(sys.argv[-1], known.get("credsStore")):
        sys.exit("a keychain would have the password")
    known["auths"] = {sys.argv[-1]: sys.stdin.read()}
    (settings / "config.json").write_text(json.dumps(known))
    sys.exit(0)
if sys.argv[2] == "imagetools":
    print(json.dumps({"digest": "sha256:" + hashlib.sha256(sys.argv[4].encode()).hexdigest()}))
    sys.exit(0)
if not json.loads((settings / "config.json").read_text())["auths"] or not (settings / "cli-plugins").is_dir():
    sys.exit("no basic auth credentials")
if os.environ.get("ENGINE_FAILS"):
    sys.exit("ERROR: failed to solve: process did not complete successfully")
folder, tag = Path(sys.argv[-1]), sys.argv[sys.argv.index("--tag") + 1]
layers = "".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())
manifest = json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
               "digest": "sha256:" + hashlib.sha256(layers.encode()).hexdigest()},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": len(layers),
                "digest": "sha256:" + hashlib.sha256(layers.encode()).hexdigest()}],
})
repository, _, name = tag.partition("/")[2].partition(":")
pushed = boto3.client("ecr").put_image(repositoryName=repository, imageTag=name, imageManifest=manifest)
Path(sys.argv[sys.argv.index("--metadata-file") + 1]).write_text(
    json.dumps({"containerimage.digest": pushed["image"]["imageId"]["imageDigest"]})
)
if os.environ.get("ENGINE_CHANGES"):
    (folder / "Dockerfile").write_text("FROM scratch\\n")
"""


class Workshop:
    """A stack with one image repository, a folder to build, and an engine that notes what it was asked."""

    def __init__(self, cloud: LocalCloud, scratch: Path) -> None:
        name = f"interlock/serving-{uuid.uuid4().hex[:8]}"
        made = cloud.client("ecr").create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")["repository"]
        key = cloud.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        signing = {"key_arn": key["Arn"], "key_id": key["KeyId"], "alias": "alias/builder"}
        document = manifest_document()
        document["vault"]["bucket_name"] = new_vault(cloud)
        document["signing_keys"] = {duty.value: signing for duty in SigningDuty}
        self.url = made["repositoryUri"]
        document["images"] = {"serving": {"name": name, "arn": made["repositoryArn"], "url": self.url}}
        self.clients = StackClients(StackManifest.model_validate(document), boto3.Session(region_name="eu-west-1"))
        self.folder = scratch / "serving"
        self.folder.mkdir()
        (self.folder / "Dockerfile").write_text(f"FROM {BASE}\n")
        (self.folder / "entrypoint.py").write_text("print('hello')\n")
        self.log = scratch / "engine.jsonl"
        self.lock = scratch / "bases.lock"
        self.lock.write_text(f"{BASE} sha256:{BASE_DIGEST}\n")
        self.settings = scratch / "settings"
        (self.settings / "cli-plugins").mkdir(parents=True)
        (self.settings / "config.json").write_text('{"credsStore": "keychain", "currentContext": "far"}')

    def publish(self) -> images.Published:
        return images.publish(self.clients, self.folder, progress=lambda _: None)

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def workshop(cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop(cloud, tmp_path)
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    engine.write_text(f"#!{sys.executable}\n{ENGINE}")
    engine.chmod(0o755)
    variables: Mapping[str, str] = {
        "PATH": f"{engine.parent}{os.pathsep}{os.environ['PATH']}",
        "ENGINE_LOG": str(made.log),
        "DOCKER_CONFIG": str(made.settings),
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def served() -> Iterator[str]:
    """The address of something to download: the bytes `root`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"root")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/root.pem"
        server.shutdown()


def test_a_published_image_is_pushed_by_digest_and_verifies(workshop: Workshop) -> None:
    published = workshop.publish()
    assert published.pushed.built
    assert published.reference.repository == workshop.url
    statements = images.verify(workshop.clients, published.reference)
    assert [one.predicate["files"].keys() for one in statements] == [{"Dockerfile", "entrypoint.py"}]


def test_the_registrys_password_reaches_the_engine_and_no_command_line(workshop: Workshop) -> None:
    workshop.publish()
    login = workshop.asked[0]
    assert login[0] == "login"
    assert "--password-stdin" in login
    assert not any("password" in word and word != "--password-stdin" for word in login)


def test_the_registrys_password_is_kept_nowhere(workshop: Workshop) -> None:
    before = {path: path.read_text() for path in workshop.settings.rglob("*") if path.is_file()}
    left = set(Path(tempfile.gettempdir()).glob("interlock-engine-*"))
    workshop.publish()
    assert {path: path.read_text() for path in workshop.settings.rglob("*") if path.is_file()} == before
    assert set(Path(tempfile.gettempdir()).glob("interlock-engine-*")) <= left


def test_an_image_is_built_on_the_bases_of_the_lock_file_and_says_so(workshop: Workshop) -> None:
    published = workshop.publish()
    (build,) = [words for words in workshop.asked if words[:2] == ["buildx", "build"]]
    assert build[build.index("--build-context") + 1] == f"{BASE}=docker-image://{BASE}@sha256:{BASE_DIGEST}"
    (statement,) = images.verify(workshop.clients, published.reference)
    assert statement.predicate["bases"] == {BASE: BASE_DIGEST}


@pytest.mark.parametrize("image", ["mlflow", "rotation", "runner", "serving"])
def test_all_that_an_image_of_this_repository_takes_from_elsewhere_can_be_pinned(image: str) -> None:
    needs = images.read_needs(Path(__file__).resolve().parents[2] / "images" / image)
    assert needs.bases == [BASE]
    assert len(needs.downloads) == {"serving": 0, "runner": 2}.get(image, 1)


def test_a_download_that_is_compared_with_nothing_is_refused(workshop: Workshop) -> None:
    (workshop.folder / "Dockerfile").write_text(f"FROM {BASE}\nADD --chmod=644 https://example.com/a.pem /a.pem\n")
    with pytest.raises(BadInput, match=r"ADD https://example.com/a.pem: accepted is --checksum=sha256:"):
        workshop.publish()


@pytest.mark.parametrize("line", [f"{BASE} {'0' * 64}", f"{BASE} sha256:1234", BASE])
def test_a_lock_file_that_pins_nothing_is_bad_input(workshop: Workshop, line: str) -> None:
    workshop.lock.write_text(line)
    with pytest.raises(BadInput, match=r"bases\.lock: line 1: received"):
        workshop.publish()


def test_a_changed_base_is_another_image(workshop: Workshop) -> None:
    first = images.source_of(workshop.folder).tag
    workshop.lock.write_text(f"{BASE} sha256:{'cd' * 32}\n")
    assert images.source_of(workshop.folder).tag != first


def test_an_image_whose_base_has_no_digest_is_not_published(workshop: Workshop) -> None:
    workshop.lock.write_text("# nothing yet\n")
    with pytest.raises(Refusal, match=f"bases.lock has no digest of {BASE}"):
        workshop.publish()
    assert workshop.asked == []


def test_bases_and_downloads_are_resolved_into_the_lock_file(workshop: Workshop, served: str) -> None:
    dockerfile = f"FROM {BASE}\nARG ROOT_SHA256\nADD --checksum=sha256:${{ROOT_SHA256}} {served} /root.pem\n"
    (workshop.folder / "Dockerfile").write_text(dockerfile)
    workshop.lock.write_text(f"other:1 sha256:{'0' * 64}\n")
    found = images.resolve([workshop.folder], progress=lambda _: None)
    wanted = {BASE: hashlib.sha256(BASE.encode()).hexdigest(), served: hashlib.sha256(b"root").hexdigest()}
    assert found == wanted
    assert read_lock(workshop.lock.read_text()) == {**wanted, "other:1": "0" * 64}
    workshop.publish()
    build = workshop.asked[-1]
    assert build[build.index("--build-arg") + 1] == f"ROOT_SHA256={wanted[served]}"


def test_the_same_files_are_built_once_and_a_changed_file_again(workshop: Workshop) -> None:
    first = workshop.publish()
    again = workshop.publish()
    assert (again.reference, again.envelope, again.pushed.built) == (first.reference, first.envelope, False)
    (workshop.folder / "entrypoint.py").write_text("print('goodbye')\n")
    changed = workshop.publish()
    assert changed.pushed.built
    assert changed.pushed.tag != first.pushed.tag
    assert sum(words[:2] == ["buildx", "build"] for words in workshop.asked) == 2


def test_an_image_pushed_by_a_run_that_broke_off_is_signed_by_the_next(workshop: Workshop) -> None:
    source = images.source_of(workshop.folder)
    repository = images.repository_of(workshop.clients, "serving")
    login = Login("AWS", "x")
    container_engine.build_and_push(workshop.folder, f"{repository.url}:{source.tag}", repository.host, login)
    published = workshop.publish()
    assert not published.pushed.built
    assert images.verify(workshop.clients, published.reference)


def test_who_may_push_pushes_and_the_builder_signs_without_seeing_a_registry(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed = images.push(workshop.clients, workshop.folder, progress=lambda _: None)
    assert pushed.built
    with pytest.raises(Refusal, match="does not verify"):
        images.verify(workshop.clients, pushed.reference)
    with monkeypatch.context() as alone:
        alone.setattr(images, "ImageRegistry", None)
        signed = {
            images.sign(workshop.clients, workshop.folder, pushed.reference, progress=lambda _: None) for _ in range(2)
        }
    assert len(signed) == 1
    assert images.verify(workshop.clients, pushed.reference)


def test_the_builder_signs_for_no_image_of_another_repository(workshop: Workshop) -> None:
    other = ImageReference("111122223333.dkr.ecr.eu-west-1.amazonaws.com/others", "0" * 64)
    with pytest.raises(BadInput, match=r"others@sha256.*accepted is .*/serving-\w+@sha256"):
        images.sign(workshop.clients, workshop.folder, other, progress=lambda _: None)


def test_an_image_nobody_signed_for_is_refused(workshop: Workshop) -> None:
    reference = workshop.publish().reference
    (workshop.folder / "entrypoint.py").write_text("print('sneaked in')\n")
    source = images.source_of(workshop.folder)
    repository = images.repository_of(workshop.clients, "serving")
    login = Login("AWS", "x")
    digest = container_engine.build_and_push(workshop.folder, f"{repository.url}:{source.tag}", repository.host, login)
    with pytest.raises(Refusal, match="nobody who may has signed"):
        images.verify(workshop.clients, ImageReference(reference.repository, digest))


def test_a_signature_by_another_key_is_no_signature(workshop: Workshop, cloud: LocalCloud) -> None:
    reference = workshop.publish().reference
    other = cloud.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    document: dict[str, Any] = json.loads(workshop.clients.manifest.to_json())
    document["signing_keys"]["builder"]["key_arn"] = other
    stranger = StackClients(StackManifest.model_validate(document), boto3.Session(region_name="eu-west-1"))
    with pytest.raises(Refusal, match="no signature was made by a known key"):
        images.verify(stranger, reference)


def test_what_changes_while_it_is_built_is_not_signed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_CHANGES", "1")
    with pytest.raises(Refusal) as refused:
        workshop.publish()
    assert "changed while the image was built" in str(refused.value)


def test_an_engine_that_fails_or_is_missing_is_told_in_one_message(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_FAILS", "1")
    with pytest.raises(OutsideFailure, match="docker buildx failed: ERROR: failed to solve"):
        workshop.publish()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OutsideFailure, match="there is no `docker` on PATH"):
        workshop.publish()


def test_wrong_folders_and_images_are_named(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="accepted is a folder with a Dockerfile"):
        images.source_of(tmp_path / "nowhere")
    unknown = tmp_path / "unknown"
    unknown.mkdir()
    (unknown / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(BadInput, match="received 'unknown'; accepted is one of serving"):
        images.publish(workshop.clients, unknown, progress=lambda _: None)
    with pytest.raises(ValueError, match="received 'serving:latest'"):
        ImageReference.parse("serving:latest")


_digests = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
_files = st.dictionaries(st.text(min_size=1, max_size=8), _digests)


@given(_files, _files)
def test_a_tag_names_its_files_and_no_others(one: dict[str, str], other: dict[str, str]) -> None:
    tags = [ImageSource("serving", files).tag for files in (one, other)]
    assert (tags[0] == tags[1]) == (one == other)
    assert all(len(tag) <= 128 for tag in tags)
