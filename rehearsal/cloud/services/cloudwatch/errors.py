"""Refusals in CloudWatch's words."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


def validation_error(message: str) -> ServiceException:
    """Return the error for a request that is malformed as a whole."""
    return ServiceException("ValidationError", message)


def invalid_value(message: str) -> ServiceException:
    """Return the error for a parameter whose value is not accepted."""
    return ServiceException("InvalidParameterValue", message)


def invalid_combination(message: str) -> ServiceException:
    """Return the error for parameters that exclude or need each other."""
    return ServiceException("InvalidParameterCombination", message)


def missing(message: str) -> ServiceException:
    """Return the error for a parameter that has to be given."""
    return ServiceException("MissingParameter", message)


def not_found(message: str) -> ServiceException:
    """Return the error for something that does not exist."""
    return ServiceException("ResourceNotFound", message)
