"""Refusals in CloudWatch's words."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class Refusal(ServiceException):  # type: ignore[misc]
    """An error that CloudWatch answers; of our own, because moto looks up its shape by where the class is defined."""


def validation_error(message: str) -> Refusal:
    """Return the error for a request that is malformed as a whole."""
    return Refusal("ValidationError", message)


def invalid_value(message: str) -> Refusal:
    """Return the error for a parameter whose value is not accepted."""
    return Refusal("InvalidParameterValue", message)


def invalid_combination(message: str) -> Refusal:
    """Return the error for parameters that exclude or need each other."""
    return Refusal("InvalidParameterCombination", message)


def missing(message: str) -> Refusal:
    """Return the error for a parameter that has to be given."""
    return Refusal("MissingParameter", message)


def not_found(message: str) -> Refusal:
    """Return the error for something that does not exist."""
    return Refusal("ResourceNotFound", message)
