"""What pulumi-aws fills in where a program says nothing: names above all.

Source: pulumi.com/docs/iac/concepts/resources/names (autonaming) and the resource overrides of pulumi-aws 7.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rehearsal.engine.aws.catalogue import ResourceType
from rehearsal.engine.aws.inputs import Problem
from rehearsal.engine.aws.properties import Properties, reveal
from rehearsal.engine.terraform.values import UNKNOWN

DEFAULTS = "__defaults"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"


class NamingMode(Enum):
    """What the engine's autonaming configuration asks for."""

    OWN = "own"
    PROPOSE = "propose"
    ENFORCE = "enforce"
    DISABLE = "disable"


@dataclass(frozen=True)
class Naming:
    """The engine's wish for a name; `proposed` is set unless the mode is OWN or DISABLE."""

    mode: NamingMode = NamingMode.OWN
    proposed: str = ""


@dataclass(frozen=True)
class NameRule:
    """How a type's name is made of the resource's: `<name><separator><random>`, at most `longest` characters."""

    terraform: str = "name"
    longest: int = 255
    separator: str = "-"
    random: int = 7
    alphabet: str = _HEX
    lower: bool = False
    finish: Callable[[str, Properties], str] | None = None


def _fifo(switch: str) -> Callable[[str, Properties], str]:
    return lambda name, inputs: f"{name}.fifo" if inputs.get(switch) is True else name


def _alias(name: str, _: Properties) -> str:
    return name if name.startswith("alias/") else f"alias/{name}"


_WORDS = NameRule(separator="_", random=8, alphabet=_LETTERS)
_UNDERSCORE = NameRule(separator="_")

_RULES: dict[str, NameRule] = {
    "aws_alb": NameRule(longest=32),
    "aws_appsync_datasource": _UNDERSCORE,
    "aws_appsync_function": _UNDERSCORE,
    "aws_athena_database": _UNDERSCORE,
    "aws_backup_restore_testing_plan": _UNDERSCORE,
    "aws_batch_compute_environment": NameRule("compute_environment_name"),
    "aws_cloudwatch_event_rule": NameRule(longest=64),
    "aws_cloudwatch_event_target": NameRule("target_id"),
    "aws_cloudwatch_metric_alarm": NameRule("alarm_name"),
    "aws_codedeploy_deployment_config": NameRule("deployment_config_name", 100, "_"),
    "aws_db_instance": NameRule("identifier", separator=""),
    "aws_efs_file_system": NameRule("creation_token"),
    "aws_eks_fargate_profile": NameRule("fargate_profile_name"),
    "aws_eks_node_group": NameRule("node_group_name"),
    "aws_elastic_beanstalk_environment": NameRule(longest=40),
    "aws_elasticache_cluster": NameRule("cluster_id", 50, lower=True),
    "aws_elasticache_replication_group": NameRule("replication_group_id", 40, lower=True),
    "aws_elasticsearch_domain": NameRule("domain_name", 28, lower=True),
    "aws_elb": NameRule(longest=32),
    "aws_glue_catalog_database": NameRule(separator="_", random=8, alphabet=_LETTERS, lower=True),
    "aws_glue_catalog_table": NameRule(separator="_", random=8, alphabet=_LETTERS, lower=True),
    "aws_iam_role": NameRule(longest=64),
    "aws_iot_topic_rule": NameRule(separator="", random=0),
    "aws_key_pair": NameRule("key_name"),
    "aws_kms_alias": NameRule(longest=238, finish=_alias),
    "aws_lambda_function": NameRule("function_name", 64),
    "aws_lambda_permission": NameRule("statement_id", 100),
    "aws_lb": NameRule(longest=32),
    "aws_lb_target_group": NameRule(longest=32),
    "aws_lex_bot": _WORDS,
    "aws_lex_bot_alias": _WORDS,
    "aws_lex_intent": _WORDS,
    "aws_lex_slot_type": _WORDS,
    "aws_mq_broker": NameRule("broker_name", 55),
    "aws_msk_cluster": NameRule("cluster_name"),
    "aws_msk_serverless_cluster": NameRule("cluster_name"),
    "aws_opensearch_domain": NameRule("domain_name"),
    "aws_s3_bucket": NameRule("bucket", 63, lower=True),
    "aws_s3_bucket_object": NameRule("key", 0, "", 0),
    "aws_s3_object": NameRule("key", 0, "", 0),
    "aws_sns_topic": NameRule(longest=80, finish=_fifo("fifoTopic")),
    "aws_sqs_queue": NameRule(longest=80, finish=_fifo("fifoQueue")),
}

# Here a `name` is no label of ours: it is the true name of something outside.
_NEVER_NAMED = {"aws_route53_record", "aws_directory_service_directory"}

