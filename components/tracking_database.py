"""The tracking database: PostgreSQL for MLflow's runs, registry and users."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked

ENGINE_VERSION: Final = "18"
PORT: Final = 5432
EXPORTED_LOGS: Final = ("postgresql", "upgrade")
DATABASE_NAME: Final = "mlflow"
AUTH_DATABASE_NAME: Final = "mlflow_auth"
PARAMETERS: Final = {
    "rds.force_ssl": "1",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_statement": "ddl",
    "log_min_duration_statement": "5000",
}


class TrackingDatabaseArgs(TypedDict):
    identifier: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    encryption_key_arn: pulumi.Input[str]
    instance_class: NotRequired[pulumi.Input[str]]
    """`db.m7g.large` unless given."""
    allocated_storage_gib: NotRequired[pulumi.Input[int]]
    """100 unless given."""
    max_allocated_storage_gib: NotRequired[pulumi.Input[int]]
    """How far storage grows by itself; 1,000 unless given."""
    multi_az: NotRequired[pulumi.Input[bool]]
    """True unless given."""
    backup_retention_days: NotRequired[pulumi.Input[int]]
    """35, the most there is, unless given."""
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """True unless given."""
    skip_final_snapshot: NotRequired[pulumi.Input[bool]]
    """False unless given."""
    log_retention_days: NotRequired[pulumi.Input[int]]
    """365 unless given."""


class TrackingDatabase(pulumi.ComponentResource):
    """An RDS instance that speaks TLS alone, to members of its client security group alone.

    Its master password is made, kept and rotated by RDS in a secret that this component only points to.
    """

    identifier: pulumi.Output[str]
    address: pulumi.Output[str]
    port: pulumi.Output[int]
    database_name: pulumi.Output[str]
    auth_database_name: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    client_security_group_id: pulumi.Output[str]
    """Whatever is a member of it reaches the database."""

    def __init__(self, name: str, args: TrackingDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(TrackingDatabaseArgs, f"TrackingDatabase {name}", args, _RULES)
        super().__init__("interlock:tracking:TrackingDatabase", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        group_id = self._admit_clients(name, args)
        subnets = aws.rds.SubnetGroup(f"{name}-subnets", subnet_ids=args["subnet_ids"], opts=inside)
        parameters = aws.rds.ParameterGroup(
            f"{name}-parameters",
            family=f"postgres{ENGINE_VERSION}",
            parameters=[
                {"name": key, "value": value, "apply_method": "immediate"} for key, value in sorted(PARAMETERS.items())
            ],
            opts=inside,
        )
        database = aws.rds.Instance(
            f"{name}-postgres",
            identifier=args["identifier"],
            engine="postgres",
            engine_version=ENGINE_VERSION,
            instance_class=args.get("instance_class", "db.m7g.large"),
            db_name=DATABASE_NAME,
            port=PORT,
            username="interlock",
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args["encryption_key_arn"],
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group_id],
            publicly_accessible=False,
            parameter_group_name=parameters.name,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=args["encryption_key_arn"],
            allocated_storage=args.get("allocated_storage_gib", 100),
            max_allocated_storage=args.get("max_allocated_storage_gib", 1000),
            multi_az=args.get("multi_az", True),
            backup_retention_period=args.get("backup_retention_days", 35),
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            enabled_cloudwatch_logs_exports=list(EXPORTED_LOGS),
            deletion_protection=args.get("deletion_protection", True),
            skip_final_snapshot=args.get("skip_final_snapshot", False),
            # From a name that is new each time: a snapshot of an earlier database keeps its own.
            final_snapshot_identifier=pulumi.Output.concat(subnets.name, "-final"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._logs(name, args)),
        )

        self.identifier = database.identifier
        self.address = database.address
        self.port = database.port
        self.database_name = pulumi.Output.from_input(DATABASE_NAME)
        self.auth_database_name = pulumi.Output.from_input(AUTH_DATABASE_NAME)
        self.master_secret_arn = database.master_user_secrets.apply(lambda secrets: str(secrets[0].secret_arn))
        self.register_outputs(
            {
                "identifier": self.identifier,
                "address": self.address,
                "port": self.port,
                "databaseName": self.database_name,
                "authDatabaseName": self.auth_database_name,
                "masterSecretArn": self.master_secret_arn,
                "clientSecurityGroupId": self.client_security_group_id,
            }
        )

    def _logs(self, name: str, args: TrackingDatabaseArgs) -> list[pulumi.Resource]:
        # RDS would make these groups itself, without a key and for ever.
        return [
            aws.cloudwatch.LogGroup(
                f"{name}-{log}-logs",
                name=pulumi.Output.concat("/aws/rds/instance/", args["identifier"], f"/{log}"),
                kms_key_id=args["encryption_key_arn"],
                retention_in_days=args.get("log_retention_days", 365),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for log in EXPORTED_LOGS
        ]

    def _admit_clients(self, name: str, args: TrackingDatabaseArgs) -> pulumi.Output[str]:
        inside = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            f"{name}-group", vpc_id=args["vpc_id"], description="The tracking database", opts=inside
        )
        clients = aws.ec2.SecurityGroup(
            f"{name}-clients", vpc_id=args["vpc_id"], description="Clients of the tracking database", opts=inside
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-clients",
            security_group_id=group.id,
            description="PostgreSQL from its clients",
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            referenced_security_group_id=clients.id,
            opts=inside,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-database",
            security_group_id=clients.id,
            description="PostgreSQL to the database",
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            referenced_security_group_id=group.id,
            opts=inside,
        )
        self.client_security_group_id = clients.id
        return group.id


_RULES: Final = {
    "identifier": validation.text(
        r"[a-z](-?[a-z0-9]){0,62}", "up to 63 small letters, digits and single hyphens, a letter first"
    ),
    "vpc_id": validation.vpc_id,
    "subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "encryption_key_arn": validation.key_arn,
    "instance_class": validation.instance_class,
    "allocated_storage_gib": validation.integer(20, 65536, "GiB"),
    "max_allocated_storage_gib": validation.integer(20, 65536, "GiB"),
    "multi_az": validation.boolean,
    "backup_retention_days": validation.integer(1, 35, "days"),
    "deletion_protection": validation.boolean,
    "skip_final_snapshot": validation.boolean,
    "log_retention_days": validation.log_retention_days,
}
