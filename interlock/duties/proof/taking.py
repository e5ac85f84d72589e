"""What lets somebody act as a role without assuming it, and what lets them change who or what a principal is.

Sources: Service Authorization Reference of each service; IAM User Guide, "Grant a user permissions to pass a role to
an AWS service".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from interlock.duties.proof.forms import Form

STARTING: Final[dict[str, tuple[str, ...]]] = {
    "ecs-tasks.amazonaws.com": ("ecs:RunTask", "ecs:StartTask", "ecs:RegisterTaskDefinition", "ecs:CreateService",
                                "ecs:UpdateService", "ecs:CreateTaskSet"),
    "lambda.amazonaws.com": ("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"),
    "sagemaker.amazonaws.com": ("sagemaker:CreateModel", "sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob",
                                "sagemaker:CreateNotebookInstance", "sagemaker:CreateTransformJob",
                                "sagemaker:CreatePipeline", "sagemaker:UpdatePipeline", "sagemaker:CreateAutoMLJobV2",
                                "sagemaker:CreateUserProfile", "sagemaker:CreateDomain",
                                "sagemaker:CreateMonitoringSchedule",
                                "sagemaker:UpdateNotebookInstance", "sagemaker:CreateHyperParameterTuningJob"),
    "ec2.amazonaws.com": ("ec2:RunInstances", "ec2:AssociateIamInstanceProfile",
                          "ec2:ReplaceIamInstanceProfileAssociation",
                          "ec2:CreateLaunchTemplateVersion"),
    "codebuild.amazonaws.com": ("codebuild:CreateProject", "codebuild:UpdateProject"),
    "codepipeline.amazonaws.com": ("codepipeline:CreatePipeline", "codepipeline:UpdatePipeline"),
    "cloudformation.amazonaws.com": ("cloudformation:CreateStack", "cloudformation:UpdateStack",
                                     "cloudformation:CreateChangeSet"),
    "glue.amazonaws.com": ("glue:CreateJob", "glue:UpdateJob", "glue:CreateDevEndpoint"),
    "states.amazonaws.com": ("states:CreateStateMachine", "states:UpdateStateMachine"),
    "scheduler.amazonaws.com": ("scheduler:CreateSchedule", "scheduler:UpdateSchedule"),
    "events.amazonaws.com": ("events:PutTargets",),
    "ssm.amazonaws.com": ("ssm:StartAutomationExecution", "ssm:CreateAssociation"),
    "batch.amazonaws.com": ("batch:RegisterJobDefinition", "batch:CreateComputeEnvironment"),
    "elasticmapreduce.amazonaws.com": ("elasticmapreduce:RunJobFlow",),
    "datapipeline.amazonaws.com": ("datapipeline:CreatePipeline",),
    "bedrock.amazonaws.com": ("bedrock:CreateAgent", "bedrock:CreateModelCustomizationJob"),
    "apprunner.amazonaws.com": ("apprunner:CreateService", "apprunner:UpdateService"),
    "tasks.apprunner.amazonaws.com": ("apprunner:CreateService", "apprunner:UpdateService"),
    "build.apprunner.amazonaws.com": ("apprunner:CreateService",),
    "eks.amazonaws.com": ("eks:CreateCluster",),
    "pods.eks.amazonaws.com": ("eks:CreatePodIdentityAssociation", "eks:UpdatePodIdentityAssociation"),
    "imagebuilder.amazonaws.com": ("imagebuilder:CreateImagePipeline",),
    "s3.amazonaws.com": (),
    "vpc-flow-logs.amazonaws.com": (),
}  # fmt: skip
"""By service principal: what starts or changes code of the caller's choice under a passed role. A service that runs
nothing of the caller's choice has none; one that is not listed here counts as one that does."""

UNKNOWN_SERVICE_STARTS: Final = ("*",)

PUSHING: Final = ("ecr:PutImage", "ecr:SetRepositoryPolicy")
"""On a repository: what decides which image runs, or who decides."""

