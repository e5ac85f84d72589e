"""A session's AWS profiles lead any AWS client into the account they are named after."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, WORKLOAD, organization_trust
from rehearsal.cloud.server import LocalCloud
from rehearsal.coming import Entrance, write_entrances
from rehearsal.profiles import add_people, write_profiles
from rehearsal.totp import STEP_SECONDS, code_at


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


def test_a_profile_of_a_person_gets_its_credentials_from_a_command(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="entered-by-profile", AssumeRolePolicyDocument=organization_trust(WORKLOAD))[
        "Role"
    ]["Arn"]
    user = iam.create_user(UserName="profile-1")["User"]["UserName"]
    permission = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Resource": role}
    document = json.dumps({"Version": "2012-10-17", "Statement": [permission]})
    iam.put_user_policy(UserName=user, PolicyName="enter", PolicyDocument=document)
    trust = json.loads(organization_trust(WORKLOAD))
    trust["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    iam.update_assume_role_policy(RoleName="entered-by-profile", PolicyDocument=json.dumps(trust))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
    seed, now = device["Base32StringSeed"].decode(), datetime.now(UTC)
    codes = [code_at(seed, now - timedelta(seconds=STEP_SECONDS)), code_at(seed, now)]
    iam.enable_mfa_device(
        UserName=user,
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=codes[0],
        AuthenticationCode2=codes[1],
    )
    entrance = Entrance(role, user, key["AccessKeyId"], key["SecretAccessKey"], device["SerialNumber"], seed)
    write_profiles(tmp_path, cloud.endpoint_url, cloud.region, cloud.context.accounts)
    write_entrances(tmp_path / "people.json", {user: entrance})
    command = (sys.executable, "-m", "rehearsal.coming", str(tmp_path / "people.json"))
    add_people(tmp_path, cloud.endpoint_url, cloud.region, [user], command)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", cloud.region)

    caller = boto3.Session(profile_name=user).client("sts").get_caller_identity()["Arn"]

    assert caller == f"arn:aws:sts::{WORKLOAD}:assumed-role/entered-by-profile/profile-1"
    assert (tmp_path / "people.json").stat().st_mode & 0o077 == 0
