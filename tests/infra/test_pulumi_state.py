"""Pulumi on the state and the key that the foundations have just made."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rehearsal.infra import Root
from rehearsal.session import Session

STACK = "local-platform"
PROGRAM = """\
import pulumi
import pulumi_aws as aws

parameter = aws.ssm.Parameter("beneath", type="String", value="stands")
pulumi.export("name", parameter.name)
pulumi.export("password", pulumi.Config().require_secret("password"))
"""


class Project:
    """A small program, whose state and secrets lie where the settings of its layer say."""

    def __init__(self, session: Session, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.settings = settings
        self._executable = session.bin / "pulumi"
        own = {name: value for name, value in session.environment.items() if name != "PULUMI_CONFIG_PASSPHRASE"}
        self._environment = {**own, "PULUMI_BACKEND_URL": settings["backend_url"]}
        (folder / "Pulumi.yaml").write_text("name: beneath\nruntime: python\n")
        (folder / "__main__.py").write_text(PROGRAM)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._executable), *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def succeed(self, *arguments: str) -> str:
        answer = self.pulumi(*arguments)
        assert answer.returncode == os.EX_OK, answer.stdout + answer.stderr
        return answer.stdout.strip()


@pytest.fixture(scope="module")
def project(session: Session, bootstrap: Root, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(session, tmp_path_factory.mktemp("beneath"), bootstrap.outputs()["settings"]["platform"])
    made.succeed("stack", "init", STACK, "--secrets-provider", made.settings["secrets_provider"])
    made.succeed("config", "set", "--secret", "password", "correct horse")
    made.succeed("config", "set", "aws:region", session.cloud.region)
    made.succeed("up", "--yes", "--skip-preview")
    return made


def test_a_stack_comes_up_on_the_bucket_and_the_key_just_made(session: Session, project: Project) -> None:
    bucket = project.settings["backend_url"].removeprefix("s3://").partition("?")[0]
    state = session.client("s3").get_object(Bucket=bucket, Key=f".pulumi/stacks/beneath/{STACK}.json")
    text = state["Body"].read().decode()

    assert project.succeed("stack", "output", "password", "--show-secrets") == "correct horse"
    assert project.succeed("stack", "output", "name") in text
    assert "correct horse" not in text
    assert state["ServerSideEncryption"] == "aws:kms"
    assert session.client("ssm").get_parameter(Name=project.succeed("stack", "output", "name"))


def test_a_lost_state_is_brought_back_by_its_version(session: Session, project: Project) -> None:
    s3, key = session.client("s3"), f".pulumi/stacks/beneath/{STACK}.json"
    bucket = project.settings["backend_url"].removeprefix("s3://").partition("?")[0]
    s3.delete_object(Bucket=bucket, Key=key)
    assert project.pulumi("stack", "output", "name").returncode != os.EX_OK

    markers = s3.list_object_versions(Bucket=bucket, Prefix=key)["DeleteMarkers"]
    for marker in (one for one in markers if one["Key"] == key):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=marker["VersionId"])

    assert project.succeed("stack", "output", "name")


def test_one_layers_secrets_do_not_open_under_the_others_context(project: Project) -> None:
    file = project.folder / f"Pulumi.{STACK}.yaml"
    before = file.read_text()
    file.write_text(before.replace("context_layer=platform", "context_layer=foundation"))

    answer = project.pulumi("config", "get", "password")

    file.write_text(before)
    assert answer.returncode != os.EX_OK
    assert "InvalidCiphertextException" in answer.stderr
