"""Functions of Lambda for tests: what an event asks for is what they do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.waiting import until

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/function:1"
DOCKERFILE = """
FROM python:3.11-slim
COPY entrypoint.py /opt/function/entrypoint.py
ENTRYPOINT ["python", "-I", "/opt/function/entrypoint.py"]
"""
# What it does is what the event asks for.
ENTRYPOINT = """
import os, sys, time
from awslambdaric.__main__ import main

if os.environ.get("FAIL_AT") == "import":
    raise SystemExit(3)
sys.path.insert(0, os.path.dirname(__file__))
main([sys.argv[0], "entrypoint.missing" if os.environ.get("FAIL_AT") == "init" else "handling.handle"])
"""
HANDLING = """
import boto3, os, time

def handle(event, context):
    print("asked to", event.get("do"))
    if event["do"] == "fail":
        raise ValueError("as asked")
    if event["do"] == "exit":
        os._exit(7)
    if event["do"] == "sleep":
        time.sleep(event["seconds"])
    if event["do"] == "grow":
        held = bytearray(event["mb"] * 1024 * 1024)
        time.sleep(5)
    if event["do"] == "identify":
        return boto3.client("sts").get_caller_identity()["Arn"]
    return {
        "pid": os.getpid(), "environment": dict(os.environ), "request": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(), "arn": context.invoked_function_arn,
    }
"""


def write_image(folder: Path) -> None:
    """Write the files of the functions' image to `folder`."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "entrypoint.py").write_text(ENTRYPOINT)
    (folder / "handling.py").write_text(HANDLING)


def function_role(cloud: LocalCloud) -> str:
    principal = {"Service": "lambda.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    created = cloud.client("iam").create_role(
        RoleName=f"function-{uuid.uuid4().hex[:8]}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return str(created["Role"]["Arn"])


class Functions:
    """Makes functions under names of their own, and takes them away again."""

    def __init__(self, cloud: LocalCloud, role: str) -> None:
        self.client, self.role = cloud.client("lambda"), role
        self.made: list[str] = []

    def make(self, wait: bool = True, **settings: Any) -> str:
        name = f"function-{uuid.uuid4().hex[:8]}"
        defaults = {"PackageType": "Image", "Code": {"ImageUri": IMAGE}, "Role": self.role, "Timeout": 10}
        self.client.create_function(**{"FunctionName": name, **defaults, **settings})
        self.made.append(name)
        if wait:
            self.settled(name)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        return until(
            lambda: self.client.get_function_configuration(FunctionName=name),
            lambda seen: seen["State"] == "Active" and seen["LastUpdateStatus"] == "Successful",
        )

    def invoke(self, name: str, do: str = "tell", **event: Any) -> tuple[Any, dict[str, Any]]:
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps({"do": do, **event}).encode(), LogType="Tail")
        return json.loads(answer["Payload"].read()), answer

    def close(self) -> None:
        for name in self.made:
            self.client.delete_function(FunctionName=name)


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])
