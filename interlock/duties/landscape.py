"""Where the duties' resources are: the names of one stack, all of them known before anything exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from interlock.duties.documents import Conditions
from interlock.duties.duty import Role
from interlock.duties.rights import Account, Kind

REPLICATION_CLAIM: Final = "/interlock/image-replication"
"""The parameter that says whose the replication configuration of a registry is."""
ROLE_PATH: Final = "/interlock/duties/"
"""Of the duties' roles, which only the foundation makes and changes."""
SERVICE_ROLE_PATH: Final = "/interlock/services/"
"""Of the roles that the layer platform makes for services, each inside of the boundary of services."""
REPLICATION_ROLE_PATH: Final = "/interlock/replication/"
"""Of the roles that S3 replicates the vault as, which only the foundation makes."""
BOUNDARY_PATH: Final = "/interlock/boundaries/"
LEDGER_ROLES: Final = (Role.SEQUENCER, Role.WITNESS)
"""Those that functions of the foundation's run under, each called after its role."""
LIVE_STATE_TABLES: Final = ("live-state-table-*", "live-state-recovery-table-*")
"""Pulumi's own names for the tables of live state, as patterns."""
MANIFEST_PREFIX: Final = "stacks/"
DUTY_TAG: Final = "interlock:duty"
ROLE_TAG: Final = "interlock:role"
STACK_TAG: Final = "interlock:stack"


@dataclass(frozen=True)
class Landscape:
    """The accounts, regions and names of one stack."""

    stack: str
    workload: str
    """An account's id, as are the next two."""
    evidence: str
    audit: str
    regions: tuple[str, ...]
    """The primary region, and that of recovery if there is one."""
    vaults: tuple[str, ...]
    """Names of the vault's buckets."""
    staging: tuple[str, ...]
    """Names of the buckets beside the vault."""
    endpoints: tuple[str, ...]
    """Names of the endpoints; with none, whatever the stack's endpoints are called."""
    tables: tuple[str, ...]
    """Names of the tables of live state, or patterns of them."""
    project: str = "interlock"
    platform_stack: str = ""
    """The stack of the layer platform: the same, unless the foundation is a stack of its own."""
    environment: str = ""
    """What the state's buckets and key are called after: the stack's name, unless it has another."""

    @property
    def state_prefix(self) -> str:
        """What the names of the state's buckets and key begin with."""
        return f"interlock-{self.environment or self.stack}"

    @property
    def records(self) -> tuple[str, ...]:
        """ARNs of the buckets that trails write into, one in each region that they may be in, as `infra/audit` calls
        them."""
        return tuple(f"arn:aws:s3:::{self.state_prefix}-trail-{self.audit}-{region}" for region in self.regions)

    @property
    def state_alias(self) -> str:
        """The alias of the key that the secrets in states lie under."""
        return f"alias/{self.state_prefix}-secrets"

    @property
    def prefix(self) -> str:
        """What the names of this stack's resources begin with."""
        return f"interlock-{self.stack}"

    @property
    def platform(self) -> str:
        """The stack of the layer platform."""
        return self.platform_stack or self.stack

    @property
    def platform_prefix(self) -> str:
        """What the names of the layer platform's resources begin with."""
        return f"interlock-{self.platform}"

    def account_of(self, home: Account) -> str:
        """Return the id of an account."""
        return self.workload if home is Account.WORKLOAD else self.evidence

    def homes_of(self, role: Role, home: Account) -> tuple[Account, ...]:
        """Return the accounts that a role is made in; the foundation keeps its own in each."""
        if role is Role.FOUNDATION and self.workload != self.evidence:
            return (Account.EVIDENCE, Account.WORKLOAD)
        return (home,)

    def role_name(self, role: Role) -> str:
        """Return the name of a duty's role."""
        return f"{self.prefix}-{role.value}"

    def role_arn(self, role: Role, home: Account) -> str:
        """Return the ARN of a duty's role in one of its accounts."""
        return f"arn:aws:iam::{self.account_of(home)}:role{ROLE_PATH}{self.role_name(role)}"

    def key_alias(self, name: str) -> str:
        """Return the alias of a key."""
        return f"alias/{self.prefix}-{name}"

    def each_region(self, pattern: str) -> list[str]:
        """Return `pattern` with `{region}` replaced by each region."""
        return [pattern.replace("{region}", region) for region in self.regions]


@dataclass(frozen=True)
class Reach:
    """The resources of a statement, and the conditions without which its resources would be too many."""

    resources: tuple[str, ...]
    conditions: Conditions


