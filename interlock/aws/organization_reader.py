"""Reads the organization's policies above an account, where its own account or a delegated administrator asks.

Source: AWS Organizations API Reference, ListParents, ListPoliciesForTarget, DescribePolicy, DescribeOrganization.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.duties.organization import Controls, levels
from interlock.duties.world import NamedDocument

KEPT_FROM_US: Final = frozenset(
    {
        "AccessDeniedException", "AccessDenied", "AWSOrganizationsNotInUseException",
        # Of an account that is in no organization of the caller's.
        "AccountNotFoundException", "ChildNotFoundException", "TargetNotFoundException",
    }
)  # fmt: skip
SCP: Final = "SERVICE_CONTROL_POLICY"
RCP: Final = "RESOURCE_CONTROL_POLICY"


class OrganizationReader:
    """Reads policies with the credentials of one account."""

    def __init__(self, organizations: Any) -> None:
        self._organizations = organizations

    def management_account(self) -> str | None:
        """Return the id of the organization's own account, None where these credentials may not ask.

        Raises OutsideFailure.
        """
        try:
            found: str = self._organizations.describe_organization()["Organization"]["MasterAccountId"]
        except ClientError as error:
            if error_code(error) in KEPT_FROM_US:
                return None
            raise outside("ask which account is the organization's own", error) from error
        except BotoCoreError as error:
            raise outside("ask which account is the organization's own", error) from error
        return found

    def read(self, account_id: str) -> Controls | None:
        """Return the policies above an account, None where these credentials may not ask. Raises OutsideFailure."""
        try:
            organization = self._organizations.describe_organization()["Organization"]
            nodes = [account_id, *self._above(account_id)][::-1]
            return Controls(
                scps=levels([list(self._policies(node, SCP)) for node in nodes]),
                rcps=levels([list(self._policies(node, RCP)) for node in nodes]),
                organization_id=organization["Id"],
                is_management=organization["MasterAccountId"] == account_id,
            )
        except ClientError as error:
            if error_code(error) in KEPT_FROM_US:
                return None
            raise outside(f"read the organization's policies above {account_id}", error) from error
        except BotoCoreError as error:
            raise outside(f"read the organization's policies above {account_id}", error) from error

    def _above(self, child: str) -> Iterator[str]:
        while child:
            parents = self._organizations.list_parents(ChildId=child)["Parents"]
            child = parents[0]["Id"] if parents else ""
            if child:
                yield child
            if child.startswith("r-"):
                return

    def _policies(self, target: str, kind: str) -> Iterator[NamedDocument]:
        for one in _pages(self._organizations.list_policies_for_target, "Policies", TargetId=target, Filter=kind):
            found = self._organizations.describe_policy(PolicyId=one["Id"])["Policy"]
            yield NamedDocument(name=one["Name"], document=json.loads(found["Content"]))


def _pages(ask: Callable[..., Any], key: str, **named: str) -> Iterator[Any]:
    answer = ask(**named)
    yield from answer[key]
    while answer.get("NextToken"):
        answer = ask(**named, NextToken=answer["NextToken"])
        yield from answer[key]
