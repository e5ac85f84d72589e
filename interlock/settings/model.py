"""The settings of a stack: everything that differs between environments, checked before anything is created."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from interlock import rules
from interlock.duties.bucket_policy import LONGEST_RETENTION_DAYS, MINIMUM_RETENTION_DAYS
from interlock.duties.duty import SigningDuty
from interlock.settings.accounts import AccountsSettings, ApproverSettings, ImageSettings, KeySettings, RecoverySettings
from interlock.settings.alarms import AlarmSettings
from interlock.settings.duties import DutySettings
from interlock.settings.endpoints import EndpointSettings
from interlock.settings.ledger import LedgerSettings
from interlock.settings.network import NetworkSettings
from interlock.settings.refusals import Must, refuse
from interlock.settings.section import (
    AccountId,
    BucketName,
    DataClass,
    Environment,
    Flag,
    Image,
    Layer,
    LogDays,
    Means,
    Principals,
    Region,
    RoleArn,
    Section,
    TagValue,
    Tier,
)
from interlock.settings.tracking import ArtifactSettings, ExistingTrackingSettings, TrackingSettings


class Tags(Section):
    """What everything of the stack is tagged with, beside its environment and its stack."""

    owner: Annotated[TagValue, Means("who answers for it")]
    tier: Annotated[Tier, Means("how much depends on it")]
    data_class: Annotated[DataClass, Means("how closely its data is held")]
    cost_centre: Annotated[TagValue, Means("who pays for it")]


class VaultSettings(Section):
    retention_days: Annotated[
        int,
        Must(rules.integer(MINIMUM_RETENTION_DAYS, LONGEST_RETENTION_DAYS, "days")),
        Means("days that every object of the vault is locked at least"),
    ] = MINIMUM_RETENTION_DAYS
    bucket_name: Annotated[BucketName | None, Means("the name of the vault's bucket")] = None
    """Named by Pulumi unless given; so are the others."""
    staging_bucket_name: Annotated[BucketName | None, Means("the name of the bucket beside the vault")] = None
    recovery_bucket_name: Annotated[BucketName | None, Means("the name of the vault's other half")] = None
    recovery_staging_bucket_name: Annotated[BucketName | None, Means("the name of the bucket beside that")] = None


class RunnerSettings(Section):
    """What a script outside of a network has something asked inside of it by."""

    image: Annotated[Image, Means("the image of the runner")]
    """In the registry of the primary region; the recovery region's has its replica."""
    existing_cluster_arn: Annotated[
        Annotated[str, Must(rules.cluster_arn)] | None, Means("the runner's cluster is one that was there already")
    ] = None
    existing_recovery_cluster_arn: Annotated[
        Annotated[str, Must(rules.cluster_arn)] | None, Means("so is that of the recovery region's runner")
    ] = None


class BudgetSettings(Section):
    monthly_usd: Annotated[
        int, Must(rules.integer(1, 10_000_000, "US dollars")), Means("US dollars that a month may cost")
    ]
    emails: Annotated[
        list[Annotated[str, Must(rules.email)]], Means("who is told by e-mail"), Must(rules.at_most(10))
    ] = Field(default_factory=list)
    """Beside the subscribers of the topic that is made."""


class LiveStateTableSettings(Section):
    table_name: Annotated[
        Annotated[str, Must(rules.table_name)] | None, Means("the name of the table of live state")
    ] = None
    existing_table_arn: Annotated[
        Annotated[str, Must(rules.table_arn)] | None, Means("the table of live state is one that was there already")
    ] = None
    """With string keys `pk` and `sk`."""


class LiveStateSettings(Section):
    """The table of each region."""

    primary: LiveStateTableSettings = LiveStateTableSettings()
    recovery: LiveStateTableSettings = LiveStateTableSettings()


