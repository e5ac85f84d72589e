"""Rules that a value is held to: each decides, and says in words what it accepts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Problem:
    """One wrong value: where it stands, what was received, what would be accepted."""

    path: str
    received: str
    accepted: str

    def __str__(self) -> str:
        return f"{self.path}: received {self.received}; accepted: {self.accepted}"


def is_known(value: object) -> bool:
    """Return whether `value` is plain data; anything else stands for a value that a deployment gives later."""
    return value is None or isinstance(value, str | int | float | Mapping | Sequence)


def shown(value: object) -> str:
    """Return a value as a message may show it: short, and without what could be a secret of an output."""
    if not is_known(value):
        return "a value that is not known yet"
    words = repr(value)
    return words if len(words) <= 120 else words[:117] + "…"


def _no_hint(_: Any) -> str | None:
    return None


@dataclass(frozen=True)
class Rule:
    """What an argument must be: `accepted` says it in words, `holds` decides for a known value."""

    accepted: str
    holds: Callable[[Any], bool]
    hint: Callable[[Any], str | None] = field(default=_no_hint, kw_only=True)
    """What a refused value was probably meant to be, in words, where that can be told."""

    def told(self, value: object) -> str:
        """Return what would be accepted in place of the refused `value`."""
        hint = self.hint(value)
        return f"{self.accepted}; {hint}" if hint else self.accepted


def text(pattern: str, accepted: str) -> Rule:
    """Accept strings that match all of `pattern`."""
    compiled = re.compile(pattern)
    return Rule(accepted, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def integer(minimum: int, maximum: int, unit: str = "") -> Rule:
    """Accept whole numbers from `minimum` to `maximum`; Pulumi hands numbers that passed the engine on as floats."""
    accepted = f"a whole number from {minimum} to {maximum}{' ' + unit if unit else ''}"
    return Rule(
        accepted,
        lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and float(value).is_integer()
            and minimum <= value <= maximum
        ),
    )


def one_of(*values: str) -> Rule:
    """Accept one of `values`."""
    return Rule("one of " + ", ".join(values), lambda value: isinstance(value, str) and value in values)


def arn(service: str, resource: str, example: str) -> Rule:
    """Accept ARNs of `service` whose resource part matches all of `resource`."""
    compiled = re.compile(rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:(\d{{12}})?:{resource}")
    accepted = f"an ARN such as {example}"
    return Rule(accepted, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def some(rule: Rule, at_least: int = 1) -> Rule:
    """Accept lists of `at_least` distinct values that each satisfy `rule`; values still unknown pass."""

    def holds(value: Any) -> bool:
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) < at_least:
            return False
        known = [one for one in value if is_known(one)]
        return all(rule.holds(one) for one in known) and len(set(map(repr, known))) == len(known)

    def hint(value: Any) -> str | None:
        wrong = [one for one in value if not rule.holds(one)] if isinstance(value, list | tuple) else []
        return next((hint for one in wrong if (hint := rule.hint(one))), None)

    return Rule(f"{at_least} or more different values, each {rule.accepted}", holds, hint=hint)


def at_most(count: int) -> Rule:
    """Accept lists of up to `count` values."""
    return Rule(f"up to {count} values", lambda value: isinstance(value, list) and len(value) <= count)


def optional(rule: Rule) -> Rule:
    """Accept nothing, or what `rule` accepts."""
    return Rule(f"nothing, or {rule.accepted}", lambda value: value is None or rule.holds(value))


def mapping(keys: Sequence[str], rule: Rule) -> Rule:
    """Accept mappings from some of `keys` to values that satisfy `rule`; values still unknown pass."""

    def holds(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            key in keys and (not is_known(one) or rule.holds(one)) for key, one in value.items()
        )

    return Rule(f"a mapping from any of {', '.join(keys)} to {rule.accepted}", holds)


def any_of(names: Rule, rule: Rule) -> Rule:
    """Accept mappings from any keys that satisfy `names` to values that satisfy `rule`; unknown values pass."""

    def holds(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            names.holds(key) and (not is_known(one) or rule.holds(one)) for key, one in value.items()
        )

    return Rule(f"a mapping from {names.accepted} to {rule.accepted}", holds)


def _is_private_cidr(value: Any) -> bool:
    try:
        network = ipaddress.IPv4Network(value)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str) and network.is_private and 16 <= network.prefixlen <= 28


def _is_client_cidr(value: Any) -> bool:
    try:
        network = ipaddress.IPv4Network(value)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str) and network.prefixlen >= 8


def _without_host_bits(value: Any) -> str | None:
    if not isinstance(value, str) or "/" not in value:
        return None
    try:
        block = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        return None
    return None if str(block) == value else f"{value} names a host in the block {block}"


def _role_of_session(value: Any) -> str | None:
    found = _SESSION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return f"name the role of that session, arn:{found['partition']}:iam::{found['account']}:role/{found['role']}"


_SESSION: Final = re.compile(r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")


def partition_of(region: str) -> str:
    """Return the partition that `region` belongs to, as ARNs name it."""
    return next((one for start, one in PARTITIONS.items() if region.startswith(start)), "aws")


PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""By how its regions' names begin. Source: IAM User Guide, "Amazon Resource Names", partition."""


