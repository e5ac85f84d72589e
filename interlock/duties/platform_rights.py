"""What `pulumi up` and `destroy` of the layer platform call, service by service.

Recorded from whole rehearsals; beside what was seen stands what AWS asks for besides: tags given at creation, keys used
on the caller's behalf, and the changes that a later `pulumi up` makes in place.
"""

from __future__ import annotations

from typing import Final

from interlock.duties.duty import Role
from interlock.duties.landscape import MANIFEST_PREFIX
from interlock.duties.rights import Kind, Right

PASSED_TO: Final = (
    "ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "s3.amazonaws.com", "sagemaker.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)  # fmt: skip
"""The services that the platform makes roles for."""
LINKED_SERVICES: Final = (
    "ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)  # fmt: skip
"""Services that make a role of their own when an account first uses them."""

_IDENTITIES: Final = (
    Right(
        "KeepServiceRoles",
        ("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
         "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
         "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
         "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"),
        Kind.SERVICE_ROLE,
    ),
    # Whoever makes a key administers it; as which role they do, they read of themselves.
    Right("SeeOwnRole", ("iam:GetRole",), Kind.DUTY_ROLE, Role.PLATFORM.value),
    Right(
        "HandOverServiceRoles", ("iam:PassRole",), Kind.SERVICE_ROLE,
        conditions={"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
    ),
    Right(
        "LinkServices", ("iam:CreateServiceLinkedRole",), Kind.SERVICE_LINKED_ROLE,
        conditions={"StringEquals": {"iam:AWSServiceName": list(LINKED_SERVICES)}},
    ),
)  # fmt: skip
_MANIFEST: Final = (
    Right("PublishManifest", ("s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion", "s3:PutObject",
                              "s3:PutObjectTagging"), Kind.STAGED, MANIFEST_PREFIX),
    Right("EncryptManifest", ("kms:Decrypt", "kms:GenerateDataKey"), Kind.EVIDENCE_KEY),
    Right("PointToManifest", ("ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameter",
                              "ssm:ListTagsForResource", "ssm:PutParameter", "ssm:RemoveTagsFromResource"),
          Kind.PARAMETER),
)  # fmt: skip
_NETWORK: Final = Right(
    "KeepNetwork",
    ("ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway",
     "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateFlowLogs",
     "ec2:CreateInternetGateway", "ec2:CreateNatGateway", "ec2:CreateRoute", "ec2:CreateRouteTable",
     "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpc", "ec2:CreateVpcEndpoint",
     "ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteNatGateway", "ec2:DeleteRoute",
     "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc",
     "ec2:DeleteVpcEndpoints", "ec2:DescribeVpcAttribute", "ec2:DetachInternetGateway", "ec2:DisassociateAddress",
     "ec2:DisassociateRouteTable",
     "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint",
     "ec2:ReleaseAddress", "ec2:ReplaceRoute", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"),
    Kind.NETWORK,
)  # fmt: skip
_NAMELESS: Final = Right(
    "See",
    ("acm:ListCertificates", "application-autoscaling:DescribeScalableTargets",
     "application-autoscaling:DescribeScalingPolicies", "ec2:DescribeAddresses", "ec2:DescribeFlowLogs",
     "ec2:DescribeInternetGateways", "ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls",
     "ec2:DescribeNetworkInterfaces", "ec2:DescribePrefixLists", "ec2:DescribeRouteTables",
     "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
     "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs", "ecr:GetAuthorizationToken",
     "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "elasticloadbalancing:DescribeCapacityReservation",
     "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeListeners",
     "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
     "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
     "elasticloadbalancing:DescribeTargetGroups", "kms:CreateKey", "kms:ListAliases", "logs:CreateLogDelivery",
     "logs:DescribeLogGroups", "secretsmanager:GetRandomPassword", "sns:GetSubscriptionAttributes", "sns:Unsubscribe",
     "ssm:DescribeParameters"),
    Kind.ANY,
)  # fmt: skip
_BUCKETS: Final = (
    Right(
        "KeepBuckets",
        ("s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:GetAccelerateConfiguration",
         "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging", "s3:GetBucketObjectLockConfiguration",
         "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
         "s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetBucketWebsite",
         "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration",
         "s3:ListBucket", "s3:ListBucketVersions", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy",
         "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning",
         "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration"),
        Kind.OWN_BUCKETS,
    ),
    # Of a stack that may be thrown away: its buckets are emptied before they go.
    Right("EmptyBuckets", ("s3:DeleteObject", "s3:DeleteObjectVersion"), Kind.OWN_OBJECTS),
)  # fmt: skip
_KEYS: Final = (
    Right(
        "KeepKeys",
        ("kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
         "kms:GetKeyRotationStatus", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion",
         "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
         "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"),
        Kind.OWN_KEYS,
    ),
    Right("NameKeys", ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"), Kind.OWN_ALIASES),
    Right("LendKeys", ("kms:CreateGrant",), Kind.OWN_KEYS,
          conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
)  # fmt: skip
_DATA: Final = (
    Right(
        "KeepSecrets",
        ("secretsmanager:CancelRotateSecret", "secretsmanager:CreateSecret",
         "secretsmanager:DeleteResourcePolicy", "secretsmanager:DeleteSecret",
         "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "secretsmanager:PutResourcePolicy",
         "secretsmanager:RemoveRegionsFromReplication",
         "secretsmanager:ReplicateSecretToRegions", "secretsmanager:RotateSecret", "secretsmanager:TagResource",
         "secretsmanager:UntagResource", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage"),
        Kind.SECRETS,
    ),
    # Those whose first value it draws, and reads back; the others' it never sees.
    Right("GiveSecrets", ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"), Kind.GIVEN_SECRETS),
    Right(
        "KeepTables",
        ("dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:DescribeContinuousBackups",
         "dynamodb:DeleteResourcePolicy", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive",
         "dynamodb:GetResourcePolicy", "dynamodb:ListTagsOfResource", "dynamodb:PutResourcePolicy",
         "dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable"),
        Kind.TABLES,
    ),
    Right(
        "KeepDatabases",
        ("rds:AddTagsToResource", "rds:CreateDBInstance", "rds:CreateDBInstanceReadReplica",
         "rds:CreateDBParameterGroup", "rds:CreateDBSnapshot", "rds:CreateDBSubnetGroup", "rds:DeleteDBInstance",
         "rds:DeleteDBParameterGroup", "rds:DeleteDBSubnetGroup", "rds:DescribeDBInstances",
         "rds:DescribeDBParameterGroups", "rds:DescribeDBParameters", "rds:DescribeDBSubnetGroups",
         "rds:ListTagsForResource", "rds:ModifyDBInstance", "rds:ModifyDBParameterGroup",
         "rds:ModifyDBSubnetGroup", "rds:RebootDBInstance", "rds:RemoveTagsFromResource", "rds:ResetDBParameterGroup"),
        Kind.DATABASES,
    ),
)  # fmt: skip
_RUNNING: Final = (
    Right(
        "KeepTasks",
        ("ecs:CreateCluster", "ecs:CreateService", "ecs:DeleteCluster", "ecs:DeleteService", "ecs:DescribeClusters",
         "ecs:DescribeServices",
         "ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource", "ecs:UpdateCluster",
         "ecs:UpdateService"),
        Kind.TASKS,
    ),
    Right(
        "KeepFunctions",
        ("lambda:AddPermission", "lambda:CreateFunction", "lambda:DeleteFunction", "lambda:GetFunction",
         "lambda:GetPolicy", "lambda:InvokeFunction",
         "lambda:ListVersionsByFunction", "lambda:PutFunctionConcurrency", "lambda:RemovePermission",
         "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode",
         "lambda:UpdateFunctionConfiguration"),
        Kind.FUNCTIONS,
    ),
    Right("RunImages", ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), Kind.REPOSITORY),
    Right(
        "KeepServing",
        ("sagemaker:AddTags", "sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel",
         "sagemaker:DeleteEndpoint", "sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel", "sagemaker:DeleteTags",
         "sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel",
         "sagemaker:ListTags"),
        Kind.SERVING,
    ),
    Right(
        "KeepLoadBalancing",
        ("elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener",
         "elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup",
         "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
         "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:ModifyListener",
         "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyLoadBalancerAttributes",
         "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
         "elasticloadbalancing:RemoveTags", "elasticloadbalancing:SetSecurityGroups",
         "elasticloadbalancing:SetSubnets"),
        Kind.LOAD_BALANCING,
    ),
    Right(
        "Scale",
        ("application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget",
         "application-autoscaling:ListTagsForResource", "application-autoscaling:PutScalingPolicy",
         "application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource",
         "application-autoscaling:UntagResource"),
        Kind.SCALABLE_TARGET,
    ),
)  # fmt: skip
_WATCHING: Final = (
    Right(
        "KeepLogs",
        ("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:ListTagsForResource",
         "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"),
        Kind.LOG_GROUPS,
    ),
    Right(
        "KeepAlarms",
        ("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource",
         "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"),
        Kind.ALARM,
    ),
    Right(
        "KeepTopics",
        ("sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:ListTagsForResource",
         "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource"),
        Kind.TOPICS,
    ),
    Right(
        "KeepBudget",
        ("budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource",
         "budgets:ViewBudget"),
        Kind.BUDGETS,
    ),
    Right(
        "SeeCertificates", ("acm:DescribeCertificate", "acm:GetCertificate", "acm:ListTagsForCertificate"),
        Kind.CERTIFICATES,
    ),
)  # fmt: skip

PLATFORM_RIGHTS: Final = (
    *_IDENTITIES, *_MANIFEST, _NETWORK, _NAMELESS, *_BUCKETS, *_KEYS, *_DATA, *_RUNNING, *_WATCHING,
)  # fmt: skip
