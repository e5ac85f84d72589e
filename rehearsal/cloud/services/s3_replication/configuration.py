"""A bucket's replication configuration: read from what a caller put, refused in S3's words (pure).

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rehearsal.cloud.services.s3.errors import S3Error, invalid_argument, malformed_xml

_MOST_RULES = 1000
_LONGEST_ID = 255
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_BUCKET = re.compile(r"arn:aws[a-z-]*:s3:::(?P<name>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+")
_MINUTES = "15"
"""The one threshold that S3 offers."""


@dataclass(frozen=True)
class Destination:
    """Where replicas go; `account_id` is what the rule says, `key_arn` what SSE-KMS replicas are encrypted with."""

    bucket_name: str
    account_id: str | None
    takes_ownership: bool
    storage_class: str | None
    key_arn: str | None
    is_measured: bool


@dataclass(frozen=True)
class Rule:
    """Which versions are replicated where; the first schema, which knows no filter, replicates delete markers."""

    rule_id: str
    priority: int
    is_enabled: bool
    prefix: str
    tags: Mapping[str, str]
    with_delete_markers: bool
    with_replica_modifications: bool
    with_kms_objects: bool
    destination: Destination


@dataclass(frozen=True)
class Configuration:
    """The role that S3 assumes, and the rules."""

    role_arn: str
    rules: Sequence[Rule]


def with_ids(document: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is stored: each rule has an id."""
    return {**document, "Rule": [{**rule, "ID": rule.get("ID") or uuid4().hex} for rule in document.get("Rule") or []]}


def read(document: Mapping[str, Any]) -> Configuration:
    """Return the configuration that the parsed XML `document` holds (lists for Rule and Tag); raises S3's errors."""
    role, rules = document.get("Role"), document.get("Rule") or []
    if not role or not 1 <= len(rules) <= _MOST_RULES:
        raise malformed_xml()
    if not _ROLE.fullmatch(role):
        raise invalid_argument("Invalid Role specified in replication configuration")
    is_first_schema = any("Filter" not in rule for rule in rules)
    found = [_rule(rule, is_first_schema) for rule in rules]
    if len({rule.rule_id for rule in found}) < len(found):
        raise invalid_argument("Rule Id must be unique. Found same Id for more than one rule")
    if not is_first_schema and len({rule.priority for rule in found}) < len(found):
        raise _invalid_request("Found duplicate priorities. Priority must be unique for different rules.")
    return Configuration(role, found)


def _rule(rule: Mapping[str, Any], is_first_schema: bool) -> Rule:
    if len(rule["ID"]) > _LONGEST_ID:
        raise invalid_argument("The maximum value for ID is 255 characters.")
    for element in ("Priority", "DeleteMarkerReplication"):
        if (element in rule) == is_first_schema:
            needed = "cannot be used" if is_first_schema else "must be specified"
            raise _invalid_request(
                f"{element} {needed} for this version of Cross Region Replication configuration schema. "
                "Please refer to S3 Developer Guide for more information."
            )
    prefix, tags = _filter(rule)
    markers = is_first_schema or _is_enabled(rule["DeleteMarkerReplication"])
    if markers and tags:
        raise _invalid_request(
            "Delete marker replication is not supported if any Tag filter is specified. "
            "Please refer to S3 Developer Guide for more information."
        )
    criteria = rule.get("SourceSelectionCriteria")
    if "SourceSelectionCriteria" in rule and not criteria:
        raise _invalid_request("SourceSelectionCriteria cannot be empty.")
    kms = (criteria or {}).get("SseKmsEncryptedObjects")
    modifications = (criteria or {}).get("ReplicaModifications")
    return Rule(
        rule_id=rule["ID"],
        priority=_number(rule.get("Priority", "0")),
        is_enabled=_is_enabled(rule),
        prefix=prefix,
        tags=tags,
        with_delete_markers=markers,
        with_replica_modifications=modifications is not None and _is_enabled(modifications),
        with_kms_objects=kms is not None and _is_enabled(kms),
        destination=_destination(rule.get("Destination"), kms is not None),
    )


