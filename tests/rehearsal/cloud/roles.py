"""Roles that the tests of the local cloud assume."""

from __future__ import annotations

import json
from typing import Any


def trusting(principal: str, **condition: Any) -> str:
    """Return a trust policy that lets an AWS principal in under a condition."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
