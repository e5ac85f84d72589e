"""Settings of MLflow: its server, its database and its artifacts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from interlock import rules
from interlock.settings.refusals import Must, refuse
from interlock.settings.section import BucketName, Flag, Image, Means, Section, at_least_minimum
from interlock.sizes import ServerSize


class ArtifactSettings(Section):
    cold_storage_days: Annotated[
        int, Must(rules.integer(30, 3650, "days")), Means("days after which artifacts move to colder storage")
    ] = 90
    bucket_name: Annotated[BucketName | None, Means("the name of the bucket of artifacts")] = None
    replica_bucket_name: Annotated[BucketName | None, Means("the name of its replica")] = None
    existing_bucket_name: Annotated[
        BucketName | None, Means("the bucket of artifacts is one that was there already")
    ] = None
    """It is used as it is, and gets no replica."""
    encryption_key_arn: Annotated[
        Annotated[str, Must(rules.key_arn)] | None, Means("the key that encrypts the artifacts")
    ] = None
    """The platform's data key unless given."""

    @field_validator("existing_bucket_name")
    @classmethod
    def _either(cls, existing: str | None, info: ValidationInfo) -> str | None:
        named = [name for name in ("bucket_name", "replica_bucket_name") if info.data.get(name) is not None]
        if existing is not None and named:
            refuse(f"either existing_bucket_name or {named[0]}, not both")
        return existing


class StorageSettings(Section):
    """GiB at first, and how far it grows by itself."""

    min: Annotated[int, Must(rules.integer(20, 65536, "GiB")), Means("GiB of the database's storage at first")] = 100
    max: Annotated[int, Must(rules.integer(20, 65536, "GiB")), Means("GiB that the storage grows to by itself")] = 1000

    @field_validator("max")
    @classmethod
    def _ordered(cls, maximum: int, info: ValidationInfo) -> int:
        return at_least_minimum(maximum, info)


class DatabaseSettings(Section):
    instance_class: Annotated[str, Must(rules.instance_class), Means("what the database runs on")] = "db.m7g.large"
    storage_gib: StorageSettings = StorageSettings()
    multi_az: Annotated[Flag, Means("the database survives the loss of a zone")] = True
    backup_retention_days: Annotated[
        int, Must(rules.integer(1, 35, "days")), Means("days that the database can be taken back to")
    ] = 35
    standby_backup_retention_days: Annotated[
        int, Must(rules.integer(0, 35, "days")), Means("days that the standby can be taken back to by itself")
    ] = 7
    """0 for none: then it has its first backup when it is promoted."""
    identifier: Annotated[
        Annotated[str, Must(rules.instance_identifier)] | None, Means("the name of the database's instance")
    ] = None
    """`interlock-<stack>-tracking` unless given."""
    master_username: Annotated[
        Annotated[str, Must(rules.master_username)] | None, Means("the database's administrator")
    ] = None
    name: Annotated[
        Annotated[str, Must(rules.database_name)] | None, Means("the database of MLflow's runs and registry")
    ] = None
    auth_name: Annotated[Annotated[str, Must(rules.database_name)] | None, Means("the database of MLflow's users")] = (
        None
    )
    subnet_group_name: Annotated[
        Annotated[str, Must(rules.subnet_group_name)] | None, Means("the name of the database's subnet group")
    ] = None
    """These are named for an instance that is adopted: AWS can rename none of them."""
    engine_version: Annotated[
        Annotated[str, Must(rules.postgres_version)] | None, Means("the version of PostgreSQL")
    ] = None
    """18 unless given."""


class ExistingTrackingSettings(Section):
    """An MLflow server that there is already, with users (`basic-auth`), to use in place of a new one."""

    uri: Annotated[str, Must(rules.https_uri), Means("where the MLflow server is that was there already")]
    admin_secret_arn: Annotated[str, Must(rules.secret_arn), Means("whose user its administrator is")]
    """A secret with JSON {"username", "password"}."""


class RotationSettings(Section):
    """How the passwords of the database's users are changed."""

    image: Annotated[
        Annotated[str, Must(rules.image)] | None, Means("the image of the function that changes passwords")
    ] = None
    """The server's repository and tag, with `rotation` in place of its last name, unless given.

    Needed where the server's image is named after its content: by a digest, or by a tag of `interlock images`.
    """
    days: Annotated[int, Must(rules.integer(1, 1000, "days")), Means("days after which passwords change")] = 30
    reserved_concurrency: Annotated[
        Annotated[int, Must(rules.integer(3, 1000, "executions"))] | None,
        Means("executions of the account that are kept for the function"),
    ] = None
    """None unless given: of an account with AWS's smallest quota, nothing can be kept."""


class TrackingSettings(Section):
    domain: Annotated[str, Must(rules.domain), Means("the name that MLflow is reached by")]
    certificate_arn: Annotated[
        Annotated[str, Must(rules.certificate_arn)] | None, Means("the certificate that the name is served with")
    ] = None
    """Found by the domain unless given."""
    image: Annotated[Image, Means("the image of the MLflow server")]
    existing_cluster_arn: Annotated[
        Annotated[str, Must(rules.cluster_arn)] | None, Means("the server's cluster is one that was there already")
    ] = None
    size: Annotated[ServerSize, Means("how much one task of the server gets")] = ServerSize.MEDIUM
    task_count: Annotated[int, Must(rules.integer(1, 100)), Means("tasks of the server side by side")] = 2
    max_task_count: Annotated[int, Must(rules.integer(1, 100)), Means("tasks that the server grows to")] = 8
    """Never less than `task_count`."""
    client_cidr_blocks: Annotated[
        list[Annotated[str, Must(rules.client_cidr_block)]], Means("who outside of the network may connect to MLflow")
    ] = Field(default_factory=list)
    """Of networks that are joined to this one, as by a VPN; MLflow has no public address."""
    secret_readers: Annotated[
        list[Annotated[str, Must(rules.iam_principal)]],
        Means("who reads the passwords of MLflow and its database beside what needs them"),
    ] = Field(default_factory=list)
    """The only principals beside the servers, the rotation and each duty its own; nobody unless given."""
    database: DatabaseSettings = DatabaseSettings()
    rotation: RotationSettings = RotationSettings()

    @property
    def rotation_image(self) -> str:
        """Return the image of the function that rotates the database's users."""
        if self.rotation.image is not None:
            return self.rotation.image
        repository, _, tag = self.image.rpartition(":")
        return f"{repository.rpartition('/')[0]}/rotation:{tag}"

    @field_validator("client_cidr_blocks")
    @classmethod
    def _distinct(cls, blocks: list[str]) -> list[str]:
        if len(set(blocks)) != len(blocks):
            refuse("each block once")
        return blocks

    @field_validator("max_task_count")
    @classmethod
    def _room(cls, maximum: int, info: ValidationInfo) -> int:
        minimum = info.data.get("task_count")
        if minimum is not None and maximum < minimum:
            refuse(f"{minimum}, which is task_count, or more")
        return maximum
