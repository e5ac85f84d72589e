"""The services of pulumi-aws that this repository uses: its own `__init__` makes a type checker read all of them."""

from pulumi_aws import acm as acm
from pulumi_aws import appautoscaling as appautoscaling
from pulumi_aws import budgets as budgets
from pulumi_aws import cloudwatch as cloudwatch
from pulumi_aws import dynamodb as dynamodb
from pulumi_aws import ec2 as ec2
from pulumi_aws import ecr as ecr
from pulumi_aws import ecs as ecs
from pulumi_aws import iam as iam
from pulumi_aws import kms as kms
from pulumi_aws import lambda_ as lambda_
from pulumi_aws import lb as lb
from pulumi_aws import rds as rds
from pulumi_aws import s3 as s3
from pulumi_aws import sagemaker as sagemaker
from pulumi_aws import secretsmanager as secretsmanager
from pulumi_aws import sns as sns
from pulumi_aws import sqs as sqs
from pulumi_aws import ssm as ssm
from pulumi_aws import vpc as vpc
from pulumi_aws._inputs import ProviderAssumeRoleArgs as ProviderAssumeRoleArgs
from pulumi_aws._inputs import ProviderDefaultTagsArgs as ProviderDefaultTagsArgs
from pulumi_aws.get_caller_identity import get_caller_identity_output as get_caller_identity_output
from pulumi_aws.provider import Provider as Provider
from pulumi_aws.provider import ProviderArgs as ProviderArgs
