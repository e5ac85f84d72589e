"""A function of the ledger: one duty of the evidence account's, on a schedule, and alarms where it fails or rests."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.landscape import LEDGER_ROLES

TIMEOUT_SECONDS: Final = 300
"""A process that starts anew reads all entries of its log once."""
MEMORY_MB: Final = 1024
MINUTES: Final = 1
RENEW_HOURS: Final = 6
FAILURES: Final = 2
"""Failed runs in a row that an alarm tells of: the next run completes what one left, and throttles are none."""
RESTS: Final = 5
"""Schedules without a run, after which an alarm tells that nothing runs at all."""


class LedgerFunctionArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    stack: str
    """Whose ledger this is; the function is `interlock-<stack>-<duty>`."""
    duty: str
    """`sequencer`, or `witness`, which works in the other region."""
    log: pulumi.Input[str]
    """`<region>-<epoch>`, as the trust root names it: of the sequencer's region."""
    bucket_name: pulumi.Input[str]
    """The half of the vault that lies in `region`."""
    signing_key_arn: pulumi.Input[str]
    """The duty's key; a replica where there is one, else the key of the other region."""
    role_arn: pulumi.Input[str]
    """The duty's role, which Lambda alone may assume."""
    image: pulumi.Input[str]
    """What `images/ledger` makes, with the fingerprint of the trust root in it."""
    encryption_key_arn: pulumi.Input[str]
    """Of the function's settings and logs, made with `for_logs`."""
    minutes: NotRequired[pulumi.Input[int]]
    """Between two runs; 1 unless given."""
    renew_hours: NotRequired[pulumi.Input[int]]
    """After which age the sequencer signs a checkpoint anew with nothing to append; 6 unless given."""
    reserve_execution: NotRequired[bool]
    """Whether one execution is kept for the function, which has no second one then; true unless given.

    AWS leaves 10 of an account unreserved, and a new account may have no more than these.
    """
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""
    alarm_topic_arns: NotRequired[pulumi.Input[list[str]]]
    """Where a change to and from an alarm is published; nowhere unless given."""


