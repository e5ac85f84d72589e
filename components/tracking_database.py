"""The tracking database: PostgreSQL for MLflow's runs, registry and users."""

from __future__ import annotations

import json
from typing import Final

import pulumi
import pulumi_aws as aws

from components.database_credentials import DatabaseCredentials, DatabaseCredentialsArgs, rotating_role
from components.database_group import ENGINE_VERSION, EXPORTED_LOGS, PORT, ClientAdmission, parameter_group
from components.database_standby import DatabaseStandby, DatabaseStandbyArgs
from components.generated_secret import GeneratedSecret, GeneratedSecretArgs
from components.naming import followed_by
from components.tracking_database_args import RULES as _RULES
from components.tracking_database_args import ExistingDatabase, TrackingDatabaseArgs
from components.validation import checked

DATABASE_NAME: Final = "mlflow"
AUTH_DATABASE_NAME: Final = "mlflow_auth"
MASTER_USERNAME: Final = "interlock"


class TrackingDatabase(pulumi.ComponentResource):
    """An RDS instance that speaks TLS alone, to members of its client security group alone.

    Its administrator's and its users' passwords rotate; with a standby, their secrets are replicated beside it.
    """

    identifier: pulumi.Output[str]
    address: pulumi.Output[str]
    port: pulumi.Output[int]
    database_name: pulumi.Output[str]
    auth_database_name: pulumi.Output[str]
    secret_arn: pulumi.Output[str]
    """JSON {"username", "password", …} of the user that MLflow logs in as."""
    master_secret_arn: pulumi.Output[str]
    client_security_group_id: pulumi.Output[str]
    """Whatever is a member of it reaches the database."""
    standby: DatabaseStandby | None
    standby_secret_arn: pulumi.Output[str] | None
    """The replica of `secret_arn` in the standby's region, as the next is of `master_secret_arn`."""
    standby_master_secret_arn: pulumi.Output[str] | None

    def __init__(self, name: str, args: TrackingDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(TrackingDatabaseArgs, f"TrackingDatabase {name}", args, _RULES)
        super().__init__("interlock:tracking:TrackingDatabase", name, {}, opts)

        self.standby = self.standby_secret_arn = self.standby_master_secret_arn = None
        if "existing" in args:
            self._use(args["existing"])
        else:
            self._provision(name, args)
        self.register_outputs(
            {
                "identifier": self.identifier,
                "address": self.address,
                "port": self.port,
                "databaseName": self.database_name,
                "authDatabaseName": self.auth_database_name,
                "secretArn": self.secret_arn,
                "masterSecretArn": self.master_secret_arn,
                "clientSecurityGroupId": self.client_security_group_id,
            }
        )

    def _use(self, existing: ExistingDatabase) -> None:
        self.identifier = pulumi.Output.from_input(existing["identifier"])
        self.address = pulumi.Output.from_input(existing["address"])
        self.port = pulumi.Output.from_input(existing["port"])
        self.database_name = pulumi.Output.from_input(existing.get("database_name", DATABASE_NAME))
        self.auth_database_name = pulumi.Output.from_input(existing.get("auth_database_name", AUTH_DATABASE_NAME))
        self.secret_arn = pulumi.Output.from_input(existing["secret_arn"])
        self.master_secret_arn = pulumi.Output.from_input(existing.get("master_secret_arn", existing["secret_arn"]))
        self.client_security_group_id = pulumi.Output.from_input(existing["client_security_group_id"])

    def _provision(self, name: str, args: TrackingDatabaseArgs) -> None:
        admission = ClientAdmission(name, args["vpc_id"], pulumi.ResourceOptions(parent=self))
        # RDS would manage the password itself, but replicates no instance where it does.
        first = self._first(name, args)
        database = self._instance(name, args, admission, first)
        self.identifier = database.identifier
        self.address = database.address
        self.port = database.port
        self.database_name = pulumi.Output.from_input(args.get("database_name", DATABASE_NAME))
        self.auth_database_name = pulumi.Output.from_input(args.get("auth_database_name", AUTH_DATABASE_NAME))
        self.client_security_group_id = admission.client_group_id
        credentials = self._credentials(name, args, admission, first)
        self.secret_arn = credentials.secret_arn
        self.master_secret_arn = credentials.master_secret_arn
        if "standby" in args:
            self.standby = self._follow(name, args, database.arn)
            self.standby_secret_arn, self.standby_master_secret_arn = (
                pulumi.Output.all(arn, args["standby"]["region"]).apply(lambda known: in_region(known[0], known[1]))
                for arn in (self.secret_arn, self.master_secret_arn)
            )

    def _first(self, name: str, args: TrackingDatabaseArgs) -> GeneratedSecret:
        wanted: GeneratedSecretArgs = {
            "description": "The administrator's first password, of use until its first rotation",
            "encryption_key_arn": args["encryption_key_arn"],
            "username": args.get("master_username", MASTER_USERNAME),
            "recovery_window_days": args.get("secret_recovery_days", 30),
        }
        if "administrators" in args:
            wanted["administrators"] = args["administrators"]
            wanted["readers"] = pulumi.Output.all(args["account_id"], args.get("secret_readers", [])).apply(
                lambda known: [rotating_role(known[0], _credentials_name(name)), *known[1]]
            )
        return GeneratedSecret(f"{name}-first", wanted, pulumi.ResourceOptions(parent=self))

    def _instance(
        self, name: str, args: TrackingDatabaseArgs, admission: ClientAdmission, first: GeneratedSecret
    ) -> aws.rds.Instance:
        inside = pulumi.ResourceOptions(parent=self)
        version = args.get("engine_version", ENGINE_VERSION)
        subnets = aws.rds.SubnetGroup(
            f"{name}-subnets", name=args.get("subnet_group_name"), subnet_ids=args["subnet_ids"], opts=inside
        )
        return aws.rds.Instance(
            f"{name}-postgres",
            identifier=args["identifier"],
            engine="postgres",
            engine_version=version,
            instance_class=args.get("instance_class", "db.m7g.large"),
            db_name=args.get("database_name", DATABASE_NAME),
            port=PORT,
            username=args.get("master_username", MASTER_USERNAME),
            password=first.value.apply(lambda value: str(json.loads(value)["password"])),
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[admission.group_id],
            publicly_accessible=False,
            parameter_group_name=parameter_group(name, version, inside).name,
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
            # Of use at the creation alone: what one made by hand was first given is not always what MLflow uses.
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._logs(name, args), ignore_changes=["db_name"]),
        )

    def _credentials(
        self, name: str, args: TrackingDatabaseArgs, admission: ClientAdmission, first: GeneratedSecret
    ) -> DatabaseCredentials:
        wanted: DatabaseCredentialsArgs = {
            "account_id": args["account_id"],
            "region": args["region"],
            "identifier": args["identifier"],
            "address": self.address,
            "port": PORT,
            "database_names": pulumi.Output.all(self.database_name, self.auth_database_name),
            "first_secret_arn": first.secret_arn,
            "vpc_id": args["vpc_id"],
            "cidr_block": args["cidr_block"],
            "subnet_ids": args["subnet_ids"],
            "database_security_group_id": admission.group_id,
            "image": args["rotation_image"],
            "encryption_key_arn": args["encryption_key_arn"],
            "rotation_days": args.get("rotation_days", 30),
            "recovery_window_days": args.get("secret_recovery_days", 30),
            "log_retention_days": args.get("log_retention_days", 365),
        }
        if "rotation_reserved_concurrency" in args:
            wanted["reserved_concurrency"] = args["rotation_reserved_concurrency"]
        if "standby" in args:
            wanted["replica_region"] = args["standby"]["region"]
            wanted["replica_key_arn"] = args["standby"]["encryption_key_arn"]
        if "administrators" in args:
            wanted["administrators"] = args["administrators"]
            wanted["secret_readers"] = args.get("secret_readers", [])
            wanted["user_secret_readers"] = args.get("user_secret_readers", [])
        return DatabaseCredentials(_credentials_name(name), wanted, pulumi.ResourceOptions(parent=self))

    def _follow(self, name: str, args: TrackingDatabaseArgs, source_arn: pulumi.Output[str]) -> DatabaseStandby:
        place = args["standby"]
        wanted: DatabaseStandbyArgs = {
            "source_arn": source_arn,
            "identifier": pulumi.Output.from_input(args["identifier"]).apply(lambda own: followed_by(own, "standby")),
            "vpc_id": place["vpc_id"],
            "subnet_ids": place["subnet_ids"],
            "encryption_key_arn": place["encryption_key_arn"],
            "engine_version": args.get("engine_version", ENGINE_VERSION),
            "instance_class": place.get("instance_class", args.get("instance_class", "db.m7g.large")),
            "backup_retention_days": place.get("backup_retention_days", 7),
            "deletion_protection": args.get("deletion_protection", True),
            "log_retention_days": args.get("log_retention_days", 365),
        }
        return DatabaseStandby(
            f"{name}-standby", wanted, pulumi.ResourceOptions(parent=self, providers=[place["provider"]])
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


def _credentials_name(name: str) -> str:
    return f"{name}-credentials"


def in_region(secret_arn: str, region: str) -> str:
    """Return the ARN of a secret's replica: the secret's own but for the region."""
    parts = secret_arn.split(":")
    return ":".join([*parts[:3], region, *parts[4:]])
