"""Conditions, for the second implementation: with three answers: True, False, None (undocumented).

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
.../reference_policies_condition-single-vs-multi-valued-context-keys.html, .../reference_policies_variables.html
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any

Answer = bool | None
Pattern = list[tuple[str, bool]]  # a character, and whether it is a wildcard
Context = Mapping[str, Sequence[str]]

POSITIVE_OF = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def every(answers: Iterable[Answer]) -> Answer:
    """False if one is; else undocumented if one is."""
    listed = list(answers)
    return False if False in listed else (None if None in listed else True)


def some(answers: Iterable[Answer]) -> Answer:
    """True if one is; else undocumented if one is."""
    listed = list(answers)
    return True if True in listed else (None if None in listed else False)


def opposite(answer: Answer) -> Answer:
    """The negation, of which the undocumented has none."""
    return None if answer is None else not answer


def many(value: Any) -> list[Any]:
    """A JSON element that may be written alone or as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def text_of(value: Any) -> str:
    """A condition's JSON value as the text that is compared."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def filled_in(text: str, version: str, context: Context) -> Pattern | None:
    """The pattern with its variables' values; None when the request does not say one of them."""
    if version != "2012-10-17" or "${" not in text:
        return [(character, character in "*?") for character in text]
    before, rest = text.split("${", 1)
    name, after = rest.split("}", 1)
    name, comma, default = name.partition(",")
    values = context.get(name.strip().lower(), ())
    if name in ("*", "?", "$"):
        value = name
    elif len(values) == 1:
        value = values[0]
    elif not values and comma:
        value = default.strip().strip("'")
    else:
        return None
    remainder = filled_in(after, version, context)
    if remainder is None:
        return None
    return [(c, c in "*?") for c in before] + [(c, False) for c in value] + remainder


def like(pattern: Pattern, text: str) -> bool:
    """Whether the text has the pattern's form, by trying what each asterisk may stand for."""
    if not pattern:
        return not text
    character, wild = pattern[0]
    if wild and character == "*":
        return like(pattern[1:], text) or (text != "" and like(pattern, text[1:]))
    return text != "" and (wild or text[0] == character) and like(pattern[1:], text[1:])


def parts_of(pattern: Pattern) -> list[Pattern]:
    """The six parts of an ARN's pattern; of these only the last may hold colons."""
    parts: list[Pattern] = [[]]
    for piece in pattern:
        if piece[0] == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def arn_like(pattern: Pattern, text: str) -> Answer:
    """Each of the six components is checked separately; what is no ARN is not documented."""
    components = text.split(":", 5)
    parts = parts_of(pattern)
    if len(components) != 6 or len(parts) != 6:
        return None
    return all(like(part, component) for part, component in zip(parts, components, strict=True))


def moment(text: str) -> datetime | None:
    """A date in ISO 8601 or in seconds since 1970."""
    try:
        if text.isdigit() and len(text) != 4:
            return datetime.fromtimestamp(int(text), UTC)
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def number(text: str) -> Decimal | None:
    """A number, or None."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def ordered(relation: str, left: Any, right: Any) -> Answer:
    """The relation that ends a numeric or date operator's name."""
    if left is None or right is None:
        return None
    if relation == "Equals":
        return bool(left == right)
    if relation.startswith("LessThan"):
        return bool(left < right or (relation.endswith("Equals") and left == right))
    return bool(left > right or (relation.endswith("Equals") and left == right))


def matches(operator: str, pattern: Pattern, value: str) -> Answer:
    """One value of the policy against one value of the request, for an operator that is not negated."""
    plain = "".join(character for character, _ in pattern)
    if operator == "StringEquals":
        return plain == value
    if operator == "StringEqualsIgnoreCase":
        return plain.lower() == value.lower()
    if operator == "StringLike":
        return like(pattern, value)
    if operator in ("ArnLike", "ArnEquals"):
        return arn_like(pattern, value)
    if operator.startswith("Numeric"):
        return ordered(operator.removeprefix("Numeric"), number(value), number(plain))
    if operator.startswith("Date"):
        return ordered(operator.removeprefix("Date"), moment(value), moment(plain))
    if operator == "Bool":
        return plain == value if value in ("true", "false") else None
    if operator == "BinaryEquals":
        return base64.b64decode(plain) == base64.b64decode(value)
    if operator == "IpAddress":
        address, network = ip_address(value), ip_network(plain, strict=False)
        return address.version == network.version and address in network
    raise ValueError(f"no such operator: {operator}")


def compared(operator: str, patterns: list[Pattern | None], value: str) -> Answer:
    """One value of the request against all the policy's: any of them, or with a negated operator none."""
    positive = POSITIVE_OF.get(operator, operator)
    answer = some(None if pattern is None else matches(positive, pattern, value) for pattern in patterns)
    return answer if positive == operator else opposite(answer)


def without_key(operator: str, qualifier: str, if_exists: bool) -> Answer:
    """What a condition says of a request that lacks the key."""
    if qualifier == "ForAnyValue":
        return None if if_exists else False
    return if_exists or qualifier == "ForAllValues" or operator in POSITIVE_OF


def is_null(wanted: list[str], values: Sequence[str]) -> Answer:
    """Null: "true" wants the key absent, "false" present; whether an empty text is present is not documented."""
    if "" in values:
        return None
    return some((value == "true") == (not values) for value in wanted)


def condition_holds(written: str, key: str, wanted: list[str], version: str, context: Context) -> Answer:
    """One operator with one key."""
    qualifier, _, name = written.rpartition(":")
    operator, if_exists = name.removesuffix("IfExists"), name.endswith("IfExists")
    values = context.get(key.lower(), ())
    if operator == "Null":
        return is_null(wanted, values)
    if not values:
        return without_key(operator, qualifier, if_exists)
    patterns = [filled_in(text, version, context) for text in wanted]
    if qualifier:
        if list(values) == [""]:
            return qualifier == "ForAllValues"
        answers = [compared(operator, patterns, value) for value in values]
        return every(answers) if qualifier == "ForAllValues" else some(answers)
    answers = [compared(operator, patterns, value) for value in values]
    return answers[0] if len(set(answers)) == 1 else None


def conditions_hold(block: Mapping[str, Mapping[str, Any]], version: str, context: Context) -> Answer:
    """All operators and all their keys have to hold."""
    return every(
        condition_holds(operator, key, [text_of(value) for value in many(wanted)], version, context)
        for operator, keys in block.items()
        for key, wanted in keys.items()
    )
