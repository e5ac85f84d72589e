"""The staging labels of a secret's versions, and the plan of its next rotation, on moto's record of the secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rehearsal.cloud.services.secretsmanager_rotation import schedule

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"


def holder(secret: Any, stage: str) -> str | None:
    """Return the version that a staging label is attached to."""
    return next((version for version, known in secret.versions.items() if stage in known["version_stages"]), None)


def add_pending(secret: Any, token: str, now: datetime, value: dict[str, Any] | None = None) -> None:
    """Add the version that a rotation is to fill, without a value unless one is given."""
    for known in secret.versions.values():
        if PENDING in known["version_stages"]:
            known["version_stages"].remove(PENDING)
    secret.versions[token] = {
        "createdate": int(now.timestamp()),
        "version_id": token,
        "version_stages": [PENDING],
        **(value or {}),
    }


def value_of(secret: Any, version: str) -> dict[str, Any]:
    """Return what a version holds."""
    known = secret.versions[version]
    return {name: known[name] for name in ("secret_string", "secret_binary") if name in known}


def plan(secret: Any, now: datetime) -> None:
    """Note the window in which the secret rotates next."""
    window = schedule.next_window(getattr(secret, "rotation_rules", schedule.Rules()), now)
    secret.rotation_window_opens = window[0] if window else None
    secret.next_rotation_date = window[1].timestamp() if window else None
