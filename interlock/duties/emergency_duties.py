"""The rows of those who act when something is wrong: responder, recoverer, break-glass, and what acts for them."""

from __future__ import annotations

from typing import Final

from interlock.duties.bundles import (
    APPROVE,
    APPROVE_BY_KEY,
    CHANGE_DUTIES,
    DECRYPT,
    ENCRYPT,
    EVERYBODYS_NEVERS,
    FIND_STACK,
    FINDING_THE_STACK,
    LIVE_STATE,
    LOOK,
    MEASURE,
    MEASURING,
    MOVE_TRAFFIC,
    PASS_DUTIES,
    PUSH_IMAGES,
    READ_MANIFEST,
    SEEING_ENDPOINTS,
    SIGN,
    VERIFY,
    WRITE_EVIDENCE,
    WRITE_VAULT,
    adds,
    reading,
    reads,
    signing,
    signs,
    writing,
    writing_logs,
)
from interlock.duties.duty import Duty, Role
from interlock.duties.prefixes import APPROVALS, DECISIONS, EMERGENCIES, LEDGER, RECOVERY, RELEASES
from interlock.duties.rights import Account, Bearer, Kind, Never, Right, Row, Task

_COMMON: Final = (*EVERYBODYS_NEVERS, CHANGE_DUTIES, PUSH_IMAGES)
ROLLBACK_FUNCTION: Final = "rollback"
RECOVERY_TASK: Final = "recovery"
ALARM_RULE: Final = "break-glass"
ALARM_TOPIC: Final = "emergency-topic"
"""What the program calls the topic that the rule publishes to."""

RESPONDER: Final = Row(
    Role.RESPONDER, Duty.RESPONDER, "invokes the rollback function, and moves nothing itself",
    Account.WORKLOAD, Bearer.PEOPLE,
    rights=(
        *FINDING_THE_STACK, *SEEING_ENDPOINTS, *MEASURING,
        Right("RollBack", ("lambda:InvokeFunction",), Kind.FUNCTION, ROLLBACK_FUNCTION),
    ),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT,
        Task("roll back", "lambda:InvokeFunction", Kind.FUNCTION, ROLLBACK_FUNCTION),
        LOOK, MEASURE,
    ),
    nevers=(*_COMMON, SIGN, WRITE_VAULT, MOVE_TRAFFIC, PASS_DUTIES),
)  # fmt: skip

ROLLBACK: Final = Row(
    Role.ROLLBACK, Duty.RESPONDER, "moves traffic back to the last good release: the rollback function",
    Account.WORKLOAD, Bearer.SERVICE,
    rights=(
        *FINDING_THE_STACK, *reading(RELEASES, APPROVALS, DECISIONS), *writing(DECISIONS), *signing("responder"),
        *SEEING_ENDPOINTS, *MEASURING, *LIVE_STATE, *writing_logs(ROLLBACK_FUNCTION),
        Right(
            "MoveTrafficBack",
            ("sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"),
            Kind.ENDPOINT,
        ),
        Right("UseConfigurations", ("sagemaker:UpdateEndpoint",), Kind.CONFIGURATION),
    ),
    tasks=(
        FIND_STACK, LOOK, MEASURE, DECRYPT, reads(RELEASES), reads(DECISIONS),
        ENCRYPT, adds(DECISIONS), signs("responder"),
        Task("move traffic back", "sagemaker:UpdateEndpointWeightsAndCapacities", Kind.ENDPOINT),
        Task("take a fence", "dynamodb:UpdateItem", Kind.TABLE),
    ),
    nevers=(
        *_COMMON, WRITE_EVIDENCE, APPROVE, APPROVE_BY_KEY, PASS_DUTIES,
        Never("bring up another model", ("sagemaker:CreateModel", "sagemaker:CreateEndpointConfig"), Kind.MODEL),
    ),
    service="lambda.amazonaws.com",
    signs_with="responder",
)  # fmt: skip

