"""Numbers as signed documents hold them: decimal text, because canonical JSON knows neither NaN nor large integers."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

from interlock.release.signed_documents import is_signed

_MOST_DIGITS: Final = 100
_LARGEST_EXPONENT: Final = 400
_PLAIN: Final = re.compile(r"-?[0-9]{1,500}(\.[0-9]{1,500})?")
"""What others write stays short enough to be read before it is counted."""


def _decimal(value: object, info: ValidationInfo) -> Decimal:
    if is_signed(info) and not (isinstance(value, str) and _PLAIN.fullmatch(value)):
        raise ValueError("accepted is a number as plain decimal text, such as '0.8'")
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("accepted is a number, as text such as '0.8'")
    try:
        # The shortest text that reads back as the same float, and not its binary expansion.
        number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        raise ValueError("accepted is a number, as text such as '0.8'") from None
    if not number.is_finite():
        raise ValueError("accepted is a finite number")
    if not number:
        return Decimal(0)
    if not _is_short(number):
        # Written out, a few characters could fill the memory.
        raise ValueError(f"accepted is a number of at most {_MOST_DIGITS} digits, up to 1e{_LARGEST_EXPONENT}")
    return number


def _is_short(number: Decimal) -> bool:
    """Say so of the value, however many zeros its text has: what was written out must read back."""
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return abs(number.adjusted()) <= _LARGEST_EXPONENT and len(digits) <= _MOST_DIGITS


def decimal_text(number: Decimal) -> str:
    """Return a number as plain decimal digits, without an exponent and without trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


Number = Annotated[Decimal, BeforeValidator(_decimal), PlainSerializer(decimal_text, return_type=str)]
"""A finite number: a decimal in memory, its plain digits as text in a document."""
