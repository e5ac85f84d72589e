"""Stack local as it stands after `pulumi up`."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.duties.duty import SigningDuty
from interlock.stack import ProvisionedStack
from rehearsal.session import Session
from tests.provisioned.projects import local_config


@pytest.fixture(autouse=True)
def _on_the_session(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in session.environment.items():
        monkeypatch.setenv(name, value)


LEFT = {"same", "read"}
"""What is done with what stays as it is; the reference to the foundation's stack is read."""


def test_nothing_is_left_to_change_after_an_up(unchanged: dict[str, Any]) -> None:
    assert {step["op"] for step in unchanged["steps"]} == LEFT


def test_a_refresh_after_an_up_finds_nothing_changed(session: Session, provisioned: ProvisionedStack) -> None:
    answer = session.pulumi("refresh", "--expect-no-changes", "--yes", check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_changes_of_one_property_each_preview_those_alone(
    session: Session, provisioned: ProvisionedStack, tmp_path: Path
) -> None:
    config = local_config()
    tracking = config["interlock:tracking"]
    tracking["database"]["backup_retention_days"] = 2
    # The service's own count is the autoscaling's, which begins with as many.
    tracking["task_count"] = 2

    steps = previewed(session, config, tmp_path)

    assert {step["op"] for step in steps} == {"update"}
    assert {step["newState"]["urn"].rpartition("::")[2]: set(step["detailedDiff"]) for step in steps} == {
        "database-postgres": {"backupRetentionPeriod"},
        "tracking-scaling-target": {"minCapacity"},
    }


def previewed(session: Session, config: dict[str, Any], directory: Path) -> list[dict[str, Any]]:
    """Return the steps, other than leaving things as they are, that stack local would take with other settings."""
    file = directory / "Pulumi.local.yaml"
    salt = yaml.safe_load((session.tools.checkout / "stacks" / "Pulumi.local.yaml").read_text())["encryptionsalt"]
    file.write_text(yaml.safe_dump({"config": config, "encryptionsalt": salt}))
    document = json.loads(session.pulumi("preview", "--json", "--config-file", str(file)).stdout)
    return [step for step in document["steps"] if step["op"] not in LEFT]


def test_the_manifest_is_found_in_the_recovery_region_too(
    provisioned: ProvisionedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provisioned.manifest.recovery is not None
    monkeypatch.setenv("AWS_REGION", provisioned.manifest.recovery.region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", provisioned.manifest.recovery.region)
    assert ProvisionedStack.load("ssm:/interlock/local/manifest").manifest == provisioned.manifest


@pytest.mark.parametrize("source", ["pulumi:local", "ssm:/interlock/local/manifest"])
def test_a_script_learns_the_same_from_pulumi_and_from_the_parameter(
    provisioned: ProvisionedStack, source: str
) -> None:
    assert ProvisionedStack.load(source).manifest == provisioned.manifest


def test_a_stack_that_there_is_not_is_named(provisioned: ProvisionedStack) -> None:
    with pytest.raises(LookupError, match="pulumi:moon: error: no stack named 'moon' found"):
        ProvisionedStack.load("pulumi:moon")


def test_each_duty_signs_with_its_own_key(session: Session, provisioned: ProvisionedStack) -> None:
    kms = session.client("kms", account="evidence")
    keys = provisioned.manifest.signing_keys
    assert len({key.key_arn for key in keys.values()}) == len(SigningDuty)
    for duty, key in keys.items():
        metadata = kms.describe_key(KeyId=key.alias)["KeyMetadata"]
        assert (metadata["Arn"], metadata["KeySpec"], metadata["KeyUsage"]) == (
            key.key_arn,
            "ECC_NIST_P256",
            "SIGN_VERIFY",
        )
        assert metadata["Description"] == f"Signs as {duty}"


def test_everything_that_bears_tags_bears_those_of_the_settings(
    session: Session, provisioned: ProvisionedStack
) -> None:
    wanted = dict(provisioned.manifest.endpoints["credit"].serving_template.tags)
    assert set(wanted) == {"interlock:stack", "owner", "environment", "tier", "data-class", "cost-centre"}
    untagged = [urn for urn, tags in tags_in_state(session) if not wanted.items() <= tags.items()]
    assert untagged == []


def tags_in_state(session: Session) -> Iterator[tuple[str, dict[str, str]]]:
    for resource in state(session)["deployment"]["resources"]:
        if "tagsAll" in resource.get("outputs", {}):
            yield resource["urn"], resource["outputs"]["tagsAll"]


def state(session: Session) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(session.pulumi("stack", "export").stdout)
    return document


def test_no_password_lies_in_the_state(session: Session, provisioned: ProvisionedStack) -> None:
    secrets = session.client("secretsmanager")
    tracking = provisioned.manifest.tracking
    assert tracking.database is not None
    held = [
        json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])["password"]
        for arn in (tracking.admin_secret_arn, tracking.database.master_secret_arn)
    ]
    written = json.dumps(state(session))
    assert [password for password in held if password in written] == []


def test_the_tracking_server_asks_for_credentials(session: Session, provisioned: ProvisionedStack) -> None:
    trusted = ssl.create_default_context(cafile=str(session.cloud.certificate_authority))
    page = f"{provisioned.manifest.tracking.uri}/api/2.0/mlflow/experiments/search?max_results=1"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(page, timeout=60, context=trusted)
    assert caught.value.code == 401


def test_before_the_first_release_the_endpoint_holds(session: Session, provisioned: ProvisionedStack) -> None:
    runtime = session.client("sagemaker-runtime")
    endpoint = provisioned.manifest.endpoints["credit"]
    for variant in endpoint.variants:
        with pytest.raises(runtime.exceptions.ModelError) as caught:
            runtime.invoke_endpoint(
                EndpointName=endpoint.endpoint_name, TargetVariant=variant, ContentType="application/json", Body=b"{}"
            )
        assert caught.value.response["OriginalStatusCode"] == 503