def reach(kind: Kind, name: str, land: Landscape) -> Reach:
    """Return what a policy names the resources of a kind by."""
    own_stack: Conditions = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": land.platform}}
    if kind in _BUCKETS:
        return _bucket_reach(kind, name, land)
    if kind in _KEYS:
        return _key_reach(kind, name, land)
    if kind in (Kind.OWN_BUCKETS, Kind.OWN_OBJECTS):
        # Pulumi draws their names; whose they are tells them apart.
        pattern = "arn:aws:s3:::*" if kind is Kind.OWN_BUCKETS else "arn:aws:s3:::*/*"
        return Reach((pattern,), {"StringEquals": {"aws:ResourceAccount": land.workload}})
    if kind in _OF_THE_LEDGER:
        return Reach(tuple(_ledger_arns(kind, name, land)), {})
    if kind is Kind.TABLE:
        tables = [one for table in land.tables for one in _regional(land, f"dynamodb:table/{table}")]
        return Reach(tuple(tables), {})
    if kind is Kind.REPOSITORY:
        repositories = land.each_region(f"arn:aws:ecr:{{region}}:{land.evidence}:repository/interlock/{land.stack}/*")
        return Reach(tuple(repositories), {})
    resources = _arns(kind, name, land)
    if kind is Kind.OWN_KEYS:
        # A new key has no alias yet; what states are encrypted with is used as `state_policy` says.
        return Reach(tuple(resources), {"ForAllValues:StringNotEquals": {"kms:ResourceAliases": land.state_alias}})
    return Reach(tuple(resources), own_stack if kind in _TAGGED else {})


_BUCKETS: Final = (Kind.VAULT, Kind.OBJECTS, Kind.STAGING, Kind.STAGED, Kind.GUARDED)
_KEYS: Final = (Kind.SIGNING_KEY, Kind.EVIDENCE_KEY, Kind.PLATFORM_KEY, Kind.LEDGER_KEY)
_TAGGED: Final = (Kind.SECRET, Kind.SERVICE, Kind.DATABASE)
"""Kinds whose names Pulumi draws, which another stack of the account could have as well."""


def _bucket_reach(kind: Kind, name: str, land: Landscape) -> Reach:
    beside = {Kind.STAGING: land.staging, Kind.STAGED: land.staging, Kind.GUARDED: (*land.vaults, *land.staging)}
    buckets = beside.get(kind, land.vaults)
    ending = "" if kind in (Kind.VAULT, Kind.STAGING, Kind.GUARDED) else f"/{name}*"
    resources = tuple(f"arn:aws:s3:::{bucket}{ending}" for bucket in buckets)
    # The name of a bucket that is gone can come to be somebody else's.
    return Reach(resources, {"StringEquals": {"aws:ResourceAccount": land.evidence}})


def _key_reach(kind: Kind, name: str, land: Landscape) -> Reach:
    account = land.workload if kind is Kind.PLATFORM_KEY else land.evidence
    alias = {Kind.EVIDENCE_KEY: "evidence", Kind.LEDGER_KEY: LEDGER}.get(kind, name)
    # AWS draws a key's id, and takes no alias for a resource: the alias stands in the condition.
    operator = "ForAnyValue:StringLike" if "*" in alias else "ForAnyValue:StringEquals"
    resources = land.each_region(f"arn:aws:kms:{{region}}:{account}:key/*")
    name = f"alias/{land.platform_prefix}-platform" if kind is Kind.PLATFORM_KEY else land.key_alias(alias)
    return Reach(tuple(resources), {operator: {"kms:ResourceAliases": name}})


def _arns(kind: Kind, name: str, land: Landscape) -> Sequence[str]:
    if kind is Kind.ANY:
        return ["*"]
    if kind is Kind.DUTY_ROLE:
        return sorted({f"arn:aws:iam::{one}:role{ROLE_PATH}{land.prefix}-{name}" for one in _own_accounts(land)})
    if kind is Kind.LEDGER_ROLE:
        return [land.role_arn(Role(name), Account.EVIDENCE)]
    if kind is Kind.KEYS:
        return land.each_region(f"arn:aws:kms:{{region}}:{land.evidence}:key/*")
    if kind is Kind.REPLICATION_CLAIM:
        return land.each_region(f"arn:aws:ssm:{{region}}:{land.evidence}:parameter{REPLICATION_CLAIM}")
    if kind is Kind.ALIASES:
        return land.each_region(f"arn:aws:kms:{{region}}:{land.evidence}:{land.key_alias('*')}")
    if kind is Kind.SERVICE_LINKED_ROLE:
        account, service = (land.evidence, f"{name}/*") if name else (land.workload, "*")
        return [f"arn:aws:iam::{account}:role/aws-service-role/{service}"]
    if kind is Kind.REPLICATION_ROLE:
        # The second form is that of roles which a stack had before it told duties apart.
        earlier = ("/vault-to-recovery-role-*", "/vault-from-recovery-role-*")
        named = (f"{REPLICATION_ROLE_PATH}{land.prefix}-vault-*", *earlier)
        return [f"arn:aws:iam::{land.evidence}:role{one}" for one in named]
    if kind is Kind.BUDGETS:
        return [f"arn:aws:budgets::{land.workload}:budget/{land.platform_prefix}"]
    if kind is Kind.SERVICE_ROLE:
        return [f"arn:aws:iam::{land.workload}:role{SERVICE_ROLE_PATH}*"]
    if kind is Kind.BOUNDARY:
        path = f"{BOUNDARY_PATH}{land.prefix}-{name or '*'}"
        return sorted({f"arn:aws:iam::{one}:policy{path}" for one in _own_accounts(land)})
    if kind in _OF_AN_ENDPOINT:
        pattern = _OF_AN_ENDPOINT[kind]
        names = land.endpoints or (f"{land.platform_prefix}-*",)
        return [one for name in names for one in _regional(land, pattern.replace("{}", name).replace("-*-*", "-*"))]
    return [one for pattern in _PATTERNS[kind] for one in _regional(land, _filled(pattern, name, land))]