class Settings(Section):
    """All settings of one stack, as `interlock:<name>` in `Pulumi.<stack>.yaml`."""

    environment: Annotated[Environment, Means("what the stack is for")]
    account_id: Annotated[AccountId, Means("the workload account")]
    region: Annotated[Region, Means("the primary region")]
    role_arn: Annotated[RoleArn | None, Means("the role that `pulumi up` assumes in the workload account")] = None
    """Needed unless the credentials of `pulumi up` are the workload account's own."""
    accounts: AccountsSettings = AccountsSettings()
    recovery: Annotated[RecoverySettings | None, Means("the stack survives the loss of its region")] = None
    """The second region; none unless given."""
    layers: Annotated[list[Layer], Means("what the stack provisions")] = Field(
        default_factory=lambda: list(Layer), min_length=1
    )
    foundation_stack: Annotated[str | None, Means("the stack whose keys and vault are used")] = None
    """Full name of the stack whose foundation this one's platform stands on, when it has none of its own."""
    tags: Tags
    disposable: Annotated[Flag, Means("`pulumi destroy` may take everything")] = False
    """Whether `pulumi destroy` may take everything: nothing protected, no final snapshot, buckets emptied."""
    administrators: Annotated[Principals | None, Means("vault and keys are left to named principals")] = None
    """The only principals who may configure vault and keys: in prod, the foundation's roles.

    Unless given: nobody may configure the vault once it stands, and whoever ran `pulumi up` first the keys.
    """
    signers: Annotated[dict[SigningDuty, Principals], Means("signing for a duty is left to named principals")] = Field(
        default_factory=dict
    )
    """By duty: the only principals who may sign with its key; the account's IAM policies decide unless given."""
    approvers: Annotated[list[ApproverSettings], Means("a person has a key to approve with")] = Field(
        default_factory=list
    )
    duties: Annotated[DutySettings | None, Means("every duty has a role, and the people who may assume it")] = None
    """With it, the layer foundation makes the duties' roles and their boundaries."""
    keys: KeySettings = KeySettings()
    images: ImageSettings = ImageSettings()
    vault: VaultSettings = VaultSettings()
    ledger: Annotated[LedgerSettings | None, Means("the ledger's functions append and witness by themselves")] = None
    """With it, the layer foundation makes them; their image needs the trust root, which needs the foundation's keys."""
    log_retention_days: Annotated[LogDays, Means("days that logs are kept")] = 365
    network: Annotated[NetworkSettings | None, Means("the primary region has a network")] = None
    artifacts: ArtifactSettings = ArtifactSettings()
    tracking: Annotated[TrackingSettings | None, Means("MLflow runs in it")] = None
    existing_tracking: Annotated[ExistingTrackingSettings | None, Means("MLflow is there already")] = None
    """In place of `tracking`; neither server nor database nor artifact store is made."""
    live_state: LiveStateSettings = LiveStateSettings()
    runner: Annotated[RunnerSettings | None, Means("scripts can have something asked inside of the networks")] = None
    budget: Annotated[BudgetSettings | None, Means("somebody is told what the stack costs")] = None
    alarms: Annotated[AlarmSettings | None, Means("somebody is told of alarms")] = None
    """Needed in prod; without it alarms change their state and tell nobody."""
    endpoints: Annotated[list[EndpointSettings], Means("models serve at it")] = Field(default_factory=list)

    @field_validator("layers")
    @classmethod
    def _once(cls, layers: list[Layer]) -> list[Layer]:
        if len(set(layers)) != len(layers):
            refuse("each layer once")
        return layers

    @property
    def multi_region_keys(self) -> bool:
        """Whether signing keys have replicas in the recovery region."""
        chosen = self.keys.multi_region
        return self.recovery is not None if chosen is None else chosen

    def named_after(self, stack: str) -> str:
        """Return the stack that the foundation of stack `stack` names its resources after: its platform's."""
        apart = self.duties.platform_stack if self.duties and Layer.PLATFORM not in self.layers else None
        return apart or stack

    def resource_tags(self, stack: str) -> dict[str, str]:
        """Return the tags of everything in stack `stack`."""
        return {
            "interlock:stack": stack,
            "owner": self.tags.owner,
            "environment": self.environment.value,
            "tier": self.tags.tier.value,
            "data-class": self.tags.data_class.value,
            "cost-centre": self.tags.cost_centre,
        }
