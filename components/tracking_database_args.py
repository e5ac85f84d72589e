"""What a tracking database is told: its arguments, and what each of them must be."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation


class ExistingDatabase(TypedDict):
    """An instance to use in place of a new one, with its users, databases and whatever rotates their passwords."""

    identifier: pulumi.Input[str]
    address: pulumi.Input[str]
    port: pulumi.Input[int]
    secret_arn: pulumi.Input[str]
    """A secret with JSON {"username", "password"} of a user that owns both databases."""
    client_security_group_id: pulumi.Input[str]
    """Whatever is a member of it reaches the instance."""
    database_name: NotRequired[pulumi.Input[str]]
    """`mlflow` unless given."""
    auth_database_name: NotRequired[pulumi.Input[str]]
    """`mlflow_auth` unless given."""
    master_secret_arn: NotRequired[pulumi.Input[str]]
    """The administrator's secret; `secret_arn` unless given."""


class StandbyPlace(TypedDict):
    """Where the standby is: a region, the way to it, and the network and key there."""

    provider: aws.Provider
    region: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    encryption_key_arn: pulumi.Input[str]
    instance_class: NotRequired[pulumi.Input[str]]
    """The instance's own unless given."""
    backup_retention_days: NotRequired[pulumi.Input[int]]
    """Of the standby's own backups; 7 unless given, 0 for none."""


class TrackingDatabaseArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    identifier: pulumi.Input[str]
    master_username: NotRequired[pulumi.Input[str]]
    """`interlock` unless given; AWS cannot rename it, so an instance that is adopted keeps its own."""
    database_name: NotRequired[pulumi.Input[str]]
    """`mlflow` unless given; made if the instance has none of that name."""
    auth_database_name: NotRequired[pulumi.Input[str]]
    """`mlflow_auth` unless given."""
    engine_version: NotRequired[pulumi.Input[str]]
    """18 unless given; another major version than an instance has is an upgrade, which is not made in passing."""
    subnet_group_name: NotRequired[pulumi.Input[str]]
    """Drawn unless given; AWS moves no instance to another group of its VPC, so one that is adopted keeps its own."""
    vpc_id: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    """Where the endpoints of AWS's services are, for the function that rotates the users' passwords."""
    subnet_ids: pulumi.Input[list[str]]
    encryption_key_arn: pulumi.Input[str]
    rotation_image: pulumi.Input[str]
    """What `images/rotation` makes."""
    rotation_days: NotRequired[pulumi.Input[int]]
    """30 unless given."""
    rotation_reserved_concurrency: NotRequired[pulumi.Input[int]]
    """Executions of the account kept for the rotation's function; none unless given."""
    secret_recovery_days: NotRequired[pulumi.Input[int]]
    """30 unless given."""
    administrators: NotRequired[pulumi.Input[list[str]]]
    """ARNs of the only principals who keep the secrets; the account's policies decide unless given."""
    secret_readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of people's roles or users that read every secret beside what needs it; nobody unless given."""
    user_secret_readers: NotRequired[pulumi.Input[list[str]]]
    """ARNs of what else reads the users' secret, or patterns of them: the servers that log in with it."""
    standby: NotRequired[StandbyPlace]
    existing: NotRequired[ExistingDatabase]
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


_EXISTING_RULES: Final = {
    "identifier": validation.instance_identifier,
    "address": validation.host,
    "port": validation.integer(1, 65535),
    "secret_arn": validation.secret_arn,
    "client_security_group_id": validation.security_group_id,
    "master_secret_arn": validation.secret_arn,
    "database_name": validation.database_name,
    "auth_database_name": validation.database_name,
}
_STANDBY_RULES: Final = {
    "backup_retention_days": validation.integer(0, 35, "days"),
    "provider": validation.provider,
    "region": validation.region,
    "vpc_id": validation.vpc_id,
    "subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "encryption_key_arn": validation.key_arn,
    "instance_class": validation.instance_class,
}
RULES: Final = {
    "identifier": validation.instance_identifier,
    "master_username": validation.master_username,
    "database_name": validation.database_name,
    "auth_database_name": validation.database_name,
    "engine_version": validation.postgres_version,
    "subnet_group_name": validation.subnet_group_name,
    "account_id": validation.account_id,
    "region": validation.region,
    "vpc_id": validation.vpc_id,
    "cidr_block": validation.cidr_block,
    "rotation_image": validation.image,
    "rotation_days": validation.integer(1, 1000, "days"),
    "rotation_reserved_concurrency": validation.integer(3, 1000, "executions"),
    "secret_recovery_days": validation.secret_recovery_days,
    "administrators": validation.some(validation.iam_principal),
    "secret_readers": validation.some(validation.iam_principal_pattern, at_least=0),
    "user_secret_readers": validation.some(validation.iam_principal_pattern, at_least=0),
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
    "standby": validation.section(StandbyPlace, _STANDBY_RULES),
    "existing": validation.section(ExistingDatabase, _EXISTING_RULES),
}
