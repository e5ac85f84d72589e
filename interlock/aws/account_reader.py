"""Reads from an account what decides who may do what there: identities, policies, keys, buckets, registries, compute.

Source: IAM API Reference, GetAccountAuthorizationDetails and ListRoles; the services' own references for policies
of resources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.aws.vault_reader import NOTHING, read_vault
from interlock.duties.emergency_duties import ALARM_TOPIC
from interlock.duties.guarded_world import secret
from interlock.duties.key_owner import key_resource
from interlock.duties.landscape import BOUNDARY_PATH, DUTY_TAG, STACK_TAG
from interlock.duties.live import AccountReading
from interlock.duties.live_vault import VaultReading
from interlock.duties.world import Compute, Document, NamedDocument, Principal, Resource, ResourceKind
from interlock.failures import OutsideFailure

LONGEST_SESSION: Final = 43200
"""Seconds. Source: IAM API Reference, "CreateRole", MaxSessionDuration."""
Client = Callable[[str, str], Any]
"""Makes the client of a service in a region, with credentials of one account."""
NONE: Final = frozenset(
    {
        "NoSuchBucketPolicy", "ObjectLockConfigurationNotFoundError", "RepositoryPolicyNotFoundException",
        "PolicyNotFoundException", "ResourceNotFoundException", *NOTHING,
    }
)  # fmt: skip


class AccountReader:
    """Reads one account, whole or not at all: of what AWS keeps to itself, nothing would be proved."""

    def __init__(
        self, account_id: str, client: Client, regions: Sequence[str], stack: str, source_identities: Mapping[str, str]
    ) -> None:
        """`stack` is what keys are named after; `source_identities` are the approvers' by their names."""
        self._account_id = account_id
        self._client = client
        self._regions = regions
        self._stack = stack
        self._identities = source_identities
        self._unread: list[str] = []

    def read(self) -> AccountReading:
        """Return what the account says of itself. Raises OutsideFailure, which names all that could not be read."""
        try:
            principals, boundaries = self._identity()
            buckets = tuple(self._buckets())
            vaults = tuple(self._vault(one) for one in buckets if one.attributes.get("evidence") == "true")
            resources = buckets + tuple(one for region in self._regions for one in self._regional(region))
            compute = tuple(one for region in self._regions for one in self._compute(region))
        except (ClientError, BotoCoreError) as error:
            raise outside(f"read account {self._account_id}", error) from error
        if self._unread:
            raise OutsideFailure(
                f"account {self._account_id} was read in part only, and of the rest nothing can be proved",
                reasons=self._unread,
                next_step="read it with the rights of AWS's policy SecurityAudit",
            )
        return AccountReading(self._account_id, principals, boundaries, resources, compute, vaults)

    def principals(self) -> tuple[Principal, ...]:
        """Return the account's roles and users with their policies. Raises OutsideFailure."""
        try:
            return self._identity()[0]
        except (ClientError, BotoCoreError) as error:
            raise outside(f"read the roles of account {self._account_id}", error) from error

    def _identity(self) -> tuple[tuple[Principal, ...], tuple[NamedDocument, ...]]:
        roles: list[Any] = []
        users: list[Any] = []
        groups: dict[str, Any] = {}
        managed: dict[str, NamedDocument] = {}
        for page in self._pages("iam", self._regions[0], "get_account_authorization_details"):
            roles += page["RoleDetailList"]
            users += page["UserDetailList"]
            groups |= {one["GroupName"]: one for one in page["GroupDetailList"]}
            managed |= {one["Arn"]: _managed(one) for one in page["Policies"] if _is_used(one)}
        longest = self._longest_sessions() if roles else {}
        principals = [
            _principal(one, "Role", managed, []).model_copy(
                update={"longest_session_seconds": longest.get(one["Arn"], LONGEST_SESSION)}
            )
            for one in roles
        ]
        principals += [
            _principal(one, "User", managed, [groups[name] for name in one.get("GroupList", ())]) for one in users
        ]
        boundaries = tuple(one for arn, one in managed.items() if f":policy{BOUNDARY_PATH}" in arn)
        return tuple(principals), boundaries

    def _longest_sessions(self) -> Mapping[str, int]:
        """Return the seconds that a session of each role lasts at most, by ARN, which the roles' details leave out."""
        found = (one for page in self._pages("iam", self._regions[0], "list_roles") for one in page["Roles"])
        return {one["Arn"]: one["MaxSessionDuration"] for one in found if "MaxSessionDuration" in one}

    def _vault(self, bucket: Resource) -> VaultReading:
        return read_vault(self._client("s3", self._regions[0]), bucket.arn.rpartition(":")[2], self._asked)

    def _buckets(self) -> Iterator[Resource]:
        s3 = self._client("s3", self._regions[0])
        for bucket in s3.list_buckets()["Buckets"]:
            name = bucket["Name"]
            policy = self._asked(f"policy of bucket {name}", s3.get_bucket_policy, Bucket=name)
            lock = self._asked(f"lock of bucket {name}", s3.get_object_lock_configuration, Bucket=name)
            versioning = self._asked(f"versioning of bucket {name}", s3.get_bucket_versioning, Bucket=name) or {}
            yield Resource(
                arn=f"arn:aws:s3:::{name}",
                kind=ResourceKind.BUCKET,
                account_id=self._account_id,
                policy=json.loads(policy["Policy"]) if policy else None,
                attributes=_lock(lock, versioning) if lock else {},
                source=f"account {self._account_id}",
            )

    def _regional(self, region: str) -> Iterator[Resource]:
        yield from self._keys(region)
        ecr = self._client("ecr", region)
        for page in self._pages("ecr", region, "describe_repositories"):
            for one in page["repositories"]:
                name = one["repositoryName"]
                found = self._asked(f"policy of repository {name}", ecr.get_repository_policy, repositoryName=name)
                policy = json.loads(found["policyText"]) if found else None
                yield self._resource(
                    one["repositoryArn"], ResourceKind.REPOSITORY, policy, tags=one.get("imageTagMutability", "unknown")
                )
        yield from self._kept(region)
        for page in self._pages("events", region, "list_rules"):
            for one in page["Rules"]:
                if one["Name"].endswith("break-glass"):
                    yield self._resource(one["Arn"], ResourceKind.ALARM, None)

    def _kept(self, region: str) -> Iterator[Resource]:
        """Yield secrets, tables, functions and topics."""
        secrets = self._client("secretsmanager", region)
        for page in self._pages("secretsmanager", region, "list_secrets"):
            for one in page["SecretList"]:
                arn = one["ARN"]
                found = self._asked(f"policy of secret {arn}", secrets.get_resource_policy, SecretId=arn) or {}
                stack = next((tag["Value"] for tag in one.get("Tags") or () if tag["Key"] == STACK_TAG), "")
                yield secret(
                    region, self._account_id, one["Name"], found.get("ResourcePolicy"), stack,
                    arn=arn, source=f"account {self._account_id}",
                )  # fmt: skip
        tables = self._client("dynamodb", region)
        for page in self._pages("dynamodb", region, "list_tables"):
            for name in page["TableNames"]:
                arn = f"arn:aws:dynamodb:{region}:{self._account_id}:table/{name}"
                found = self._asked(f"policy of table {name}", tables.get_resource_policy, ResourceArn=arn)
                yield self._resource(arn, ResourceKind.TABLE, json.loads(found["Policy"]) if found else None)
        functions = self._client("lambda", region)
        for page in self._pages("lambda", region, "list_functions"):
            for one in page["Functions"]:
                name = one["FunctionName"]
                found = self._asked(f"policy of function {name}", functions.get_policy, FunctionName=name)
                policy = json.loads(found["Policy"]) if found else None
                yield self._resource(one["FunctionArn"], ResourceKind.FUNCTION, policy)
        topics = self._client("sns", region)
        for page in self._pages("sns", region, "list_topics"):
            for one in page["Topics"]:
                arn = one["TopicArn"]
                found = self._asked(f"policy of topic {arn}", topics.get_topic_attributes, TopicArn=arn) or {}
                policy = (found.get("Attributes") or {}).get("Policy")
                topic = self._resource(arn, ResourceKind.TOPIC, json.loads(policy) if policy else None)
                is_alarm = arn.rpartition(":")[2].startswith(f"{ALARM_TOPIC}-")
                yield topic.model_copy(update={"attributes": {"alarm": "true"}}) if is_alarm else topic

    def _keys(self, region: str) -> Iterator[Resource]:
        kms = self._client("kms", region)
        aliases: dict[str, list[str]] = {}
        for page in self._pages("kms", region, "list_aliases"):
            for one in page["Aliases"]:
                aliases.setdefault(one.get("TargetKeyId", ""), []).append(one["AliasName"])
        for page in self._pages("kms", region, "list_keys"):
            for one in page["Keys"]:
                key = kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"]
                if key["KeyManager"] == "AWS":
                    continue
                found = self._asked(f"policy of key {one['KeyArn']}", kms.get_key_policy, KeyId=one["KeyId"],
                                    PolicyName="default")  # fmt: skip
                yield key_resource(
                    one["KeyArn"], self._account_id, json.loads(found["Policy"]) if found else None,
                    aliases.get(one["KeyId"], []), self._stack, self._identities,
                    usage=key["KeyUsage"], source=f"account {self._account_id}",
                )  # fmt: skip

    def _compute(self, region: str) -> Iterator[Compute]:
        for page in self._pages("lambda", region, "list_functions"):
            for one in page["Functions"]:
                yield self._runs("lambda", one["FunctionArn"], [one["Role"]])
        ecs = self._client("ecs", region)
        for page in self._pages("ecs", region, "list_task_definitions"):
            for arn in page["taskDefinitionArns"]:
                task = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
                yield self._runs("ecs", arn, [task.get("taskRoleArn"), task.get("executionRoleArn")])
        sagemaker = self._client("sagemaker", region)
        for page in self._pages("sagemaker", region, "list_models"):
            for one in page["Models"]:
                model = sagemaker.describe_model(ModelName=one["ModelName"])
                yield self._runs("sagemaker", one["ModelArn"], [model["ExecutionRoleArn"]])

    def _runs(self, service: str, arn: str, roles: Sequence[str | None]) -> Compute:
        return Compute.model_validate(
            {"arn": arn, "service": service, "role_arns": tuple(one for one in roles if one), "source": "live"}
        )

    def _resource(self, arn: str, kind: ResourceKind, policy: Document | None, **attributes: str) -> Resource:
        return Resource(
            arn=arn,
            kind=kind,
            account_id=self._account_id,
            policy=policy,
            attributes=attributes,
            source=f"account {self._account_id}",
        )

    def _pages(self, service: str, region: str, operation: str) -> Iterator[Any]:
        yield from self._client(service, region).get_paginator(operation).paginate()

    def _asked(self, what: str, ask: Callable[..., Any], **named: str) -> Any:
        """Return the answer, or None where there is nothing; what AWS keeps to itself is written down."""
        try:
            return ask(**named)
        except ClientError as error:
            if error_code(error) not in NONE:
                self._unread.append(f"{what}: {error_code(error)}")
            return None


