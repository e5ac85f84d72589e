"""IAM: roles, policies and users, with documents that parse and AWS's own policies to attach."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import moto.iam.models
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import EntityAlreadyExists, InvalidInput, MalformedPolicyDocument
from moto.iam.models import AWSManagedPolicy, IAMBackend, Role, iam_backends
from moto.iam.responses import IamResponse

from rehearsal.cloud.accounts import (
    ACCESS_KEY_ID,
    ADMINISTRATOR,
    ADMINISTRATOR_ACCESS,
    ORGANIZATION_ROLE,
    SECRET_ACCESS_KEY,
    organization_trust,
)
from rehearsal.cloud.authorization.decided import do_what_was_decided
from rehearsal.cloud.dispatch import Dispatcher
from rehearsal.cloud.service import Patches, Service, correction

_API = "https://docs.aws.amazon.com/IAM/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_LOW_LEVEL = "https://docs.aws.amazon.com/AmazonDynamoDB/latest/developerguide/Programming.LowLevelAPI.html"
_PARTITION = "aws"
_SERVICE_ROLE_PATH = "/aws-service-role/"
_SERVICE_ROLE_NAMES = {
    "ecs": "ECS",
    "eks": "AmazonEKS",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "organizations": "Organizations",
    "rds": "RDS",
    "sagemaker": "AmazonSageMakerNotebooks",
}
"""What a service calls itself in the name of its role, where that is not the first part of its own name."""


@cache
def _managed_policies() -> Mapping[str, Any]:
    known: dict[str, Any] = json.loads(aws_managed_policies_data)
    return known


class IdentityAndAccess(Service):
    """AWS IAM."""

    name: ClassVar[str] = "iam"

    def start(self) -> None:
        """Make the administrator, and the role by which an organization's accounts are administered."""
        workload = self.cloud.accounts["workload"]
        _make_administrator(iam_backends[workload][_PARTITION], self.cloud.region)
        for account_id in self.cloud.accounts.values():
            if account_id != workload:
                backend = iam_backends[account_id][_PARTITION]
                backend.create_role(ORGANIZATION_ROLE, organization_trust(workload), "/", None, "", [], "3600")
                backend.attach_role_policy(ADMINISTRATOR_ACCESS, ORGANIZATION_ROLE)

    def inventory(self) -> Sequence[str]:
        """Return users, groups, roles, profiles, providers and policies; AWS's own do not count."""
        return [arn for _, _, backend in iam_backends.iter_backends() for arn in _made(backend)]

    @correction("iam.decisions", f"{_GUIDE}/reference_policies_evaluation-logic.html")
    def ask_policies(self, patches: Patches) -> None:
        """Every request is decided by all policies that have a say, before its service sees it."""
        authorizer = self.cloud.authorizer
        patches.replace(Dispatcher, "refused", lambda _, backend, environ: authorizer.refused(backend, environ))

    @correction("iam.one-reading", _LOW_LEVEL)
    def read_once(self, patches: Patches) -> None:
        """A service does the operation that was decided, however many a request can be read as."""
        do_what_was_decided(patches)

    @correction("iam.trust-policy", f"{_API}/API_CreateRole.html")
    def check_trust_policies(self, patches: Patches) -> None:
        """A role's trust policy is a JSON document whose statements name an effect, a principal and an action."""
        for operation, parameter in (
            ("create_role", "AssumeRolePolicyDocument"),
            ("update_assume_role_policy", "PolicyDocument"),
        ):
            patches.replace(IamResponse, operation, _after_checking(getattr(IamResponse, operation), parameter))

    @correction("iam.managed-policies", f"{_GUIDE}/access_policies_managed-vs-inline.html")
    def offer_managed_policies(self, patches: Patches) -> None:
        """AWS's own managed policies are there to be attached."""

        def policies(backend: IAMBackend) -> list[AWSManagedPolicy]:
            # Moto looks up each access key in the partitions of China and others, which need none of them.
            if backend.partition != _PARTITION:
                return []
            return [
                AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, described)
                for name, described in _managed_policies().items()
            ]

        patches.replace(IAMBackend, "_init_aws_policies", policies)

    @correction("iam.service-linked-roles", f"{_API}/API_CreateServiceLinkedRole.html")
    def name_service_roles(self, patches: Patches) -> None:
        """A service-linked role has the name that its service gives it, and there is one of a name."""
        known = moto.iam.models.SERVICE_NAME_CONVERSION | _SERVICE_ROLE_NAMES
        patches.replace(moto.iam.models, "SERVICE_NAME_CONVERSION", known)
        original = patches.replace(IAMBackend, "create_service_linked_role", None)

        def create(backend: IAMBackend, *arguments: Any, **named: Any) -> Role:
            try:
                return original(backend, *arguments, **named)
            except EntityAlreadyExists as taken:
                name = str(taken).split(" ")[-3]
                raise InvalidInput(
                    f"Service role name {name} has been taken in this account, please try a different suffix."
                ) from taken

        patches.replace(IAMBackend, "create_service_linked_role", create)


def _make_administrator(backend: IAMBackend, region: str) -> None:
    user = backend.create_user(region, ADMINISTRATOR)
    backend.attach_user_policy(ADMINISTRATOR_ACCESS, ADMINISTRATOR)
    key = user.create_access_key("AKIA")
    key.access_key_id, key.secret_access_key = ACCESS_KEY_ID, SECRET_ACCESS_KEY
    backend.access_keys[ACCESS_KEY_ID] = key


def _made(backend: IAMBackend) -> Iterator[str]:
    yield from (user.arn for user in backend.users.values() if user.name != ADMINISTRATOR)
    yield from (group.arn for group in backend.groups.values())
    roles = (role for role in backend.roles.values() if role.name != ORGANIZATION_ROLE)
    yield from (role.arn for role in roles if not role.path.startswith(_SERVICE_ROLE_PATH))
    yield from (profile.arn for profile in backend.instance_profiles.values())
    yield from backend.open_id_providers
    yield from backend.saml_providers
    yield from (arn for arn in backend.managed_policies if ":iam::aws:" not in arn)


def _after_checking(original: Callable[[IamResponse], Any], parameter: str) -> Callable[[IamResponse], Any]:
    def method(response: IamResponse) -> Any:
        document = response._get_param(parameter)
        if document is not None and not _is_trust_policy(document):
            raise MalformedPolicyDocument("This policy contains invalid Json")
        return original(response)

    return method


def _is_trust_policy(document: str) -> bool:
    try:
        statements = json.loads(document)["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        return all(
            statement["Effect"] in ("Allow", "Deny")
            and ("Principal" in statement or "NotPrincipal" in statement)
            and "Resource" not in statement
            and ("Action" in statement or "NotAction" in statement)
            for statement in listed
        )
    except (ValueError, KeyError, TypeError):
        return False