REPLACING_CODE: Final = {
    "lambda": ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
    "ecs": ("ecs:ExecuteCommand",),
    "ec2": ("ssm:StartSession", "ssm:SendCommand", "ec2-instance-connect:SendSSHPublicKey",
            "ec2:ModifyInstanceAttribute"),
    "sagemaker": (),
}  # fmt: skip
"""By service: what lets code of the caller's choice run where other code runs already."""


@dataclass(frozen=True)
class Edit:
    """An action on a principal, a managed policy or an identity provider, and what it makes of a principal."""

    action: str
    form: Form | None
    """What the principal becomes; None where its sessions are the caller's afterwards."""


ON_ROLES: Final = (
    Edit("iam:UpdateAssumeRolePolicy", None),
    Edit("iam:PutRolePolicy", Form.WIDENED),
    Edit("iam:AttachRolePolicy", Form.WIDENED),
    Edit("iam:DeleteRolePolicy", Form.UNDENIED),
    Edit("iam:DetachRolePolicy", Form.UNDENIED),
    Edit("iam:DeleteRolePermissionsBoundary", Form.UNBOUNDED),
    Edit("iam:PutRolePermissionsBoundary", Form.UNBOUNDED),
)
ON_USERS: Final = (
    Edit("iam:CreateAccessKey", None),
    Edit("iam:CreateLoginProfile", None),
    Edit("iam:UpdateLoginProfile", None),
    Edit("iam:PutUserPolicy", Form.WIDENED),
    Edit("iam:AttachUserPolicy", Form.WIDENED),
    Edit("iam:AddUserToGroup", Form.WIDENED),
    Edit("iam:DeleteUserPolicy", Form.UNDENIED),
    Edit("iam:DetachUserPolicy", Form.UNDENIED),
    Edit("iam:DeleteUserPermissionsBoundary", Form.UNBOUNDED),
    Edit("iam:PutUserPermissionsBoundary", Form.UNBOUNDED),
)
ON_POLICIES: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
"""On a managed policy: whoever has it attached, or has it for a boundary, is what the caller makes of it."""
ON_PROVIDERS: Final = (
    "iam:UpdateSAMLProvider", "iam:UpdateOpenIDConnectProviderThumbprint", "iam:AddClientIDToOpenIDConnectProvider",
)  # fmt: skip
"""On an identity provider: whom it signs in is what the caller says."""
CHANGING_PROVIDERS: Final = (
    *ON_PROVIDERS, "iam:CreateOpenIDConnectProvider", "iam:CreateSAMLProvider", "iam:DeleteOpenIDConnectProvider",
    "iam:DeleteSAMLProvider",
)  # fmt: skip
ALTERING_ROLES: Final = (
    "iam:DeleteRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:TagRole", "iam:UntagRole",
)  # fmt: skip
"""On a role: what ends it, or what it is known by or lasts, and lets nobody in."""
ALTERING_USERS: Final = (
    "iam:AttachUserPolicy", "iam:CreateServiceSpecificCredential", "iam:DeactivateMFADevice", "iam:DeleteAccessKey",
    "iam:DeleteLoginProfile", "iam:DeleteUser", "iam:EnableMFADevice", "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy", "iam:RemoveUserFromGroup", "iam:ResyncMFADevice", "iam:UpdateAccessKey", "iam:UpdateUser",
)  # fmt: skip
"""On a user: what takes away its factor, puts another's in place, makes its name somebody else's, or shuts it out."""
ENDING_POLICIES: Final = ("iam:DeletePolicy", "iam:DeletePolicyVersion")
ON_GROUPS: Final = ("iam:AttachGroupPolicy", "iam:PutGroupPolicy")
CREATING: Final = (("iam:CreateRole", "role"), ("iam:CreateUser", "user"))
"""What makes a new principal; the kind is the first part of its ARN's resource."""

EDITING_POLICIES: Final = (
    *(edit.action for edit in ON_ROLES), *(edit.action for edit in ON_USERS), *ON_POLICIES, *ON_PROVIDERS,
)  # fmt: skip
