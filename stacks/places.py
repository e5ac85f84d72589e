"""Places: a provider for each account and region that a stack's parts live in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pulumi
import pulumi_aws as aws

from interlock.settings.accounts import AccountSettings
from interlock.settings.model import Settings


@dataclass(frozen=True)
class Place:
    """One region of one account, and the only way to it."""

    account_id: str
    region: str
    _make: Callable[[], aws.Provider]

    @cached_property
    def provider(self) -> aws.Provider:
        """The provider, registered when first asked for: a layer needs no way into accounts that it leaves alone."""
        return self._make()

    def options(self, *, protect: bool | None = None) -> pulumi.ResourceOptions:
        """Return the options of what is made here."""
        return pulumi.ResourceOptions(providers=[self.provider], protect=protect)


@dataclass(frozen=True)
class Places:
    """Where the parts of one stack live; the same account and region is the same `Place`, with one provider.

    Every provider is pinned to its account: credentials of another one fail before anything is read or made.
    """

    workload: Place
    """The workload account in the primary region."""
    evidence: Place
    audit: Place
    workload_recovery: Place | None
    """The workload account in the recovery region, if the stack has one."""
    evidence_recovery: Place | None

    @classmethod
    def of(cls, settings: Settings, stack: str) -> Places:
        """Return the places that `settings` name."""
        made: dict[tuple[str, str], Place] = {}
        tags = settings.resource_tags(stack)
        workload = AccountSettings(account_id=settings.account_id, role_arn=settings.role_arn)
        evidence = settings.accounts.evidence or workload
        audit = settings.accounts.audit or workload

        def place(name: str, account: AccountSettings, region: str) -> Place:
            pair = (account.account_id, region)
            if pair not in made:
                made[pair] = Place(*pair, lambda: _provider(name, account, region, f"interlock-{stack}", tags))
            return made[pair]

        recovery = settings.recovery.region if settings.recovery else None
        return cls(
            workload=place("aws", workload, settings.region),
            evidence=place("aws-evidence", evidence, settings.region),
            audit=place("aws-audit", audit, settings.region),
            workload_recovery=place("aws-recovery", workload, recovery) if recovery else None,
            evidence_recovery=place("aws-evidence-recovery", evidence, recovery) if recovery else None,
        )

    @property
    def shared_with(self) -> list[str]:
        """Ids of the accounts that the evidence account shares keys, vault and images with."""
        return [self.workload.account_id] if self.workload.account_id != self.evidence.account_id else []


def _provider(name: str, account: AccountSettings, region: str, session: str, tags: dict[str, str]) -> aws.Provider:
    return aws.Provider(
        name,
        region=region,
        allowed_account_ids=[account.account_id],
        default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=account.role_arn, session_name=session)]
        if account.role_arn
        else None,
    )
