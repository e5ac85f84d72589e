"""Who alone reads the platform's secrets and writes its live state, by names that are known before anything exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.mlflow_server import running_role
from components.mlflow_users import DUTIES
from components.runner import starting_role
from interlock.duties.duty import Role
from interlock.duties.landscape import ROLE_PATH
from interlock.duties.secrets import RECOVERY_RUNNER, RUNNER, STATE_WRITERS, TRACKING
from interlock.settings.model import Settings

_IN_ACCOUNT = "arn:aws:iam::{}:role" + ROLE_PATH + "interlock-{}-{}"


@dataclass(frozen=True)
class Guards:
    """The roles that a stack's tables and secrets are for."""

    account_id: str
    stack: str
    administrators: pulumi.Output[list[str]]
    """Who keeps the workload account's keys, and the role of the duty `platform`."""
    secret_readers: list[str]

    def duty_role_arns(self) -> Mapping[str, str]:
        """Return by duty the roles that use MLflow."""
        return {duty: self._role(Role(duty)) for duty in DUTIES}

    def state_writers(self) -> list[str]:
        """Return the roles that keep live state."""
        return [self._role(one) for one in STATE_WRITERS]

    def user_secret_readers(self) -> list[str]:
        """Return what logs in to the databases: MLflow's servers, and the runners of both regions."""
        runners = [starting_role(self.account_id, name) for name in (RUNNER, RECOVERY_RUNNER)]
        return [running_role(self.account_id, TRACKING), *runners]

    def _role(self, role: Role) -> str:
        return _IN_ACCOUNT.format(self.account_id, self.stack, role.value)


def guards_of(settings: Settings, stack: str, account_id: str, administrators: pulumi.Output[list[str]]) -> Guards:
    """Return the guards of a platform; `administrators` are those of the account's keys."""
    platform = _IN_ACCOUNT.format(account_id, stack, Role.PLATFORM.value)
    keeping = administrators.apply(lambda known: sorted({*known, platform}))
    readers = settings.tracking.secret_readers if settings.tracking else []
    return Guards(account_id, stack, keeping, list(readers))
