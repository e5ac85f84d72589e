"""Numbers as signed documents hold them: decimal text, because canonical JSON knows neither NaN nor large integers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

_MOST_DIGITS: Final = 100
_LARGEST_EXPONENT: Final = 400


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("accepted is a number, as text such as '0.8'")
    try:
        # The shortest text that reads back as the same float, and not its binary expansion.
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        raise ValueError("accepted is a number, as text such as '0.8'") from None
    if not number.is_finite():
        raise ValueError("accepted is a finite number")
    if abs(number.adjusted()) > _LARGEST_EXPONENT or len(number.as_tuple().digits) > _MOST_DIGITS:
        # Written out, a few characters could fill the memory.
        raise ValueError(f"accepted is a number of at most {_MOST_DIGITS} digits, up to 1e{_LARGEST_EXPONENT}")
    return number


def decimal_text(number: Decimal) -> str:
    """Return a number as plain decimal digits, without an exponent and without trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(decimal_text, return_type=str)]
"""A finite number: a decimal in memory, its plain digits as text in a document."""
