"""Errors as AWS answers them, raised inside moto's handlers, which put them in the caller's protocol."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


def json_error(code: str, message: str, status: int = 400) -> Exception:
    """Return the exception that a service speaking JSON answers as `code`."""
    error = JsonRESTError(code, message)
    error.code = status
    known: Exception = error
    return known


def constraint_error(name: str, value: object, constraint: str) -> Exception:
    """Return AWS's ValidationException for one parameter outside its model's bounds."""
    shown = f" '{value}'" if isinstance(value, str | int) else ""
    return json_error(
        "ValidationException",
        f"1 validation error detected: Value{shown} at '{name}' failed to satisfy constraint: {constraint}",
    )
