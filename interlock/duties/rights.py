"""What a row of the duties' table is made of: rights, tasks and what must never be, on kinds of resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from interlock.duties.documents import Conditions
from interlock.duties.duty import Duty, Role


class Account(StrEnum):
    """Where a role lives."""

    WORKLOAD = "workload"
    EVIDENCE = "evidence"


class Bearer(StrEnum):
    """Who assumes a role: a person, a pipeline by its identity token, or a service for what it runs."""

    PEOPLE = "people"
    PIPELINE = "pipeline"
    SERVICE = "service"


class Kind(StrEnum):
    """A kind of resource; what a `name` beside it means is said with each."""

    VAULT = "vault"
    """The vault's buckets themselves."""
    OBJECTS = "objects"
    """Objects of the vault; name: the prefix of their keys."""
    STAGED = "staged"
    """Objects of the buckets beside the vault; name: the prefix of their keys."""
    STAGING = "staging"
    """The buckets beside the vault themselves."""
    SIGNING_KEY = "signing key"
    """name: what its alias has after `interlock-<stack>-`; `*` is any."""
    EVIDENCE_KEY = "evidence key"
    PLATFORM_KEY = "platform key"
    TABLE = "table"
    """Live state."""
    FUNCTION = "function"
    """name: what it has after `interlock-<stack>-`."""
    TASK_DEFINITION = "task definition"
    """name: what its family has after `interlock-<stack>-`."""
    TASK = "task"
    ENDPOINT = "endpoint"
    CONFIGURATION = "endpoint configuration"
    HOLDING = "holding configuration"
    """What an endpoint has before its first release; Pulumi draws the name, around the endpoint's own."""
    HOLDING_MODEL = "holding model"
    MODEL = "model"
    SCALABLE_TARGET = "scalable target"
    ALARM = "alarm"
    SECRET = "secret"  # noqa: S105 (a kind of resource)
    """name: the duty whose user of MLflow it is about."""
    PARAMETER = "parameter"
    """That points to the stack manifest."""
    LOG_GROUP = "log group"
    """name: the name of the function or task that writes it."""
    DATABASE = "database"
    SERVICE = "service"
    """Of ECS."""
    REPOSITORY = "repository"
    REPLICATION_CLAIM = "replication claim"
    """The parameter by which one foundation has the say over what a registry copies."""
    SERVICE_ROLE = "service role"
    """Roles that the layer platform makes for services."""
    DUTY_ROLE = "duty role"
    """name: the role."""
    BOUNDARY = "boundary"
    """name: which."""
    TRAIL = "trail"
    RULE = "rule"
    """Of EventBridge; name: what it has after `interlock-<stack>-`."""
    LEDGER_ROLE = "role of a function of the ledger"
    """name: the role, which is the evidence account's."""
    LEDGER_FUNCTION = "function of the ledger"
    """In the evidence account; name: the role that it runs under, whichever unless given. So with the next three."""
    LEDGER_LOG_GROUP = "log group of a function of the ledger"
    LEDGER_RULE = "rule that invokes a function of the ledger"
    LEDGER_ALARM = "alarm of a function of the ledger"
    LEDGER_TOPIC = "topic of the ledger's alarms"
    LEDGER_KEY = "key of the ledger's functions"
    """That encrypts their settings and their logs, and no evidence."""
    OWN_BUCKETS = "buckets of the workload"
    OWN_OBJECTS = "objects of the workload's buckets"
    OWN_KEYS = "keys of the workload"
    OWN_ALIASES = "aliases of the workload"
    NETWORK = "network"
    LOAD_BALANCING = "load balancing"
    LOG_GROUPS = "log groups"
    SECRETS = "secrets"
    GIVEN_SECRETS = "secrets that the program gives their values"
    TABLES = "tables"
    DATABASES = "databases"
    TASKS = "clusters, services and task definitions"
    FUNCTIONS = "functions"
    SERVING = "endpoints, configurations and models"
    TOPICS = "topics"
    BUDGETS = "budgets"
    CERTIFICATES = "certificates"
    SERVICE_LINKED_ROLE = "service-linked role"
    """name: the service principal, in the evidence account; without one, any in the workload's."""
    REPLICATION_ROLE = "replication role"
    """Roles that S3 replicates the vault as."""
    EMERGENCY_TOPIC = "topic of emergencies"
    ALIASES = "aliases of the evidence account"
    """Of this stack's keys."""
    KEYS = "keys of the evidence account"
    GUARDED = "vault, and the buckets beside it"
    ANY = "any"
    """What AWS lets nobody name a resource for."""


@dataclass(frozen=True)
class Right:
    """Actions on resources of one kind."""

    sid: str
    actions: tuple[str, ...]
    kind: Kind
    name: str = ""
    conditions: Conditions = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One thing that whoever has the duty must be able to do: the role's liveness."""

    words: str
    action: str
    kind: Kind
    name: str = ""
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Condition keys of the request, in lower case, beside those that every request has."""


@dataclass(frozen=True)
class Never:
    """What no session of the role may do, whatever else changes."""

    words: str
    actions: tuple[str, ...]
    kind: Kind
    name: str = ""
    but: tuple[str, ...] = ()
    """Names of roles that are left to what a boundary says of them."""


@dataclass(frozen=True)
class Row:
    """One role's row of the table."""

    role: Role
    duty: Duty
    words: str
    home: Account
    bearer: Bearer
    rights: tuple[Right, ...]
    tasks: tuple[Task, ...]
    nevers: tuple[Never, ...]
    service: str | None = None
    """The service principal that assumes the role, where a service does."""
    signs_with: str | None = None
    """The signing duty whose key it uses; `approver-*` is each person's own."""
