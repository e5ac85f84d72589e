"""A session's AWS profiles lead any AWS client into the account they are named after."""

from pathlib import Path

import boto3
import pytest

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, WORKLOAD
from rehearsal.cloud.server import LocalCloud
from rehearsal.profiles import write_profiles


@pytest.mark.parametrize(("profile", "account"), [("workload", WORKLOAD), ("evidence", EVIDENCE), ("audit", AUDIT)])
def test_a_profile_leads_into_its_account(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, account: str
) -> None:
    write_profiles(tmp_path, cloud.endpoint_url, cloud.region, cloud.context.accounts)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    # The variables of the session's shell, which a profile that is asked for takes precedence over.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    session = boto3.Session(profile_name=profile)
    assert session.client("sts").get_caller_identity()["Account"] == account
    assert session.region_name == "eu-west-1"
