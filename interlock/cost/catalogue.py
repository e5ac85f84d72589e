"""Every type of resource whose cost is understood: counted, or known to cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from interlock.cost.quantities import compute, database, keys, network, storage, watching
from interlock.cost.quantities.charge import Counter

COUNTED: Final[Mapping[str, Counter]] = {
    "aws:appautoscaling/policy:Policy": watching.scaling_policy,
    "aws:budgets/budgetAction:BudgetAction": watching.budget_action,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": watching.composite_alarm,
    "aws:cloudwatch/dashboard:Dashboard": watching.dashboard,
    "aws:cloudwatch/logGroup:LogGroup": watching.log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": watching.alarm,
    "aws:dynamodb/table:Table": database.table,
    "aws:ec2/eip:Eip": network.public_address,
    "aws:ec2/natGateway:NatGateway": network.nat_gateway,
    "aws:ec2/vpcEndpoint:VpcEndpoint": network.vpc_endpoint,
    "aws:ecr/replicationConfiguration:ReplicationConfiguration": storage.image_replication,
    storage.REPOSITORY: storage.repository,
    "aws:ecs/cluster:Cluster": watching.cluster,
    compute.SERVICE: compute.service,
    compute.TASK_DEFINITION: compute.task_definition,
    "aws:kms/key:Key": keys.key,
    "aws:kms/replicaKey:ReplicaKey": keys.replica_key,
    "aws:lambda/function:Function": compute.function,
    "aws:lb/loadBalancer:LoadBalancer": network.load_balancer,
    database.INSTANCE: database.instance,
    "aws:route53/zone:Zone": network.hosted_zone,
    storage.BUCKET: storage.bucket,
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": storage.replication,
    compute.ENDPOINT: compute.endpoint,
    "aws:secretsmanager/secret:Secret": keys.secret,
    "aws:sns/topic:Topic": watching.topic,
    "aws:ssm/parameter:Parameter": keys.parameter,
}

FREE: Final = frozenset(
    {
        # Rights, networks and settings of something that is paid for itself.
        "aws:appautoscaling/target:Target",
        "aws:budgets/budget:Budget",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        "aws:dynamodb/resourcePolicy:ResourcePolicy",
        "aws:dynamodb/tableItem:TableItem",
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/networkAcl:NetworkAcl",
        "aws:ec2/route:Route",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy",
        "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecr/registryPolicy:RegistryPolicy",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
        "aws:iam/instanceProfile:InstanceProfile",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/alias:Alias",
        "aws:kms/grant:Grant",
        "aws:kms/keyPolicy:KeyPolicy",
        "aws:lambda/alias:Alias",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "aws:lambda/invocation:Invocation",
        "aws:lambda/permission:Permission",
        "aws:lb/listener:Listener",
        "aws:lb/listenerRule:ListenerRule",
        "aws:lb/targetGroup:TargetGroup",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:route53/record:Record",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketLogging:BucketLogging",
        "aws:s3/bucketNotification:BucketNotification",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "aws:s3/bucketObjectv2:BucketObjectv2",  # its bytes are among those that its bucket is assumed to hold
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "aws:sagemaker/model:Model",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:secretsmanager/secretRotation:SecretRotation",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }
)
"""What costs nothing by being there."""


def is_free(kind: str) -> bool:
    """Return whether a type costs nothing; what is the engine's own is not AWS's."""
    return kind in FREE or kind.startswith(("pulumi:", "pulumi-python:"))
