"""AWS Organizations: the organization that the cloud's accounts belong to, with both kinds of control policies on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from moto.iam.models import iam_backends
from moto.organizations.models import OrganizationsBackend, organizations_backends

from rehearsal.cloud.service import Service

_PARTITION = "aws"
_CONTROL = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
UNIT = "interlock"
"""The organizational unit of all accounts but the management account."""


class Organization(Service):
    """One organization, whose management account is none of those that it guards."""

    name: ClassVar[str] = "organizations"

    def start(self) -> None:
        """Found the organization and take the accounts in."""
        management = self.cloud.accounts["management"]
        backend: OrganizationsBackend = organizations_backends[management][_PARTITION]
        backend.create_organization(self.cloud.region, FeatureSet="ALL")
        root = backend.list_roots()["Roots"][0]["Id"]
        for kind in _CONTROL:
            backend.enable_policy_type(RootId=root, PolicyType=kind)
        unit = backend.create_organizational_unit(ParentId=root, Name=UNIT)["OrganizationalUnit"]["Id"]
        for name, account_id in self.cloud.accounts.items():
            if account_id != management:
                _take_in(backend, name, account_id, unit)

    def inventory(self) -> Sequence[str]:
        """Return the policies that callers made."""
        backend: OrganizationsBackend = organizations_backends[self.cloud.accounts["management"]][_PARTITION]
        return [policy.arn for policy in backend.policies if not policy.aws_managed]


def _take_in(backend: OrganizationsBackend, name: str, account_id: str, unit: str) -> None:
    made = backend.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
    account = backend.get_account_by_id(made)
    # Moto draws an account's id, and makes its administrators' role there.
    iam_backends.pop(made, None)
    organizations_backends.master_accounts[account_id] = organizations_backends.master_accounts.pop(made)
    account.id, account.parent_id = account_id, unit
