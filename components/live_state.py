"""Live state: what a rollout or a failover stands at right now, in a table of its own region."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.guarded_resources import table_policy

PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"


class LiveStateArgs(TypedDict):
    encryption_key_arn: NotRequired[pulumi.Input[str]]
    """Key of a new table; needed unless there is a table already."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """True unless given."""
    table_name: NotRequired[pulumi.Input[str]]
    """Drawn from the component's name unless given."""
    writers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only roles that change what is in a new table, or patterns of them; given with `administrators`.

    The account's policies decide unless given.
    """
    administrators: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals who change the table itself and who may write."""
    existing_table_arn: NotRequired[pulumi.Input[str]]
    """A table with string keys `pk` and `sk`, to use in place of a new one."""


class LiveState(pulumi.ComponentResource):
    """A DynamoDB table for rollout steps, leases and fences, written by conditional writes alone.

    It belongs to one region and is no global table: there the last writer wins, and a lease would mean nothing.
    """

    table_name: pulumi.Output[str]
    table_arn: pulumi.Output[str]

    def __init__(self, name: str, args: LiveStateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(LiveStateArgs, f"LiveState {name}", args, _RULES)
        validation.either(f"LiveState {name}", args, _RULES, "encryption_key_arn", "existing_table_arn")
        super().__init__("interlock:state:LiveState", name, {}, opts)

        if "existing_table_arn" in args:
            self.table_arn = pulumi.Output.from_input(args["existing_table_arn"])
            self.table_name = self.table_arn.apply(lambda arn: arn.rpartition("/")[2])
        else:
            table = self._create(name, args)
            self.table_arn, self.table_name = table.arn, table.name
            if "writers" in args and "administrators" in args:
                self._guard(name, table, args["writers"], args["administrators"])
        self.register_outputs({"tableName": self.table_name, "tableArn": self.table_arn})

    def _create(self, name: str, args: LiveStateArgs) -> aws.dynamodb.Table:
        return aws.dynamodb.Table(
            f"{name}-table",
            name=args.get("table_name"),
            attributes=[{"name": key, "type": "S"} for key in (PARTITION_KEY, SORT_KEY)],
            hash_key=PARTITION_KEY,
            range_key=SORT_KEY,
            # A failover reads and writes in a burst that nobody could provision for.
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args["encryption_key_arn"]},
            deletion_protection_enabled=args.get("deletion_protection", True),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _guard(
        self,
        name: str,
        table: aws.dynamodb.Table,
        writers: pulumi.Input[list[str]],
        administrators: pulumi.Input[list[str]],
    ) -> None:
        policy = aws.dynamodb.ResourcePolicy(
            f"{name}-policy",
            resource_arn=table.arn,
            policy=pulumi.Output.all(writers, administrators).apply(lambda known: table_policy(known[0], known[1])),
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Who is given the table finds it guarded.
        self.table_arn = pulumi.Output.all(table.arn, policy.id).apply(lambda known: str(known[0]))


_RULES: Final = {
    "encryption_key_arn": validation.key_arn,
    "deletion_protection": validation.boolean,
    "table_name": validation.table_name,
    "writers": validation.some(validation.iam_principal_pattern),
    "administrators": validation.some(validation.iam_principal),
    "existing_table_arn": validation.table_arn,
}
