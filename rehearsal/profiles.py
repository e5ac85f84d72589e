"""AWS profiles of a session: one for each account of its cloud, so that `aws --profile evidence …` acts there, and one
for each person's way into a role.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from rehearsal.cloud.accounts import ACCESS_KEY_ID, SECRET_ACCESS_KEY, organization_role

_SOURCE = "workload"


def write_profiles(folder: Path, endpoint_url: str, region: str, accounts: Mapping[str, str]) -> None:
    """Write `config` and `credentials`; the other accounts' profiles assume their administrator's role."""
    sections = []
    for name, account_id in accounts.items():
        lines = [f"[profile {name}]", f"region = {region}", f"endpoint_url = {endpoint_url}"]
        if account_id != accounts[_SOURCE]:
            lines += [f"role_arn = {organization_role(account_id)}", f"source_profile = {_SOURCE}"]
        sections.append("\n".join(lines) + "\n")
    (folder / "config").write_text("\n".join(sections))
    keys = [f"aws_access_key_id = {ACCESS_KEY_ID}", f"aws_secret_access_key = {SECRET_ACCESS_KEY}"]
    (folder / "credentials").write_text("\n".join([f"[{_SOURCE}]", *keys, ""]))


def add_people(folder: Path, endpoint_url: str, region: str, names: Iterable[str], command: tuple[str, ...]) -> None:
    """Add profiles that get their credentials from `command`, given the profile's name."""
    with (folder / "config").open("a") as config:
        for name in names:
            process = shlex.join([*command, name])
            lines = [f"[profile {name}]", f"region = {region}", f"endpoint_url = {endpoint_url}"]
            config.write("\n".join(["", *lines, f"credential_process = {process}", ""]))
