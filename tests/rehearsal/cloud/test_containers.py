from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.cloud import dockerfile
from rehearsal.cloud.addresses import Addresses
from rehearsal.cloud.containers import Containers, ContainerSpec, ImageNotFound, Translation
from rehearsal.cloud.processes import Processes

DOCKERFILE = """
ARG VERSION=1
FROM python:3.11-slim AS build
ENTRYPOINT ["forgotten"]
FROM python:3.11-slim
ARG VERSION
# a comment
ENV MODE=production \\
    RELEASE=$VERSION LISTEN=0.0.0.0:8080
WORKDIR /opt/probe
COPY --chown=1000:1000 probe.py ./
COPY data /srv/data
EXPOSE 8080/tcp
USER 10001:10001
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=2s --start-period=1m30s --retries=4 \\
    CMD ["python", "-c", "import sys; sys.exit(0 if 'localhost:8080' else 1)"]
ENTRYPOINT ["python", "-I", "/opt/probe/probe.py"]
CMD ["--host", "0.0.0.0"]
"""
PROBE = "import json, os, sys; print(json.dumps([sys.argv, dict(os.environ), os.getcwd()]))"
REFERENCE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/probe:1.0"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images" / "probe"
    (folder / "data").mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "probe.py").write_text(PROBE)
    return tmp_path / "images"


@pytest.fixture
def containers(images: Path) -> Iterator[Containers]:
    processes, addresses = Processes(), Addresses()
    yield Containers(processes, addresses, {"AWS_REGION": "eu-west-1"}, images)
    processes.close()
    addresses.close()


def outcome(containers: Containers, spec: ContainerSpec) -> tuple[list[str], dict[str, str], str]:
    container = containers.run(spec)
    assert container.wait(20) == 0, container.log.read_text()
    arguments, environment, directory = json.loads(container.log.read_text())
    return arguments, environment, directory


def test_the_last_stage_of_a_dockerfile_is_what_runs(images: Path) -> None:
    image = dockerfile.read(images / "probe" / "Dockerfile")

    assert image.entry_point == ("python", "-I", "/opt/probe/probe.py")
    assert image.command == ("--host", "0.0.0.0")
    assert image.environment == {"MODE": "production", "RELEASE": "1", "LISTEN": "0.0.0.0:8080"}
    assert image.files == {"/opt/probe/probe.py": images / "probe/probe.py", "/srv/data": images / "probe/data"}
    assert (image.ports, image.user, image.stop_signal) == ((8080,), "10001:10001", "SIGINT")
    assert image.health_check is not None
    assert (image.health_check.interval, image.health_check.start_period, image.health_check.retries) == (5.0, 90.0, 4)


def test_a_container_runs_its_image_s_entrypoint_on_an_address_of_its_own(
    containers: Containers, images: Path, tmp_path: Path
) -> None:
    spec = ContainerSpec(
        REFERENCE, "probe", tmp_path / "run", environment={"DATA": "/srv/data/x", "KEPT": "/srv/database"}
    )
    arguments, environment, directory = outcome(containers, spec)

    assert arguments[0] == str(images / "probe/probe.py")
    assert arguments[1] == "--host"
    assert arguments[2].startswith("127.")
    assert environment["LISTEN"] == f"{arguments[2]}:8080"
    assert environment["DATA"] == str(images / "probe/data/x")
    assert environment["KEPT"] == "/srv/database"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert directory == str(tmp_path / "run")


def test_a_container_does_not_inherit_the_cloud_s_environment(
    containers: Containers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the caller's")
    _, environment, _ = outcome(containers, ContainerSpec(REFERENCE, "probe", tmp_path / "run"))

    assert "AWS_SECRET_ACCESS_KEY" not in environment


def test_a_given_entrypoint_forgets_the_image_s_command_and_a_given_command_replaces_it(
    containers: Containers, tmp_path: Path
) -> None:
    mounted = tmp_path / "other.py"
    mounted.write_text(PROBE)
    spec = ContainerSpec(
        REFERENCE, "probe", tmp_path / "a", entry_point=["python", "/mnt/other.py"], files={"/mnt": tmp_path}
    )
    assert outcome(containers, spec)[0] == [str(mounted)]

    spec = ContainerSpec(REFERENCE, "probe", tmp_path / "b", command=["--port=0.0.0.0:1"])
    assert outcome(containers, spec)[0][1].startswith("--port=127.")


@pytest.mark.parametrize("reference", ["probe", REFERENCE.replace("probe", "absent"), "docker.io/library/nginx:latest"])
def test_an_image_that_does_not_exist_is_named(containers: Containers, tmp_path: Path, reference: str) -> None:
    with pytest.raises(ImageNotFound, match=reference):
        containers.run(ContainerSpec(reference, "probe", tmp_path / "run"))


def test_in_a_health_check_localhost_is_the_container() -> None:
    translation = Translation("127.7.2.1", {"/opt/probe": Path("/here")})

    assert translation.check(["CMD", "curl http://localhost:5000/health || curl http://127.0.0.1:5000"])[1] == (
        "curl http://127.7.2.1:5000/health || curl http://127.7.2.1:5000"
    )
    assert translation.text("/opt/probe/x /opt/probes s3://bucket/opt/probe 10.0.0.0/8") == (
        "/here/x /opt/probes s3://bucket/opt/probe 10.0.0.0/8"
    )


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30.0), ("1m30s", 90.0), ("500ms", 0.5)])
def test_durations_are_read_in_seconds(text: str, seconds: float) -> None:
    assert dockerfile.seconds(text) == seconds


def test_a_dockerfile_that_cannot_be_understood_names_its_instruction(images: Path) -> None:
    (images / "probe" / "Dockerfile").write_text("FROM x\nHEALTHCHECK --interval=soon CMD true\n")
    with pytest.raises(dockerfile.DockerfileError, match=r"HEALTHCHECK.*soon"):
        dockerfile.read(images / "probe" / "Dockerfile")
