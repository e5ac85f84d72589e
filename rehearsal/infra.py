"""Brings up an account's foundations: the Terraform of `infra/`, applied to a running session's cloud."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.session import Session
from rehearsal.setup.progress import Progress
from rehearsal.setup.provider_places import HOSTS, platform_name
from rehearsal.setup.terraform_cli import terraform_cli
from rehearsal.setup.terraform_provider import VERSION

UNCHANGED, FAILED, CHANGED = 0, 1, 2
"""What `terraform plan -detailed-exitcode` ends with."""
TIMEOUT_SECONDS = 600


class InfraError(Exception):
    """Terraform refused or failed; the message ends with what it said."""


class Infra:
    """A copy of `infra/` in a folder of its own, with the states of what was applied from it.

    Terraform writes beside the configuration it works on, and a checkout is to stay as it is.
    """

    def __init__(self, session: Session, directory: Path) -> None:
        self.directory = directory
        self._session = session
        ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars")
        shutil.copytree(session.tools.checkout / "infra", directory / "infra", ignore=ignored)
        self._configuration = write_mirror(directory, session.tools.provider)
        # Looked for here and not in the set-up, because nothing else needs it.
        self._terraform = terraform_cli(Progress())

    def root(self, path: str) -> "Root":
        """Return the root module at `path` below `infra/`."""
        return Root(self._session, self._terraform, self._configuration, self.directory / "infra" / path)


class Root:
    """One root module: what Terraform is run in."""

    def __init__(self, session: Session, terraform: Path, configuration: Path, folder: Path) -> None:
        self.folder = folder
        self._session = session
        self._terraform = terraform
        self._configuration = configuration

    def initialize(self, *arguments: str) -> None:
        """Fetch modules and provider, the latter from this machine alone. Raises InfraError."""
        self.run("init", "-input=false", *arguments, environment=os.environ)

    def apply(self, values: Mapping[str, Any]) -> None:
        """Bring the account to what the module says. Raises InfraError."""
        self._write(values)
        self.run("apply", "-input=false", "-auto-approve")

    def changes(self) -> str | None:
        """Return what another apply would change, as Terraform says it, or None. Raises InfraError."""
        answer = self.run("plan", "-input=false", "-detailed-exitcode", accepted=(UNCHANGED, CHANGED))
        return answer.stdout if answer.returncode == CHANGED else None

    def held_against_a_destroy(self) -> set[str]:
        """Return the resources, without instances, for which `terraform destroy` refuses to do anything at all.

        Raises InfraError where it would go ahead, or cannot for another reason.
        """
        answer = self.run("plan", "-destroy", "-refresh=false", "-input=false", accepted=(UNCHANGED, FAILED))
        said = " ".join(answer.stderr.replace("│", " ").split())
        held = set(re.findall(r"Resource (\S+?)(?:\[\S+\])? has lifecycle.prevent_destroy set", said))
        if answer.returncode == UNCHANGED or not held:
            raise InfraError(f"terraform destroy in {self.folder} would not refuse\n{answer.stdout}{answer.stderr}")
        return held

    def said(self) -> dict[str, dict[str, Any]]:
        """Return what `terraform output -json` prints. Raises InfraError."""
        read: dict[str, dict[str, Any]] = json.loads(self.run("output", "-json").stdout)
        return read

    def outputs(self) -> dict[str, Any]:
        """Return the values of the outputs. Raises InfraError."""
        return {name: one["value"] for name, one in self.said().items()}

    def arns(self) -> set[str]:
        """Return the ARNs of what the state in the folder holds."""
        state = json.loads((self.folder / "terraform.tfstate").read_text())
        instances = [one for resource in state["resources"] for one in resource["instances"]]
        return {str(one["attributes"]["arn"]) for one in instances if one["attributes"].get("arn")}

    def run(
        self,
        command: str,
        *arguments: str,
        accepted: tuple[int, ...] = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Terraform, in the session's environment unless one is given.

        Raises InfraError where it ends with none of the codes `accepted`.
        """
        answer = subprocess.run(
            [str(self._terraform), command, "-no-color", *arguments],
            cwd=self.folder,
            env=self._environment(self._session.environment if environment is None else environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if answer.returncode not in accepted:
            said = f"{answer.stdout}{answer.stderr}"
            raise InfraError(f"terraform {command} in {self.folder} ended with {answer.returncode}\n{said}")
        return answer

    def _write(self, values: Mapping[str, Any]) -> None:
        (self.folder / "rehearsal.auto.tfvars.json").write_text(json.dumps(values, indent=1))

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        own = {name: value for name, value in given.items() if not name.startswith("TF_")}
        return {**own, "TF_CLI_CONFIG_FILE": str(self._configuration), "CHECKPOINT_DISABLE": "1"}


def write_mirror(directory: Path, provider: Path) -> Path:
    """Lay out a mirror with the one provider that there is, and return the configuration file that names it.

    Source: Terraform's documentation, "CLI Configuration File", section "Provider Installation".
    """
    mirror = directory / "providers"
    # Terraform and OpenTofu each look under their own registry's name.
    for host in HOSTS:
        place = mirror / host / "hashicorp" / "aws" / VERSION / platform_name()
        place.mkdir(parents=True)
        os.symlink(provider, place / f"terraform-provider-aws_v{VERSION}_x5")
    configuration = directory / "terraform.rc"
    configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return configuration