def _is_used(policy: Mapping[str, Any]) -> bool:
    """Return whether a managed policy is the account's own, attached to somebody, or somebody's boundary."""
    by = (policy.get("AttachmentCount"), policy.get("PermissionsBoundaryUsageCount"))
    return ":iam::aws:" not in policy["Arn"] or any(by)


def _managed(one: Mapping[str, Any]) -> NamedDocument:
    version = next(each for each in one["PolicyVersionList"] if each["IsDefaultVersion"])
    return NamedDocument(
        name=one["Arn"].rpartition("/")[2], document=_document(version["Document"]), editable_arn=one["Arn"]
    )


def _principal(
    one: Mapping[str, Any], kind: str, managed: Mapping[str, NamedDocument], groups: Sequence[Mapping[str, Any]]
) -> Principal:
    inline = [(each, f"{kind}PolicyList") for each in (one,)] + [(each, "GroupPolicyList") for each in groups]
    documents = [
        NamedDocument(name=policy["PolicyName"], document=_document(policy["PolicyDocument"]))
        for each, key in inline
        for policy in each.get(key, ())
    ]
    attached = [policy["PolicyArn"] for each in (one, *groups) for policy in each.get("AttachedManagedPolicies", ())]
    boundary = (one.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())}
    return Principal(
        arn=one["Arn"],
        duty=tags.get(DUTY_TAG),
        trust=_document(one["AssumeRolePolicyDocument"]) if kind == "Role" else None,
        identity=(*documents, *(managed[arn] for arn in attached)),
        boundary=managed[boundary] if boundary else None,
        tags=tags,
        source="live",
    )


def _document(written: Any) -> Document:
    found: Document = json.loads(unquote(written)) if isinstance(written, str) else written
    return found


def _lock(lock: Mapping[str, Any], versioning: Mapping[str, Any]) -> dict[str, str]:
    retention = lock["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
    days = int(retention.get("Days") or 0) or 365 * int(retention.get("Years") or 0)
    return {
        "evidence": "true",
        "lock_mode": str(retention.get("Mode", "none")),
        "retention_days": str(days),
        "versioning": str(versioning.get("Status", "Disabled")),
    }
