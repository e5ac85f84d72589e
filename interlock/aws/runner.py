"""Has one named operation run inside of a region's network, by the runner's task, and returns its answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.failures import BadInput, Failure, OutsideFailure, Refusal
from interlock.manifest_parts import RunnerPart

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

DEADLINE_SECONDS = 300.0
LOG_SECONDS = 30.0
"""How long the last line of a task may take from its end to CloudWatch Logs."""
POLL_SECONDS = 1.0

FAILURES: Mapping[str, type[Failure]] = {"refused": Refusal, "bad input": BadInput, "failed": OutsideFailure}
"""By the outcome that `images/runner/entrypoint.py` tells."""


class RunnerClient:
    """Starts the runner's task, waits for its end and reads its one line."""

    def __init__(
        self,
        ecs: ECSClient,
        logs: CloudWatchLogsClient,
        runner: RunnerPart,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ecs = ecs
        self._logs = logs
        self._runner = runner
        self._now = now
        self._sleep = sleep

    def run(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Return the result of `operation`.

        Raises Refusal for what the runner may not do, BadInput for what makes no sense, OutsideFailure for the rest.
        """
        attempt = f"run {operation} in {self._runner.cluster}"
        try:
            task = self._start(json.dumps({"operation": operation, **fields}))
            arn = task["taskArn"]
            answer = self._answer(arn, self._ended(arn))
        except (ClientError, BotoCoreError) as error:
            raise outside(attempt, error) from error
        if answer.get("outcome") == "done":
            return dict(answer["result"])
        failure = FAILURES.get(str(answer.get("outcome")), OutsideFailure)
        raise failure(f"{operation}: {answer.get('reason')}")

    def _start(self, command: str) -> TaskTypeDef:
        answer = self._ecs.run_task(
            cluster=self._runner.cluster,
            taskDefinition=self._runner.task_definition_arn,
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": list(self._runner.subnet_ids),
                    "securityGroups": list(self._runner.security_group_ids),
                    "assignPublicIp": "DISABLED",
                }
            },
            overrides={"containerOverrides": [{"name": self._runner.container, "command": [command]}]},
            propagateTags="TASK_DEFINITION",
        )
        if not answer["tasks"]:
            reasons = [str(failure.get("reason")) for failure in answer["failures"]]
            raise OutsideFailure("ECS started no task of the runner", reasons=reasons)
        return answer["tasks"][0]

    def _ended(self, arn: str) -> TaskTypeDef:
        deadline = self._now() + DEADLINE_SECONDS
        while True:
            found = self._ecs.describe_tasks(cluster=self._runner.cluster, tasks=[arn])["tasks"]
            if found and found[0]["lastStatus"] == "STOPPED":
                return found[0]
            if self._now() > deadline:
                # What nobody waits for any more would go on asking inside of the network, and cost.
                self._ecs.stop_task(cluster=self._runner.cluster, task=arn, reason="its caller's deadline has passed")
                raise OutsideFailure(
                    f"the runner's task {arn} did not end within {DEADLINE_SECONDS:.0f} s, and was told to stop"
                )
            self._sleep(POLL_SECONDS)

    def _answer(self, arn: str, task: TaskTypeDef) -> dict[str, Any]:
        """Return the task's last line; a task that never began to run has none."""
        if "exitCode" not in task["containers"][0]:
            reason = task.get("stoppedReason", "ECS gives no reason")
            raise OutsideFailure(f"the runner's task did not start: {reason}")
        stream = f"{self._runner.container}/{self._runner.container}/{arn.rpartition('/')[2]}"
        deadline = self._now() + LOG_SECONDS
        while True:
            for line in reversed(self._lines(stream)):
                try:
                    answer = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if isinstance(answer, dict) and "outcome" in answer:
                    return answer
            if self._now() > deadline:
                code = task["containers"][0]["exitCode"]
                raise OutsideFailure(
                    f"the runner's task ended with {code} and without an answer",
                    next_step=f"read the stream {stream} of the log group {self._runner.log_group}",
                )
            self._sleep(POLL_SECONDS)

    def _lines(self, stream: str) -> list[str]:
        try:
            events = self._logs.get_log_events(
                logGroupName=self._runner.log_group, logStreamName=stream, startFromHead=False
            )["events"]
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return []
            raise
        return [event["message"] for event in events]