def _ledger_arns(kind: Kind, name: str, land: Landscape) -> list[str]:
    names = [name] if name else [one.value for one in LEDGER_ROLES]
    return [
        arn
        for pattern in _OF_THE_LEDGER[kind]
        for called in dict.fromkeys(pattern.format(prefix=land.prefix, name=one) for one in names)
        for arn in land.each_region(f"arn:aws:{called.replace(':', f':{{region}}:{land.evidence}:', 1)}")
    ]


def _own_accounts(land: Landscape) -> tuple[str, str]:
    return land.workload, land.evidence


def _regional(land: Landscape, resource: str) -> list[str]:
    service, _, rest = resource.partition(":")
    return land.each_region(f"arn:aws:{service}:{{region}}:{land.workload}:{rest}")


def _filled(pattern: str, name: str, land: Landscape) -> str:
    prefix = land.prefix if pattern.startswith("events:") else land.platform_prefix
    return pattern.format(prefix=prefix, project=land.project, stack=land.platform, name=name)


LEDGER: Final = "ledger"
"""What the names of the ledger's key and topics begin with, after the stack's prefix."""
_OF_THE_LEDGER: Final = {
    Kind.LEDGER_FUNCTION: ("lambda:function:{prefix}-{name}",),
    Kind.LEDGER_LOG_GROUP: (
        "logs:log-group:/aws/lambda/{prefix}-{name}",
        "logs:log-group:/aws/lambda/{prefix}-{name}:*",
    ),
    Kind.LEDGER_RULE: ("events:rule/{prefix}-{name}",),
    Kind.LEDGER_ALARM: ("cloudwatch:alarm:{prefix}-{name}-*",),
    # Pulumi draws the name.
    Kind.LEDGER_TOPIC: ("sns:ledger-alarms*-topic-*",),
}
_OF_AN_ENDPOINT: Final = {
    Kind.ENDPOINT: "sagemaker:endpoint/{}",
    # The controller names what it makes after the endpoint.
    Kind.CONFIGURATION: "sagemaker:endpoint-config/{}-*",
    Kind.MODEL: "sagemaker:model/{}-*",
}
_PATTERNS: Final = {
    Kind.HOLDING: ("sagemaker:endpoint-config/*-holding-*",),
    Kind.HOLDING_MODEL: ("sagemaker:model/*-holding-*",),
    Kind.FUNCTION: ("lambda:function:{prefix}-{name}",),
    Kind.TASK_DEFINITION: ("ecs:task-definition/{project}-{stack}-{name}:*",),
    Kind.TASK: ("ecs:task/*",),
    Kind.SERVICE: ("ecs:service/*",),
    Kind.SCALABLE_TARGET: ("application-autoscaling:scalable-target/*",),
    Kind.ALARM: ("cloudwatch:alarm:*",),
    Kind.SECRET: ("secretsmanager:secret:tracking-user-{name}-secret-*",),
    Kind.PARAMETER: ("ssm:parameter/interlock/{stack}/manifest",),
    Kind.LOG_GROUP: ("logs:log-group:/interlock/{stack}/{name}:*",),
    Kind.DATABASE: ("rds:db:*",),
    Kind.TRAIL: ("cloudtrail:trail/*",),
    Kind.RULE: ("events:rule/{prefix}-{name}",),
    Kind.OWN_KEYS: ("kms:key/*",),
    Kind.OWN_ALIASES: ("kms:alias/{prefix}-*",),
    Kind.NETWORK: ("ec2:*",),
    Kind.LOAD_BALANCING: (
        "elasticloadbalancing:loadbalancer/*",
        "elasticloadbalancing:targetgroup/*",
        "elasticloadbalancing:listener/*",
        "elasticloadbalancing:listener-rule/*",
    ),
    Kind.LOG_GROUPS: ("logs:log-group:*",),
    Kind.SECRETS: ("secretsmanager:secret:*",),
    Kind.GIVEN_SECRETS: ("secretsmanager:secret:*-secret-*",),
    Kind.TABLES: ("dynamodb:table/*",),
    Kind.DATABASES: ("rds:db:*", "rds:og:default:*", "rds:subgrp:*", "rds:pg:*", "rds:snapshot:*"),
    Kind.TASKS: ("ecs:cluster/*", "ecs:service/*", "ecs:task-definition/*"),
    Kind.FUNCTIONS: ("lambda:function:{prefix}-*",),
    Kind.SERVING: ("sagemaker:endpoint/{prefix}-*", "sagemaker:endpoint-config/*", "sagemaker:model/*"),
    Kind.TOPICS: ("sns:*",),
    Kind.EMERGENCY_TOPIC: ("sns:emergency-topic-*",),
    Kind.CERTIFICATES: ("acm:certificate/*",),
}
