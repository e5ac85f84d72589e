"""The resources of a preview that have policies of their own, and the compute that runs under roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from interlock.duties.key_owner import key_resource
from interlock.duties.plan_guarded import Guarded
from interlock.duties.plan_principals import Principals
from interlock.duties.plan_world import Declared, Plan, name_of
from interlock.duties.service_roles import repository_arn
from interlock.duties.world import Compute, Document, Resource, ResourceKind

KEYS: Final = ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey")
BUCKET: Final = "aws:s3/bucket:Bucket"
REPOSITORY: Final = "aws:ecr/repository:Repository"


class Resources:
    """The resources of a preview. `problems` names each document that has to be known and is not."""

    def __init__(self, plan: Plan, source_identities: Mapping[str, str]) -> None:
        """`source_identities` are the approvers' by their names."""
        self._plan = plan
        self._identities = source_identities
        self.problems: list[str] = []
        guarded = Guarded(plan)
        found = (self._keys(), self._buckets(), self._repositories(), self._alarms(), guarded.resources)
        self.resources: tuple[Resource, ...] = tuple(one for kind in found for one in kind)
        self.problems += guarded.problems
        self.unread = tuple(f"the policy of the topic {one}, which names the topic" for one in guarded.unknown_topics)

    def _required(self, one: Declared, document: Document | None, what: str) -> Document | None:
        if document is None:
            self.problems.append(f"{one.name}: {what} is not known before it is made")
        return document

    def _keys(self) -> Iterator[Resource]:
        for token in KEYS:
            for key in self._plan.of_type(token):
                yield key_resource(
                    key.text("arn") or f"arn:aws:kms:{key.region}:{key.account_id}:key/{key.name}",
                    key.account_id,
                    self._required(key, key.document("policy"), "its key policy"),
                    tuple(self._aliases(key)),
                    self._plan.stack,
                    self._identities,
                    usage=self._usage(key),
                    source=key.urn,
                )

    def _usage(self, key: Declared) -> str:
        """Return what a key is for; a replica is for the same as its primary, which is one of those it may be of."""
        if key.type == KEYS[0]:
            return key.text("keyUsage") or ("ENCRYPT_DECRYPT" if key.inputs.get("keyUsage") is None else "unknown")
        primaries = [one for one in self._plan.of_type(KEYS[0]) if one.urn in key.needs.get("primaryKeyArn", ())]
        named = [one for one in self._plan.of_type(KEYS[0]) if one.text("arn") == key.text("primaryKeyArn") is not None]
        usages = {self._usage(one) for one in (*primaries, *named)}
        return usages.pop() if len(usages) == 1 else "unknown"

    def _aliases(self, key: Declared) -> Iterator[str]:
        for alias in self._plan.of_type("aws:kms/alias:Alias"):
            if self._plan.source(alias, "targetKeyId", *KEYS) is key and (name := alias.text("name")):
                yield name

    def _buckets(self) -> Iterator[Resource]:
        for bucket in self._plan.of_type(BUCKET):
            name = bucket.text("bucket")
            evidence = bucket.inputs.get("objectLockEnabled") is True
            if name is None and evidence:
                self.problems.append(f"{bucket.name}: the name of the vault's bucket is not known before it is made")
                continue
            policy = next(
                (one.document("policy") for one in self._of(bucket, "aws:s3/bucketPolicy:BucketPolicy")), None
            )
            yield Resource(
                arn=f"arn:aws:s3:::{name or bucket.name}",
                kind=ResourceKind.BUCKET,
                account_id=bucket.account_id,
                policy=self._required(bucket, policy, "its bucket policy") if evidence else policy,
                attributes={"evidence": "true", **self._lock(bucket)} if evidence else {},
                source=bucket.urn,
            )

    def _lock(self, bucket: Declared) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in self._of(bucket, "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"):
            retention = _within(_within(one.inputs, "rule"), "defaultRetention")
            days = _number(retention.get("days")) or 365 * _number(retention.get("years"))
            found |= {"lock_mode": str(retention.get("mode", "none")), "retention_days": str(days)}
        for one in self._of(bucket, "aws:s3/bucketVersioning:BucketVersioning"):
            found["versioning"] = str(_within(one.inputs, "versioningConfiguration").get("status", "Disabled"))
        return found

    def _of(self, bucket: Declared, token: str) -> Iterator[Declared]:
        for one in self._plan.of_type(token):
            if self._plan.is_of(one, "bucket", bucket, "bucket"):
                yield one

    def _repositories(self) -> Iterator[Resource]:
        for one in self._plan.of_type(REPOSITORY):
            policies = [
                policy
                for policy in self._plan.of_type("aws:ecr/repositoryPolicy:RepositoryPolicy")
                if policy.text("repository") == one.text("name") and policy.region == one.region
            ]
            document = policies[0].document("policy") if policies else None
            yield Resource(
                arn=f"arn:aws:ecr:{one.region}:{one.account_id}:repository/{one.text('name') or one.name}",
                kind=ResourceKind.REPOSITORY,
                account_id=one.account_id,
                policy=self._required(policies[0], document, "its policy") if policies else None,
                attributes={"tags": one.text("imageTagMutability") or "MUTABLE"},
                source=one.urn,
            )

    def _alarms(self) -> Iterator[Resource]:
        for one in self._plan.of_type("aws:cloudwatch/eventRule:EventRule"):
            name = one.text("name") or one.name
            if name.endswith("break-glass"):
                arn = f"arn:aws:events:{one.region}:{one.account_id}:rule/{name}"
                yield Resource(arn=arn, kind=ResourceKind.ALARM, account_id=one.account_id, source=one.urn)

    def compute(self, principals: Principals) -> Iterator[Compute]:
        """Yield what runs under roles; images that are not known yet could be any of the preview's repositories."""
        for one in self._plan.of_type("aws:ecs/taskDefinition:TaskDefinition"):
            roles = [principals.arn(one, key) for key in ("taskRoleArn", "executionRoleArn")]
            arn = f"arn:aws:ecs:{one.region}:{one.account_id}:task-definition/{one.text('family') or one.name}:1"
            yield self._runs(one, "ecs", arn, roles, one.inputs.get("containerDefinitions"))
        for one in self._plan.of_type("aws:lambda/function:Function"):
            arn = f"arn:aws:lambda:{one.region}:{one.account_id}:function:{name_of(one)}"
            yield self._runs(one, "lambda", arn, [principals.arn(one, "role")], one.inputs.get("imageUri"))
        for one in self._plan.of_type("aws:sagemaker/model:Model"):
            arn = f"arn:aws:sagemaker:{one.region}:{one.account_id}:model/{one.text('name') or one.name}"
            image = _within(one.inputs, "primaryContainer").get("image")
            yield self._runs(one, "sagemaker", arn, [principals.arn(one, "executionRoleArn")], image)

    def _runs(self, one: Declared, service: str, arn: str, roles: list[str | None], image: Any) -> Compute:
        known = [repository.arn for repository in self.resources if repository.kind is ResourceKind.REPOSITORY]
        text = image if isinstance(image, str) else ""
        named = [repository for repository in known if _image_of(repository) in text]
        if not named and ".dkr.ecr." in text and "{" not in text:
            named = [repository_arn(text)]
        return Compute.model_validate(
            {
                "arn": arn,
                "service": service,
                "role_arns": tuple(role for role in roles if role is not None),
                "images": tuple(named or known),
                "source": one.urn,
            }
        )


def _within(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object that a property is; one that is not known has nothing in it."""
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> int:
    """Return a whole number, which a preview may write as a text, and 0 for what is none."""
    text = str(value).removesuffix(".0")
    return int(text) if text.isascii() and text.isdigit() else 0


def _image_of(repository: str) -> str:
    _, _, _, region, account_id, name = repository.split(":", 5)
    return f"{account_id}.dkr.ecr.{region}.amazonaws.com/{name.removeprefix('repository/')}:"
