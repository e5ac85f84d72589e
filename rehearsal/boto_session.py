"""Sessions of boto3, of which a story needs some hundred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import boto3
from botocore.credentials import RefreshableCredentials
from botocore.loaders import create_loader
from botocore.session import get_session

_LOADER: Final = create_loader()
"""Reads what botocore knows of AWS: megabytes of JSON, which each session else reads anew."""


def boto_session(
    credentials: Mapping[str, str] | RefreshableCredentials | None = None, region_name: str | None = None
) -> boto3.Session:
    """Return a session of the environment's credentials, or of these, named as boto3's own arguments are."""
    inner = get_session()
    inner.register_component("data_loader", _LOADER)
    if isinstance(credentials, RefreshableCredentials):
        inner._credentials = credentials  # type: ignore[attr-defined]
        credentials = None
    return boto3.Session(botocore_session=inner, region_name=region_name, **(credentials or {}))