_MANAGED = "Managed by Pulumi"
_DESCRIPTIONS = {
    "aws_api_gateway_api_key": "description",
    "aws_appsync_api_key": "description",
    "aws_db_option_group": "option_group_description",
    "aws_db_parameter_group": "description",
    "aws_db_subnet_group": "description",
    "aws_docdb_subnet_group": "description",
    "aws_elasticache_parameter_group": "description",
    "aws_elasticache_subnet_group": "description",
    "aws_media_package_channel": "description",
    "aws_neptune_subnet_group": "description",
    "aws_rds_cluster_parameter_group": "description",
    "aws_redshift_parameter_group": "description",
    "aws_redshift_subnet_group": "description",
    "aws_route53_zone": "comment",
    "aws_security_group": "description",
}

# A replacement made before the old one is gone would be the same thing, or is one too many.
_DELETED_FIRST = {
    "aws_api_gateway_integration",
    "aws_cloudwatch_log_subscription_filter",
    "aws_ec2_transit_gateway_vpc_attachment",
    "aws_ecr_lifecycle_policy",
    "aws_efs_mount_target",
    "aws_iam_account_alias",
    "aws_iam_group_policy_attachment",
    "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachment",
    "aws_iam_user_policy_attachment",
    "aws_security_group_rule",
}


def name_rule(kind: ResourceType) -> NameRule | None:
    """Return how resources of this type are named, or None when they are not."""
    rule = _RULES.get(kind.name, NameRule())
    attribute = kind.block.attributes.get(rule.terraform)
    if kind.name in _NEVER_NAMED or attribute is None or not attribute.is_input:
        return None
    found = kind.members.by_terraform.get(rule.terraform)
    return rule if found is not None and found.settable and attribute.type == "string" else None


def name_property(kind: ResourceType) -> str | None:
    """Return the property that holds the name of resources of this type, if one does."""
    rule = name_rule(kind)
    return None if rule is None else kind.members.by_terraform[rule.terraform].name


def with_defaults(
    kind: ResourceType, name: str, inputs: Properties, before: Properties, region: str, seed: bytes, naming: Naming
) -> tuple[Properties, list[Problem]]:
    """Return `inputs` with what they leave out filled in, and what cannot be.

    `before` are the resource's inputs so far, with the names that it was given then; `name` is its logical name.
    """
    filled, problems = dict(inputs), []
    defaulted = []
    kept = reveal(before.get(DEFAULTS)) or []
    if kind.regional and "region" not in filled:
        filled["region"] = region
        defaulted.append("region")
    description = kind.members.by_terraform.get(_DESCRIPTIONS.get(kind.name, ""))
    if description is not None and description.settable and description.name not in filled:
        filled[description.name] = _MANAGED
        defaulted.append(description.name)
    called = name_property(kind)
    if called is not None and called not in filled and f"{called}Prefix" not in filled:
        if called in kept and called in before:
            filled[called] = before[called]
            defaulted.append(called)
        elif naming.mode is NamingMode.DISABLE:
            problems.append(Problem((called,), "missing, and the stack's configuration forbids making up a name"))
        else:
            try:
                filled[called] = _made_up(kind, name, inputs, seed, naming)
                defaulted.append(called)
            except ValueError as problem:
                problems.append(Problem((called,), str(problem)))
    filled[DEFAULTS] = sorted(defaulted)
    return filled, problems


def deletes_first(kind: ResourceType, inputs: Properties, before: Properties) -> bool:
    """Tell whether the old resource must go before its replacement can come."""
    if kind.name in _DELETED_FIRST:
        return True
    called = name_property(kind)
    if called is None or called not in inputs or called in (inputs.get(DEFAULTS) or []):
        return False
    new: Any = reveal(inputs[called])
    return new is not UNKNOWN and bool(new == reveal(before.get(called)))


def _made_up(kind: ResourceType, name: str, inputs: Properties, seed: bytes, naming: Naming) -> str:
    rule = name_rule(kind)
    assert rule is not None
    if naming.mode is NamingMode.ENFORCE:
        return naming.proposed
    if naming.mode is NamingMode.PROPOSE:
        made, prefix = naming.proposed, naming.proposed
    else:
        longest, random = _limits(kind, rule, inputs)
        prefix = name + rule.separator
        made = prefix + _random(seed, random, rule.alphabet)
        rule = NameRule(longest=longest, lower=rule.lower, finish=rule.finish)
    if rule.longest and len(made) > rule.longest:
        raise ValueError(
            f"the name made up for it, {made!r}, has {len(made)} characters and may have {rule.longest}: "
            "give it a shorter logical name, or set this property"
        )
    made = made.lower() if rule.lower else made
    return rule.finish(made, inputs) if rule.finish else made


def _limits(kind: ResourceType, rule: NameRule, inputs: Properties) -> tuple[int, int]:
    engine = inputs.get("engine")
    if kind.name == "aws_db_instance" and isinstance(engine, str) and "sqlserver" in engine.lower():
        return 15, 3
    return rule.longest, rule.random


def _random(seed: bytes, length: int, alphabet: str) -> str:
    drawn = hashlib.sha256(seed or os.urandom(32)).digest()
    return "".join(alphabet[value % len(alphabet)] for value in drawn[:length])
