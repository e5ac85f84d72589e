"""Documents that others signed, read as they are written: what another reader could read otherwise is refused."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationInfo

DEEPEST: Final = 100
"""How deep a document may be nested: readers give up at different depths, and none of them before this one."""


def _integer(value: object) -> object:
    if type(value) is not int:
        raise ValueError("accepted is the integer 1")
    return value


VersionOne = Annotated[Literal[1], BeforeValidator(_integer)]
"""The number of a document's form; neither true nor 1.0 equals it."""

_CONTEXT: Final = object()
_Model = TypeVar("_Model", bound=BaseModel)


def parse_document(content: bytes) -> Any:
    """Return the JSON document in `content`.

    Raises ValueError for what readers of JSON take differently: a key that stands twice, NaN, large integers,
    lone surrogates, deep nests.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_exact,
        )
        if not fits_depth(document):
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (RecursionError, UnicodeError) as error:
        raise ValueError(f"it is no JSON that everybody reads alike: {error}") from None
    return document


def read_as(model: type[_Model], document: Any) -> _Model:
    """Return what a signed document says, none of its values converted: a number as text is no number.

    Raises ValueError (pydantic's ValidationError) with every fault.
    """
    written = json.dumps(document)
    return model.model_validate_json(written, strict=True, by_alias=True, by_name=False, context=_CONTEXT)


def is_signed(info: ValidationInfo) -> bool:
    """Say whether a value that is validated stands in a signed document."""
    return info.context is _CONTEXT


def fits_depth(document: Any) -> bool:
    """Say whether a document is nested at most `DEEPEST` deep."""
    level = [document]
    for _ in range(DEEPEST + 1):
        inside = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [value for values in inside for value in values if isinstance(value, dict | list)]
        if not level:
            return True
    return False


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _exact(text: str) -> int:
    # Longer ones are not even counted: to read them takes the square of their length.
    if len(text) > 17 or abs(int(text)) >= 2**53:
        raise ValueError("an integer of 2^53 or more is not exact for every reader")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is larger than any number of JSON's readers")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document
