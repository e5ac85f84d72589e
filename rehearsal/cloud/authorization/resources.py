"""Which resources an operation is on: the table behind exact decisions. What is not in it is decided by its action.

Of each service, ARN patterns and the operations on what they name. `{Name}` is a parameter of the operation; one that
is an ARN already stands for the whole, one that is missing leaves its resource out, and a list names one each. A
pattern without a prefix lies in the caller's account and the request's region.
Source: the service authorization reference, for each service "Resource types defined by" and "Actions defined by",
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

_TABLE: Final[Mapping[str, Mapping[str, str]]] = {
    "access-analyzer": {
        "analyzer/{analyzerName}": "CreateAnalyzer DeleteAnalyzer GetAnalyzer UpdateAnalyzer CreateArchiveRule "
        "DeleteArchiveRule UpdateArchiveRule",
    },
    "acm": {
        "{CertificateArn}": "DescribeCertificate GetCertificate ListTagsForCertificate DeleteCertificate",
    },
    "application-autoscaling": {
        "scalable-target/{ResourceId}": "RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy "
        "DeleteScalingPolicy",
        "{ResourceARN}": "ListTagsForResource TagResource UntagResource",
    },
    "cloudtrail": {
        "trail/{Name}": "CreateTrail DeleteTrail UpdateTrail StartLogging StopLogging GetTrail GetTrailStatus",
        "trail/{TrailName}": "PutEventSelectors GetEventSelectors PutInsightSelectors",
    },
    "cloudwatch": {
        "alarm:{AlarmName}": "PutMetricAlarm PutCompositeAlarm",
        "alarm:{AlarmNames}": "DeleteAlarms DescribeAlarms EnableAlarmActions DisableAlarmActions",
        "{ResourceARN}": "ListTagsForResource TagResource UntagResource",
    },
    "dynamodb": {
        "table/{TableName}": "GetItem PutItem UpdateItem DeleteItem Query Scan CreateTable DeleteTable DescribeTable "
        "UpdateTable DescribeContinuousBackups UpdateContinuousBackups DescribeTimeToLive UpdateTimeToLive "
        "DescribeTableReplicaAutoScaling DescribeKinesisStreamingDestination",
        "{ResourceArn}": "TagResource UntagResource ListTagsOfResource GetResourcePolicy PutResourcePolicy "
        "DeleteResourcePolicy",
    },
    "ecr": {
        "repository/{repositoryName}": "BatchCheckLayerAvailability BatchDeleteImage BatchGetImage CompleteLayerUpload "
        "CreateRepository DeleteLifecyclePolicy DeleteRepository DeleteRepositoryPolicy DescribeImages "
        "GetDownloadUrlForLayer GetLifecyclePolicy GetRepositoryPolicy InitiateLayerUpload ListImages PutImage "
        "PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy SetRepositoryPolicy StartImageScan "
        "UploadLayerPart DescribeImageScanFindings",
        "repository/{repositoryNames}": "DescribeRepositories",
        "{resourceArn}": "ListTagsForResource TagResource UntagResource",
    },
    "ecs": {
        "task-definition/{taskDefinition}": "RunTask",
        "cluster/{cluster}": "DeleteCluster UpdateCluster",
        "cluster/{clusters}": "DescribeClusters",
        "service/{cluster}/{serviceName}": "CreateService",
        "service/{cluster}/{service}": "UpdateService DeleteService",
        "service/{cluster}/{services}": "DescribeServices",
        "task/{cluster}/{task}": "StopTask",
        "task/{cluster}/{tasks}": "DescribeTasks",
        "task-definition/{family}:*": "RegisterTaskDefinition",
        "{resourceArn}": "TagResource UntagResource ListTagsForResource",
    },
    "elasticloadbalancing": {
        "loadbalancer/app/{Name}/*": "CreateLoadBalancer",
        "targetgroup/{Name}/*": "CreateTargetGroup",
        "{LoadBalancerArn}": "CreateListener DeleteLoadBalancer ModifyLoadBalancerAttributes SetSubnets "
        "SetSecurityGroups",
        "{TargetGroupArn}": "DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes RegisterTargets "
        "DeregisterTargets",
        "{ListenerArn}": "DeleteListener ModifyListener CreateRule",
        "{ResourceArns}": "AddTags RemoveTags",
    },
    "events": {
        "rule/{Name}": "PutRule DeleteRule DescribeRule EnableRule DisableRule",
        "rule/{Rule}": "PutTargets RemoveTargets ListTargetsByRule",
        "{ResourceARN}": "ListTagsForResource TagResource UntagResource",
    },
    "iam": {
        "arn:aws:iam::{account}:role{RoleName}": "AddRoleToInstanceProfile AttachRolePolicy CreateRole DeleteRole "
        "DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy "
        "ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags "
        "PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
        "UpdateRoleDescription",
        "arn:aws:iam::{account}:user{UserName}": "AddUserToGroup AttachUserPolicy CreateAccessKey CreateLoginProfile "
        "CreateUser DeactivateMFADevice DeleteAccessKey DeleteLoginProfile DeleteUser DeleteUserPermissionsBoundary "
        "DeleteUserPolicy DetachUserPolicy EnableMFADevice GetUser GetUserPolicy ListAccessKeys ListUserPolicies "
        "PutUserPermissionsBoundary PutUserPolicy RemoveUserFromGroup TagUser UntagUser UpdateAccessKey "
        "UpdateLoginProfile UpdateUser",
        "arn:aws:iam::{account}:group{GroupName}": "AttachGroupPolicy CreateGroup DeleteGroup DeleteGroupPolicy "
        "DetachGroupPolicy PutGroupPolicy UpdateGroup",
        "arn:aws:iam::{account}:policy{PolicyName}": "CreatePolicy",
        "arn:aws:iam::{account}:instance-profile/{InstanceProfileName}": "CreateInstanceProfile DeleteInstanceProfile",
        "arn:aws:iam::{account}:oidc-provider/{Url}": "CreateOpenIDConnectProvider",
        "arn:aws:iam::{account}:saml-provider/{Name}": "CreateSAMLProvider",
        "arn:aws:iam::{account}:role/aws-service-role/{AWSServiceName}/*": "CreateServiceLinkedRole",
        "{PolicyArn}": "CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListPolicyTags "
        "ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy ListEntitiesForPolicy",
        "{OpenIDConnectProviderArn}": "AddClientIDToOpenIDConnectProvider DeleteOpenIDConnectProvider "
        "GetOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider "
        "UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
        "{SAMLProviderArn}": "DeleteSAMLProvider UpdateSAMLProvider GetSAMLProvider TagSAMLProvider",
    },
    "lambda": {
        "function:{FunctionName}": "AddPermission CreateFunction DeleteFunction GetFunction "
        "GetFunctionCodeSigningConfig GetFunctionConfiguration GetPolicy InvokeFunction ListVersionsByFunction "
        "PutFunctionConcurrency RemovePermission UpdateFunctionCode UpdateFunctionConfiguration PublishVersion "
        "GetFunctionConcurrency DeleteFunctionConcurrency",
        "{Resource}": "ListTags TagResource UntagResource",
    },
    "logs": {
        "log-group:{logGroupName}:log-stream:{logStreamName}": "PutLogEvents GetLogEvents DeleteLogStream",
        # All but tagging take a log group with the final :*, as AWS describes log groups in policies.
        "log-group:{logGroupName}:*": "CreateLogGroup CreateLogStream DeleteLogGroup DescribeLogStreams "
        "PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey FilterLogEvents PutMetricFilter",
        "{resourceArn}": "ListTagsForResource TagResource UntagResource",
    },
    "rds": {
        "db:{DBInstanceIdentifier}": "CreateDBInstance CreateDBInstanceReadReplica CreateDBSnapshot DeleteDBInstance "
        "DescribeDBInstances ModifyDBInstance PromoteReadReplica RebootDBInstance",
        "pg:{DBParameterGroupName}": "CreateDBParameterGroup DeleteDBParameterGroup DescribeDBParameterGroups "
        "DescribeDBParameters ModifyDBParameterGroup",
        "subgrp:{DBSubnetGroupName}": "CreateDBSubnetGroup DeleteDBSubnetGroup DescribeDBSubnetGroups "
        "ModifyDBSubnetGroup",
        "snapshot:{DBSnapshotIdentifier}": "CreateDBSnapshot DeleteDBSnapshot",
        "{ResourceName}": "AddTagsToResource ListTagsForResource RemoveTagsFromResource",
    },
    "sagemaker": {
        "endpoint/{EndpointName}": "CreateEndpoint DeleteEndpoint DescribeEndpoint InvokeEndpoint UpdateEndpoint "
        "UpdateEndpointWeightsAndCapacities",
        "endpoint-config/{EndpointConfigName}": "CreateEndpoint CreateEndpointConfig DeleteEndpointConfig "
        "DescribeEndpointConfig UpdateEndpoint",
        "model/{ModelName}": "CreateModel DeleteModel DescribeModel",
        "{ResourceArn}": "AddTags DeleteTags ListTags",
    },
    "secretsmanager": {
        "secret:{SecretId}": "CancelRotateSecret DeleteResourcePolicy DeleteSecret DescribeSecret GetResourcePolicy "
        "GetSecretValue ListSecretVersionIds PutResourcePolicy PutSecretValue RemoveRegionsFromReplication "
        "ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica TagResource UntagResource "
        "UpdateSecret UpdateSecretVersionStage",
        "secret:{Name}-??????": "CreateSecret",
    },
    "sns": {
        "{Name}": "CreateTopic",
        "{TopicArn}": "DeleteTopic GetTopicAttributes ListSubscriptionsByTopic Publish SetTopicAttributes Subscribe "
        "AddPermission RemovePermission",
        "{TargetArn}": "Publish",
        "{ResourceArn}": "ListTagsForResource TagResource UntagResource",
    },
    "ssm": {
        "parameter/{Name}": "DeleteParameter GetParameter GetParameterHistory PutParameter",
        "parameter/{Names}": "DeleteParameters GetParameters",
        "parameter/{Path}": "GetParametersByPath",
        "parameter/{ResourceId}": "AddTagsToResource ListTagsForResource RemoveTagsFromResource",
    },
}


_ON_NOTHING: Final[Mapping[str, str]] = {
    "acm": "ListCertificates",
    "application-autoscaling": "DescribeScalableTargets DescribeScalingPolicies",
    "cloudwatch": "GetMetricData GetMetricStatistics ListMetrics PutMetricData",
    "dynamodb": "ListTables",
    "ec2": "DescribeAvailabilityZones DescribeFlowLogs DescribeNetworkAcls DescribeNetworkInterfaces "
    "DescribePrefixLists DescribeRegions DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups "
    "DescribeSubnets DescribeVpcEndpoints DescribeVpcs",
    "ecr": "DescribeRegistry GetAuthorizationToken PutReplicationConfiguration PutRegistryPolicy",
    "ecs": "DeregisterTaskDefinition DescribeTaskDefinition ListTaskDefinitions",
    "elasticloadbalancing": "DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes "
    "DescribeLoadBalancers DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups DescribeTargetHealth",
    "s3": "ListAllMyBuckets",
    "sagemaker": "ListEndpointConfigs ListEndpoints ListModels",
    "secretsmanager": "GetRandomPassword ListSecrets",
    "sns": "ListTopics",
    "ssm": "DescribeParameters",
    "sts": "GetCallerIdentity",
}
"""Operations that are on no resource: only a right to all resources is a right to them."""


def patterns_of(action: str) -> Sequence[str] | None:
    """Return the patterns of what an action's operation is on, None for an action that is not in the table."""
    return _PATTERNS.get(action.lower())


def _by_action() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for service, patterns in _TABLE.items():
        for pattern, operations in patterns.items():
            for operation in operations.split():
                found.setdefault(f"{service}:{operation}".lower(), []).append(pattern)
    for service, operations in _ON_NOTHING.items():
        for operation in operations.split():
            found.setdefault(f"{service}:{operation}".lower(), []).append("*")
    return found


_PATTERNS: Final = _by_action()
