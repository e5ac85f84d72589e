"""The tracking database's standby: a read replica in another region, to be promoted when the first is lost."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.database_group import ENGINE_VERSION, EXPORTED_LOGS, PORT, ClientAdmission, parameter_group
from components.validation import checked


class DatabaseStandbyArgs(TypedDict):
    source_arn: pulumi.Input[str]
    """Of the instance it follows, whose administrator's password RDS must not manage: AWS replicates no such one."""
    identifier: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    encryption_key_arn: pulumi.Input[str]
    """A key of the standby's own region."""
    engine_version: NotRequired[pulumi.Input[str]]
    """The source's; 18 unless given."""
    instance_class: NotRequired[pulumi.Input[str]]
    """`db.m7g.large` unless given; smaller than the source's, it may fall behind."""
    multi_az: NotRequired[pulumi.Input[bool]]
    """False unless given."""
    backup_retention_days: NotRequired[pulumi.Input[int]]
    """7 unless given: promoted, it is backed up at once. 0 for none."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """True unless given."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""


class DatabaseStandby(pulumi.ComponentResource):
    """A replica that speaks TLS alone, to its clients' security group alone; `opts` holds its region's provider.

    Names of databases and users, and their passwords, are the source's.
    """

    identifier: pulumi.Output[str]
    address: pulumi.Output[str]
    port: pulumi.Output[int]
    client_security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseStandbyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(DatabaseStandbyArgs, f"DatabaseStandby {name}", args, _RULES)
        super().__init__("interlock:tracking:DatabaseStandby", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        admission = ClientAdmission(name, args["vpc_id"], inside)
        subnets = aws.rds.SubnetGroup(f"{name}-subnets", subnet_ids=args["subnet_ids"], opts=inside)
        logs = [
            aws.cloudwatch.LogGroup(
                f"{name}-{log}-logs",
                name=pulumi.Output.concat("/aws/rds/instance/", args["identifier"], f"/{log}"),
                kms_key_id=args["encryption_key_arn"],
                retention_in_days=args.get("log_retention_days", 365),
                opts=inside,
            )
            for log in EXPORTED_LOGS
        ]
        version = args.get("engine_version", ENGINE_VERSION)
        replica = aws.rds.Instance(
            f"{name}-postgres",
            identifier=args["identifier"],
            replicate_source_db=args["source_arn"],
            engine_version=version,
            instance_class=args.get("instance_class", "db.m7g.large"),
            port=PORT,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[admission.group_id],
            publicly_accessible=False,
            parameter_group_name=parameter_group(name, version, inside).name,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=args["encryption_key_arn"],
            multi_az=args.get("multi_az", False),
            backup_retention_period=args.get("backup_retention_days", 7),
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            enabled_cloudwatch_logs_exports=list(EXPORTED_LOGS),
            deletion_protection=args.get("deletion_protection", True),
            # RDS takes no final snapshot of a replica.
            skip_final_snapshot=True,
            # A promotion ends the replication, and is no reason to make another replica.
            opts=pulumi.ResourceOptions(parent=self, depends_on=logs, ignore_changes=["replicate_source_db"]),
        )

        self.identifier = replica.identifier
        self.address = replica.address
        self.port = replica.port
        self.client_security_group_id = admission.client_group_id
        self.register_outputs(
            {
                "identifier": self.identifier,
                "address": self.address,
                "port": self.port,
                "clientSecurityGroupId": self.client_security_group_id,
            }
        )


_RULES: Final = {
    "source_arn": validation.arn("rds", r"db:[a-z][a-z0-9-]*", "arn:aws:rds:eu-west-1:111122223333:db:name"),
    "identifier": validation.instance_identifier,
    "vpc_id": validation.vpc_id,
    "subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "encryption_key_arn": validation.key_arn,
    "engine_version": validation.postgres_version,
    "instance_class": validation.instance_class,
    "multi_az": validation.boolean,
    "backup_retention_days": validation.integer(0, 35, "days"),
    "deletion_protection": validation.boolean,
    "log_retention_days": validation.log_retention_days,
}