def _filter(rule: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    if "Filter" not in rule:
        if "Prefix" not in rule:
            raise malformed_xml()
        return rule["Prefix"] or "", {}
    wanted = rule["Filter"] or {}
    if "Prefix" in rule or len(wanted) > 1 or set(wanted) - {"Prefix", "Tag", "And"}:
        raise malformed_xml()
    both = wanted.get("And") or wanted
    tags = both.get("Tag") or []
    if "And" in wanted and len(tags) + ("Prefix" in both) < 2:
        raise malformed_xml()
    if len({tag["Key"] for tag in tags}) < len(tags):
        raise _invalid_request("Duplicate Tag Keys are not allowed.")
    return both.get("Prefix") or "", {tag["Key"]: tag.get("Value") or "" for tag in tags}


def _destination(given: Mapping[str, Any] | None, selects_kms: bool) -> Destination:
    if not given or not given.get("Bucket"):
        raise malformed_xml()
    bucket = _BUCKET.fullmatch(given["Bucket"])
    if bucket is None:
        raise invalid_argument("Invalid bucket ARN")
    account_id = given.get("Account")
    owner = (given.get("AccessControlTranslation") or {}).get("Owner")
    if "AccessControlTranslation" in given and owner != "Destination":
        raise malformed_xml()
    if owner and not account_id:
        raise _invalid_request("Account must be specified if the Owner in AccessControlTranslation has a value")
    return Destination(
        bucket_name=bucket["name"],
        account_id=account_id,
        takes_ownership=bool(owner),
        storage_class=given.get("StorageClass"),
        key_arn=_key(given, selects_kms),
        is_measured=_is_measured(given),
    )


def _key(destination: Mapping[str, Any], selects_kms: bool) -> str | None:
    key_arn = (destination.get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID")
    if "EncryptionConfiguration" in destination and not selects_kms:
        raise _invalid_request("SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.")
    if selects_kms and not key_arn:
        raise _invalid_request("ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.")
    if key_arn and not _KEY.fullmatch(key_arn):
        raise invalid_argument("Invalid ReplicaKmsKeyID ARN.")
    return key_arn


def _is_measured(destination: Mapping[str, Any]) -> bool:
    metrics, time = destination.get("Metrics"), destination.get("ReplicationTime")
    controlled = time is not None and _is_enabled(time)
    if time is not None:
        if metrics is None:
            raise _invalid_request("Replication destination must contain both ReplicationTime and Metrics or neither.")
        if (time.get("Time") or {}).get("Minutes") != _MINUTES:
            raise invalid_argument("Invalid time minute value")
    threshold = ((metrics or {}).get("EventThreshold") or {}).get("Minutes")
    if controlled and threshold is None:
        raise invalid_argument("ReplicationMetrics must contain an event threshold")
    if threshold is not None and not controlled:
        raise invalid_argument(
            "Metrics cannot contain an event threshold when ReplicationTime is not specified or Disabled"
        )
    if threshold not in (None, _MINUTES):
        raise invalid_argument("Invalid event threshold minute value")
    return metrics is not None and _is_enabled(metrics)


def _is_enabled(element: Mapping[str, Any] | None) -> bool:
    status = (element or {}).get("Status")
    if status not in ("Enabled", "Disabled"):
        raise malformed_xml()
    return bool(status == "Enabled")


def _number(text: str) -> int:
    if not text.isdigit():
        raise malformed_xml()
    return int(text)


def _invalid_request(message: str) -> S3Error:
    return S3Error("InvalidRequest", message, 400)


def governing(
    configuration: Configuration, key: str, tags: Mapping[str, str], suits: Callable[[Rule], bool]
) -> Sequence[Rule]:
    """Return the rules that govern a key with `tags`: for each destination the enabled one of highest priority.

    `suits` says whether a rule may be one of them for another reason.
    """
    matching = [
        rule
        for rule in configuration.rules
        if rule.is_enabled
        and key.startswith(rule.prefix)
        and all(tags.get(name) == value for name, value in rule.tags.items())
        and suits(rule)
    ]
    by_destination = {
        rule.destination.bucket_name: rule for rule in sorted(matching, key=lambda matched: matched.priority)
    }
    return list(by_destination.values())
