"""What of a preview a proof can read: which types of resources, and to which one thing each part belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from interlock.duties.plan_world import Declared, Plan

_KEYS: Final = ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey")
_BUCKET: Final = ("aws:s3/bucket:Bucket",)
_ROLE: Final = ("aws:iam/role:Role",)


@dataclass(frozen=True)
class Part:
    """A type of resource that says something of another: by which property, and of which types that may be."""

    key: str
    of: tuple[str, ...]
    once: bool = True
    """Whether one thing has at most one of it: AWS would keep the last of two, and nobody knows which that is."""


PARTS: Final[Mapping[str, Part]] = {
    "aws:dynamodb/resourcePolicy:ResourcePolicy": Part("resourceArn", ("aws:dynamodb/table:Table",)),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": Part("repository", ("aws:ecr/repository:Repository",)),
    "aws:iam/rolePolicy:RolePolicy": Part("role", _ROLE, once=False),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Part("role", _ROLE, once=False),
    "aws:kms/alias:Alias": Part("targetKeyId", _KEYS, once=False),
    "aws:lambda/permission:Permission": Part("function", ("aws:lambda/function:Function",), once=False),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Part("bucket", _BUCKET),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": Part("bucket", _BUCKET),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Part("bucket", _BUCKET),
    "aws:s3/bucketPolicy:BucketPolicy": Part("bucket", _BUCKET),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Part("bucket", _BUCKET),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": Part("bucket", _BUCKET),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Part("bucket", _BUCKET),
    "aws:s3/bucketVersioning:BucketVersioning": Part("bucket", _BUCKET),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Part("secretArn", ("aws:secretsmanager/secret:Secret",)),
    "aws:sns/topicPolicy:TopicPolicy": Part("arn", ("aws:sns/topic:Topic",)),
}
_NAMES: Final = ("name", "arn", "bucket", "keyId", "id")
"""The properties of a thing that its parts name it by."""
READ: Final = frozenset(
    {
        *PARTS, *_KEYS, *_BUCKET, *_ROLE,
        "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget",
        "aws:dynamodb/table:Table", "aws:ecr/repository:Repository", "aws:ecs/taskDefinition:TaskDefinition",
        "aws:iam/policy:Policy", "aws:lambda/function:Function", "aws:sagemaker/model:Model",
        "aws:secretsmanager/secret:Secret", "aws:sns/topic:Topic",
    }
)  # fmt: skip
HARMLESS: Final = frozenset(
    {
        "aws:appautoscaling/policy:Policy", "aws:appautoscaling/target:Target", "aws:budgets/budget:Budget",
        "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/eip:Eip", "aws:ec2/flowLog:FlowLog",
        "aws:ec2/internetGateway:InternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/route:Route",
        "aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecr/replicationConfiguration:ReplicationConfiguration", "aws:ecs/cluster:Cluster",
        "aws:ecs/service:Service", "aws:lambda/invocation:Invocation", "aws:lb/listener:Listener",
        "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup", "aws:rds/instance:Instance",
        "aws:rds/parameterGroup:ParameterGroup", "aws:rds/subnetGroup:SubnetGroup",
        "aws:s3/bucketObjectv2:BucketObjectv2", "aws:sagemaker/endpoint:Endpoint",
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "aws:secretsmanager/secretRotation:SecretRotation", "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:sns/topicSubscription:TopicSubscription", "aws:ssm/parameter:Parameter",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }
)  # fmt: skip
"""Types that give nobody a right: they have no policy, or one that only narrows, and no code of theirs has a role."""
_BY_PARTS: Final = {
    "aws:s3/bucket:Bucket": frozenset(
        {
            "acl", "grants", "lifecycleRules", "loggings", "objectLockConfiguration", "policy",
            "replicationConfiguration", "serverSideEncryptionConfiguration", "versioning", "website",
        }
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": frozenset({"acl"}),
    "aws:secretsmanager/secret:Secret": frozenset({"policy"}),
    "aws:sns/topic:Topic": frozenset({"policy"}),
}  # fmt: skip
"""Properties that would grant or set what is read of the resource's parts alone."""


def unreadable(plan: Plan) -> Iterator[str]:
    """Yield, in words, what of a preview could grant something and is not read, or could be read in two ways."""
    for one in plan.resources:
        if one.type not in READ | HARMLESS:
            yield f"{one.name}: {one.type}: a proof reads no resource of this type, which could grant or run something"
        for key in sorted(_BY_PARTS.get(one.type, frozenset()) & {key for key, value in one.inputs.items() if value}):
            yield f"{one.name}: {key}: accepted is a resource of its own, which is what a proof reads"
    yield from _misplaced(plan)


def _misplaced(plan: Plan) -> Iterator[str]:
    held: Counter[tuple[str, str]] = Counter()
    for token, part in PARTS.items():
        things = [one for of in part.of for one in plan.of_type(of)]
        for one in plan.of_type(token):
            owners = [thing for thing in things if _belongs(plan, one, part, thing)]
            if len(owners) != 1:
                found = ", ".join(owner.name for owner in owners) or "nothing of the preview"
                yield f"{one.name}: {part.key}: it belongs to {found}; accepted is one resource of the preview"
            elif part.once:
                held[token, owners[0].urn] += 1
    for (token, urn), number in held.items():
        if number > 1:
            kind = token.rpartition(":")[2]
            yield f"{urn.rpartition('::')[2]}: it has {number} of {kind}; accepted is one, as AWS keeps only one"


def _belongs(plan: Plan, one: Declared, part: Part, thing: Declared) -> bool:
    """Return whether a part names a thing, by what it is taken from and by its text, as far as either is known."""
    if one.region and thing.region and one.region != thing.region and not one.type.startswith("aws:iam/"):
        return False
    taken = {urn for urn in one.needs.get(part.key, ()) if plan.is_a(urn, part.of)}
    text = one.text(part.key)
    if taken and thing.urn not in taken:
        return False
    return bool(taken) if text is None else one.account_id == thing.account_id and text in _names_of(thing)


def _names_of(thing: Declared) -> set[Any]:
    return {text for key in _NAMES if (text := thing.text(key)) is not None}