class LedgerFunction(pulumi.ComponentResource):
    """A function of the image `ledger` that a rule of EventBridge invokes, and nothing else.

    The function's own policy names the rule, so that there is no role to hand to a scheduler.
    """

    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    rule_arn: pulumi.Output[str]
    log_group_name: pulumi.Output[str]
    alarm_names: pulumi.Output[list[str]]

    def __init__(self, name: str, args: LedgerFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(LedgerFunctionArgs, f"LedgerFunction {name}", args, _RULES)
        super().__init__("interlock:ledger:LedgerFunction", name, {}, opts)

        self._name, self._args = name, args
        # Known before anything is made: roles and boundaries name it.
        self._called = f"interlock-{args['stack']}-{args['duty']}"
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            # Lambda would make it itself, without a key and for ever.
            name=f"/aws/lambda/{self._called}",
            kms_key_id=args["encryption_key_arn"],
            retention_in_days=args.get("log_retention_days", 365),
            opts=pulumi.ResourceOptions(parent=self),
        )
        function = self._function(logs)
        rule = self._schedule(function)
        alarms = [self._failing(function), self._resting(function)]

        self.function_name, self.function_arn = function.name, function.arn
        self.rule_arn, self.log_group_name = rule.arn, logs.name
        self.alarm_names = pulumi.Output.all(*(one.name for one in alarms))
        self.register_outputs(
            {
                "functionName": self.function_name,
                "functionArn": self.function_arn,
                "ruleArn": self.rule_arn,
                "logGroupName": self.log_group_name,
                "alarmNames": self.alarm_names,
            }
        )

    def _function(self, logs: aws.cloudwatch.LogGroup) -> aws.lambda_.Function:
        args = self._args
        variables = {
            "LEDGER_DUTY": args["duty"],
            "LEDGER_LOG": args["log"],
            "LEDGER_BUCKET": args["bucket_name"],
            "LEDGER_KEY_ARN": args["signing_key_arn"],
            "LEDGER_RENEW_HOURS": pulumi.Output.from_input(args.get("renew_hours", RENEW_HOURS)).apply(_whole),
        }
        return aws.lambda_.Function(
            f"{self._name}-function",
            name=self._called,
            description=f"The {args['duty']} of the ledger",
            package_type="Image",
            image_uri=args["image"],
            role=args["role_arn"],
            timeout=TIMEOUT_SECONDS,
            memory_size=MEMORY_MB,
            reserved_concurrent_executions=1 if args.get("reserve_execution", True) else None,
            environment={"variables": variables},
            kms_key_arn=args["encryption_key_arn"],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs]),
        )

    def _schedule(self, function: aws.lambda_.Function) -> aws.cloudwatch.EventRule:
        name, args = self._name, self._args
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            name=self._called,
            description=f"The {args['duty']} of the ledger runs",
            schedule_expression=pulumi.Output.from_input(args.get("minutes", MINUTES)).apply(_rate),
            opts=pulumi.ResourceOptions(parent=self),
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            source_account=args["account_id"],
            # By its name and not its output, which a preview does not know.
            source_arn=pulumi.Output.concat(
                "arn:aws:events:", args["region"], ":", args["account_id"], ":rule/", self._called
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            arn=function.arn,
            # The next run does what a late one would.
            retry_policy={"maximum_event_age_in_seconds": 60, "maximum_retry_attempts": 0},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        return rule

    def _failing(self, function: aws.lambda_.Function) -> aws.cloudwatch.MetricAlarm:
        return self._alarm(
            "failing", function, "Errors", "GreaterThanThreshold", 0, FAILURES, "notBreaching",
            f"The {self._args['duty']} of the ledger refuses or fails",
        )  # fmt: skip

    def _resting(self, function: aws.lambda_.Function) -> aws.cloudwatch.MetricAlarm:
        return self._alarm(
            "resting", function, "Invocations", "LessThanThreshold", 1, RESTS, "breaching",
            f"The {self._args['duty']} of the ledger does not run",
        )  # fmt: skip

    def _alarm(
        self, what: str, function: aws.lambda_.Function, metric: str, comparison: str, threshold: int, times: int,
        missing: str, description: str,
    ) -> aws.cloudwatch.MetricAlarm:  # fmt: skip
        args = self._args
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{what}",
            name=f"{self._called}-{what}",
            alarm_description=description,
            namespace="AWS/Lambda",
            metric_name=metric,
            dimensions={"FunctionName": function.name},
            statistic="Sum",
            comparison_operator=comparison,
            threshold=threshold,
            period=pulumi.Output.from_input(args.get("minutes", MINUTES)).apply(lambda minutes: 60 * int(minutes)),
            evaluation_periods=times,
            treat_missing_data=missing,
            alarm_actions=args.get("alarm_topic_arns"),
            ok_actions=args.get("alarm_topic_arns"),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _whole(number: float) -> str:
    # Numbers that come late are floats.
    return str(int(number))


def _rate(minutes: float) -> str:
    """Return a rate; EventBridge has one minute in the singular. Source: User Guide, "Rate expressions"."""
    return f"rate({int(minutes)} minute{'' if int(minutes) == 1 else 's'})"


_RULES: Final = {
    "account_id": validation.account_id,
    "region": validation.region,
    "stack": validation.name,
    "duty": validation.one_of(*(role.value for role in LEDGER_ROLES)),
    "log": validation.log_name,
    "bucket_name": validation.bucket_name,
    "signing_key_arn": validation.key_arn,
    "role_arn": validation.role_arn,
    "image": validation.image,
    "encryption_key_arn": validation.key_arn,
    "minutes": validation.integer(1, 60, "minutes"),
    "renew_hours": validation.integer(1, 24, "hours"),
    "reserve_execution": validation.boolean,
    "log_retention_days": validation.log_retention_days,
    "alarm_topic_arns": validation.some(validation.topic_arn),
}
