"""Sizes that settings and components name alike."""

from __future__ import annotations

from enum import StrEnum


class ServerSize(StrEnum):
    """How much one task of the MLflow server gets."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
