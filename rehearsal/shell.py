"""`scripts/rehearse --env`: the shell commands that put a shell on the kept rehearsal."""

import json
import os
import sys
from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from interlock.stack import ProvisionedStack, StackNotFoundError
from rehearsal import kept
from rehearsal.owner import CHECKOUT
from rehearsal.session import STACK
from rehearsal.shell_lines import MISLEADING, export_lines, on_path


def main() -> int:
    """Print the commands; 1 if nothing is kept."""
    running = kept.find(CHECKOUT)
    if running is None:
        print("No rehearsal is kept here; start one with  scripts/rehearse --keep", file=sys.stderr)
        return 1
    given = os.environ.get("PATH", "")
    for name in MISLEADING:
        os.environ.pop(name, None)
    os.environ.update(running.additions)
    print(export_lines({**running.additions, **tracking()}, on_path(running.path, given)))
    return 0


def tracking() -> Mapping[str, str]:
    """What MLflow's client needs to reach the provisioned server as its administrator; nothing before `pulumi up`."""
    try:
        part = ProvisionedStack.load(f"ssm:/interlock/{STACK}/manifest").manifest.tracking
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=part.admin_secret_arn)
    except (StackNotFoundError, ClientError, BotoCoreError):
        return {}
    secret = json.loads(answer["SecretString"])
    return {
        "MLFLOW_TRACKING_URI": part.uri,
        "MLFLOW_TRACKING_USERNAME": secret["username"],
        "MLFLOW_TRACKING_PASSWORD": secret["password"],
    }


if __name__ == "__main__":
    sys.exit(main())