RECOVERER: Final = Row(
    Role.RECOVERER, Duty.RECOVERER, "runs an approved failover plan through the runner",
    Account.WORKLOAD, Bearer.PEOPLE,
    rights=(
        *FINDING_THE_STACK, *reading(RECOVERY, APPROVALS), *SEEING_ENDPOINTS, *MEASURING,
        Right("RunPlan", ("ecs:RunTask",), Kind.TASK_DEFINITION, RECOVERY_TASK),
        Right("FollowPlan", ("ecs:DescribeTasks", "ecs:StopTask"), Kind.TASK),
        Right("ReadRunnersLog", ("logs:GetLogEvents",), Kind.LOG_GROUP, RECOVERY_TASK),
        Right(
            "HandOverRunnersRole", ("iam:PassRole",), Kind.DUTY_ROLE, Role.RECOVERY_RUNNER.value,
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    ),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT, reads(RECOVERY), reads(APPROVALS), VERIFY, LOOK, MEASURE,
        Task("run a plan", "ecs:RunTask", Kind.TASK_DEFINITION, RECOVERY_TASK),
        Task("follow a plan", "ecs:DescribeTasks", Kind.TASK),
        Task(
            "hand the runner its role", "iam:PassRole", Kind.DUTY_ROLE, Role.RECOVERY_RUNNER.value,
            {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)},
        ),
    ),
    nevers=(*_COMMON, SIGN, WRITE_VAULT, MOVE_TRAFFIC),
)  # fmt: skip

RECOVERY_RUNNER: Final = Row(
    Role.RECOVERY_RUNNER, Duty.RECOVERER, "carries out the steps of a failover plan: the runner's task",
    Account.WORKLOAD, Bearer.SERVICE,
    rights=(
        *FINDING_THE_STACK, *reading(RECOVERY, APPROVALS, LEDGER), *writing(RECOVERY), *signing("responder"),
        *LIVE_STATE, *SEEING_ENDPOINTS, *MEASURING,
        Right("PromoteStandby", ("rds:PromoteReadReplica", "rds:DescribeDBInstances"), Kind.DATABASE),
        Right("ScaleServices", ("ecs:UpdateService", "ecs:DescribeServices"), Kind.SERVICE),
    ),
    tasks=(
        FIND_STACK, LOOK, MEASURE, DECRYPT, reads(RECOVERY), reads(APPROVALS),
        ENCRYPT, adds(RECOVERY), signs("responder"),
        Task("promote the standby", "rds:PromoteReadReplica", Kind.DATABASE),
        Task("start the standby's servers", "ecs:UpdateService", Kind.SERVICE),
        Task("take a fence", "dynamodb:UpdateItem", Kind.TABLE),
    ),
    nevers=(*_COMMON, WRITE_EVIDENCE, APPROVE, APPROVE_BY_KEY, MOVE_TRAFFIC, PASS_DUTIES),
    service="ecs-tasks.amazonaws.com",
    signs_with="responder",
)  # fmt: skip

BREAK_GLASS: Final = Row(
    Role.BREAK_GLASS, Duty.BREAK_GLASS, "restores service when nothing else can: one hour, with MFA, alarmed",
    Account.WORKLOAD, Bearer.PEOPLE,
    rights=(
        *FINDING_THE_STACK, *reading(RELEASES, APPROVALS, DECISIONS, RECOVERY, EMERGENCIES), *writing(EMERGENCIES),
        *SEEING_ENDPOINTS, *MEASURING,
        Right("RollBack", ("lambda:InvokeFunction",), Kind.FUNCTION, ROLLBACK_FUNCTION),
        Right("MoveTraffic", ("sagemaker:UpdateEndpointWeightsAndCapacities",), Kind.ENDPOINT),
        Right("ScaleServices", ("ecs:UpdateService", "ecs:DescribeServices"), Kind.SERVICE),
        Right("RestartDatabase", ("rds:RebootDBInstance", "rds:DescribeDBInstances"), Kind.DATABASE),
    ),
    tasks=(
        FIND_STACK, READ_MANIFEST, DECRYPT, reads(RELEASES), ENCRYPT, adds(EMERGENCIES),
        Task("roll back", "lambda:InvokeFunction", Kind.FUNCTION, ROLLBACK_FUNCTION),
        Task("move traffic", "sagemaker:UpdateEndpointWeightsAndCapacities", Kind.ENDPOINT),
        Task("restart the servers", "ecs:UpdateService", Kind.SERVICE),
        Task("restart the database", "rds:RebootDBInstance", Kind.DATABASE),
    ),
    nevers=(
        *_COMMON, SIGN, WRITE_EVIDENCE, APPROVE, PASS_DUTIES,
        Never(
            "bring up another model", ("sagemaker:UpdateEndpoint", "sagemaker:CreateEndpointConfig"), Kind.ENDPOINT
        ),
        Never("stop the trail", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail",
                                 "cloudtrail:PutEventSelectors"), Kind.TRAIL),
        Never("silence its own alarm", ("events:DisableRule", "events:DeleteRule", "events:PutRule",
                                        "events:RemoveTargets"), Kind.RULE, ALARM_RULE),
    ),
)  # fmt: skip

ROWS: Final = (RESPONDER, ROLLBACK, RECOVERER, RECOVERY_RUNNER, BREAK_GLASS)