def overlapping(blocks: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of CIDR blocks that share an address."""
    networks = [ipaddress.ip_network(block, strict=False) for block in blocks]
    return [
        (blocks[one], blocks[other])
        for one in range(len(networks))
        for other in range(one + 1, len(networks))
        if networks[one].overlaps(networks[other])
    ]


def subnets(at_least: int) -> Rule:
    """Accept mappings from `at_least` availability zones to private CIDR blocks that do not overlap."""

    def holds(value: Any) -> bool:
        return (
            isinstance(value, Mapping)
            and len(value) >= at_least
            and all(zone.holds(one) and cidr_block.holds(block) for one, block in value.items())
            and not overlapping(list(value.values()))
        )

    return Rule(f"{at_least} or more availability zones, each with a private CIDR block of its own", holds)


CONTENT_TAG: Final = "src-"
"""How the tag of an image begins that is named after what the image was built from."""

LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""What CloudWatch Logs offers. Source: CloudWatch Logs API Reference, PutRetentionPolicy."""

log_retention_days: Final = Rule(
    "one of " + ", ".join(map(str, LOG_RETENTION_DAYS)) + " days",
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value in LOG_RETENTION_DAYS,
)
secret_recovery_days: Final = Rule(
    "0 or a whole number from 7 to 30 days", lambda value: value == 0 or integer(7, 30).holds(value)
)
"""Source: Secrets Manager API Reference, DeleteSecret, RecoveryWindowInDays; 0 is a deletion without recovery."""

boolean: Final = Rule("true or false", lambda value: isinstance(value, bool))
cidr_block: Final = Rule(
    "a private IPv4 CIDR block of /16 to /28, such as 10.20.0.0/16", _is_private_cidr, hint=_without_host_bits
)
client_cidr_block: Final = Rule(
    "an IPv4 CIDR block of /8 to /32, such as 10.90.0.0/16", _is_client_cidr, hint=_without_host_bits
)
key_arn: Final = arn("kms", r"key/[A-Za-z0-9-]+", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-…")
multi_region_key_arn: Final = arn("kms", r"key/mrk-[0-9a-f]+", "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd…")
role_arn: Final = arn("iam", r"role/[\w+=,.@/-]+", "arn:aws:iam::111122223333:role/name")
certificate_arn: Final = arn("acm", r"certificate/[\w-]+", "arn:aws:acm:eu-west-1:111122223333:certificate/1234abcd-…")
secret_arn: Final = arn("secretsmanager", r"secret:.+", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:name")
table_name: Final = text(r"[\w.-]{3,255}", "3 to 255 letters, digits, underscores, hyphens and periods")
table_arn: Final = arn("dynamodb", r"table/[\w.-]{3,255}", "arn:aws:dynamodb:eu-west-1:111122223333:table/name")
topic_arn: Final = arn("sns", r"[\w-]{1,256}", "arn:aws:sns:eu-west-1:111122223333:name")
cluster_name: Final = text(r"[\w-]{1,255}", "up to 255 letters, digits, underscores and hyphens")
service_name: Final = text(r"[\w-]{1,255}", "up to 255 letters, digits, underscores and hyphens")
master_username: Final = text(
    r"(?!rdsadmin$|rdsrepladmin$|admin$)[A-Za-z]\w{0,62}",
    "1 to 63 letters, digits and _, a letter first, and no reserved name",
)
cluster_arn: Final = arn("ecs", r"cluster/[\w-]{1,255}", "arn:aws:ecs:eu-west-1:111122223333:cluster/name")
bucket_arn: Final = arn("s3", r"[a-z0-9.-]{3,63}", "arn:aws:s3:::name")
bucket_name: Final = text(
    r"(?!xn--|sthree-|amzn-s3-demo-|(\d{1,3}\.){3}\d{1,3}$)(?!.*(\.\.|-s3alias$|--ol-s3$|\.mrap$|--x-s3$|--table-s3$))"
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "a bucket's name: 3 to 63 small letters, digits, hyphens and single periods, a letter or digit first and last",
)
"""Source: Amazon S3 User Guide, "General purpose bucket naming rules"."""
vpc_id: Final = text(r"vpc-[0-9a-f]{8,17}", "a VPC's id, such as vpc-0123456789abcdef0")
subnet_id: Final = text(r"subnet-[0-9a-f]{8,17}", "a subnet's id, such as subnet-0123456789abcdef0")
route_table_id: Final = text(r"rtb-[0-9a-f]{8,17}", "a route table's id, such as rtb-0123456789abcdef0")
security_group_id: Final = text(r"sg-[0-9a-f]{8,17}", "a security group's id, such as sg-0123456789abcdef0")
prefix_list_id: Final = text(r"pl-[0-9a-f]{8,17}", "a prefix list's id, such as pl-0123456789abcdef0")
log_name: Final = text(r"[a-z]{2}(-[a-z]+)+-\d-[1-9]\d{0,5}", "a region and an epoch from 1, such as eu-west-1-1")
image: Final = text(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*"
    r"(:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})",
    "a private ECR image with a tag or digest, such as "
    "111122223333.dkr.ecr.eu-west-1.amazonaws.com/interlock/serving:1.0",
)
repository_name: Final = text(
    r"(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*", "an ECR repository's name, such as interlock/serving"
)
repository_prefix: Final = text(
    r"(?=.{2,200}$)[a-z0-9]+([._/-][a-z0-9]+)*", "what stands before /<image> in a repository's name, such as interlock"
)
account_id: Final = text(r"\d{12}", "an AWS account's twelve digits")
region: Final = text(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region such as eu-west-1")
service: Final = text(r"[a-z0-9-]+(\.[a-z0-9-]+)*", "the last part of a service's endpoint name, such as ecr.api")
zone: Final = text(r"[a-z]{2}(-[a-z]+)+-\d[a-z]", "an availability zone such as eu-west-1a")
_SIZE: Final = r"(micro|small|medium|large|\d{0,3}xlarge)"
instance_class: Final = text(rf"db\.[a-z0-9-]+\.{_SIZE}", "an RDS instance class such as db.m7g.large")
postgres_version: Final = text(
    r"1[3-8](\.\d{1,2})?", "a version of PostgreSQL from 13 to 18, such as 18 (its newest minor one) or 16.8"
)
subnet_group_name: Final = text(
    r"(?!default$)[a-z0-9 ._-]{1,255}", "up to 255 small letters, digits, spaces and . _ -, but not default"
)
instance_identifier: Final = text(
    r"[a-z](-?[a-z0-9]){0,62}", "up to 63 small letters, digits and single hyphens, a letter first"
)
instance_type: Final = text(rf"ml\.[a-z0-9-]+\.{_SIZE}", "a SageMaker instance type such as ml.m5.large")
alias: Final = text(r"(?!alias/|aws/)[\w/-]{1,240}", "letters, digits, _, / and -, without a leading alias/ or aws/")
_principal: Final = text(
    r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+",
    "an IAM principal's ARN: of one role or user, without *, such as arn:aws:iam::111122223333:role/foundation",
)
iam_principal: Final = Rule(_principal.accepted, _principal.holds, hint=_role_of_session)
"""Of whoever is named to do what others may not: a pattern, an account or a session would name more or other people."""
iam_principal_pattern: Final = text(
    r"arn:aws[a-z-]*:iam::\d{12}:(role\*?|user)/[\w+=,.@/*?-]+",
    "the ARN of an IAM role or user of one account, or a pattern, such as arn:aws:iam::111122223333:role/mlflow-*",
)
email: Final = text(r"[^@\s]{1,64}@([a-z0-9-]+\.)+[a-z]{2,63}", "an e-mail address such as owner@example.com")
source_identity: Final = text(
    r"(?!aws:)[\w+=,.@-]{2,64}", "2 to 64 letters, digits and _+=,.@- as STS takes a source identity"
)
name: Final = text(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", "2 to 40 small letters, digits and hyphens, a letter first")
stack: Final = text(
    r"[A-Za-z0-9._-]{1,100}", "a stack's name: up to 100 letters, digits, hyphens, underscores, periods"
)
endpoint_name: Final = text(
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "up to 63 letters, digits and hyphens, as SageMaker names endpoints"
)
https_uri: Final = text(
    r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[!-~]*)?",
    "an HTTPS address such as https://mlflow.example.com",
)
host: Final = text(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "a host's name or address, such as db.example.internal"
)
hosts: Final = text(
    r"[A-Za-z0-9*.:-]+(,[A-Za-z0-9*.:-]+)*", "hosts separated by commas, such as mlflow.example.com,localhost:5000"
)
database_name: Final = text(
    r"[a-z_][a-z0-9_]{0,62}", "a database's name: up to 63 small letters, digits and underscores, no digit first"
)
user_name: Final = text(r"[A-Za-z_][\w.-]{0,62}", "a user's name: up to 63 letters, digits, and . _ -, a letter first")
description: Final = text(r"(?s).{1,2048}", "up to 2,048 characters")
tag_key: Final = text(r"(?!aws:)[\w .:/=+@-]{1,128}", "a tag's key: up to 128 letters, digits, spaces and _.:/=+-@")
tag_value: Final = text(r"[\w .:/=+@-]{0,256}", "a tag's value: up to 256 letters, digits, spaces and _.:/=+-@")
domain: Final = text(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", "a DNS name such as mlflow.example.com"
)
