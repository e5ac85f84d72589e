"""DynamoDB: what conditional writes stand on, held to as AWS holds to it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any, ClassVar

from moto.core.responses import ActionResult
from moto.dynamodb.comparisons import (
    ConditionExpressionParser,
    FuncBetween,
    OpGreaterThan,
    OpGreaterThanOrEqual,
    OpLessThan,
    OpLessThanOrEqual,
)
from moto.dynamodb.exceptions import (
    AttributeDoesNotExist,
    DeletionProtectedException,
    DynamodbException,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    MockValidationException,
)
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Patches, Service, correction

_GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"
_API = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference"
_EXPRESSIONS = ("ConditionExpression", "UpdateExpression", "FilterExpression", "KeyConditionExpression")
_MOST_DIGITS = 38
_EXACT = Context(prec=400, Emax=999, Emin=-999)
_LARGEST, _SMALLEST = Decimal("1E126"), Decimal("1E-130")
_TOKEN_LIVES = timedelta(minutes=10)
_OF_THE_ITEM = (AttributeDoesNotExist, IncorrectDataType, InvalidUpdateExpressionInvalidDocumentPath)


class Database(Service):
    """Amazon DynamoDB."""

    name: ClassVar[str] = "dynamodb"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._tokens: dict[tuple[str, str, str], tuple[str, datetime]] = {}

    def inventory(self) -> Sequence[str]:
        """Return the tables."""
        return [table.table_arn for _, backend in visited(dynamodb_backends) for table in list(backend.tables.values())]

    @correction("dynamodb.comparisons", f"{_GUIDE}/Expressions.OperatorsAndFunctions.html")
    def compare_like_with_like(self, patches: Patches) -> None:
        """Values of two types are in no order, so that a comparison of them is false."""
        for comparison in (OpLessThan, OpLessThanOrEqual, OpGreaterThan, OpGreaterThanOrEqual):
            patches.replace(comparison, "expr", _of_one_type(comparison.expr, "lhs", "rhs"))
        patches.replace(FuncBetween, "expr", _of_one_type(FuncBetween.expr, "attr", "start", "end"))

    @correction("dynamodb.expressions", f"{_GUIDE}/Expressions.ExpressionAttributeValues.html")
    def check_expressions(self, patches: Patches) -> None:
        """A condition that cannot be read, and a value that no expression uses, are refused."""
        patches.replace(ConditionExpressionParser, "parse", _refusing_unreadable(ConditionExpressionParser.parse))
        patches.replace(DynamoHandler, "call_action", _before(DynamoHandler.call_action, _check_values_used))

    @correction("dynamodb.numbers", f"{_GUIDE}/HowItWorks.NamingRulesDataTypes.html")
    def keep_numbers(self, patches: Patches) -> None:
        """A number has 38 digits at most and no zeros around it, and a set holds each member once."""
        patches.replace(DynamoHandler, "call_action", _before(DynamoHandler.call_action, _normalise))

    @correction("dynamodb.transactions", f"{_API}/API_TransactWriteItems.html")
    def write_once_per_token(self, patches: Patches) -> None:
        """A transaction is written once for its token, and what is wrong with an item is a reason to cancel it."""
        write = patches.replace(DynamoHandler, "transact_write_items", None)
        update = DynamoDBBackend.update_item
        transact = DynamoDBBackend.transact_write_items
        service = self

        def transact_write_items(handler: DynamoHandler) -> Any:
            token = handler.body.get("ClientRequestToken")
            if token is None:
                return write(handler)
            known = (handler.current_account, handler.region, token)
            asked = hashlib.sha256(json.dumps(handler.body["TransactItems"], sort_keys=True).encode()).hexdigest()
            if service._was_written(known, asked):
                return ActionResult({})
            answer = write(handler)
            service._tokens[known] = (asked, service.cloud.now())
            return answer

        def of_transaction(backend: DynamoDBBackend, items: list[dict[str, Any]]) -> None:
            backend.is_in_transaction = True
            try:
                transact(backend, items)
            finally:
                backend.is_in_transaction = False

        def update_item(backend: DynamoDBBackend, *arguments: Any, **named: Any) -> Any:
            try:
                return update(backend, *arguments, **named)
            except _OF_THE_ITEM as problem:
                if getattr(backend, "is_in_transaction", False):
                    raise ValidationError(problem.exception_msg) from problem
                raise

        patches.replace(DynamoHandler, "transact_write_items", transact_write_items)
        patches.replace(DynamoDBBackend, "transact_write_items", of_transaction)
        patches.replace(DynamoDBBackend, "update_item", update_item)

    def _was_written(self, known: tuple[str, str, str], asked: str) -> bool:
        before, at = self._tokens.get(known, ("", None))
        if at is None or self.cloud.now() - at > _TOKEN_LIVES:
            return False
        if before != asked:
            raise DynamodbException(
                "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request.",
            )
        return True

    @correction("dynamodb.deletion-protection", f"{_GUIDE}/WorkingWithTables.Basics.html")
    def word_protection(self, patches: Patches) -> None:
        """A protected table says how it could be deleted."""
        message = (
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
        patches.replace(
            DeletionProtectedException, "__init__", lambda error, _: MockValidationException.__init__(error, message)
        )


class ValidationError(Exception):
    """What is wrong with one item of a transaction; moto takes the reason's code from this name."""


def number(text: str) -> str:
    """Return a number as DynamoDB keeps it. Raises its ValidationException for one that it cannot keep."""
    try:
        value = _EXACT.create_decimal(text).normalize(_EXACT)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise MockValidationException(f"The parameter cannot be converted to a numeric value: {text}")
    if len(value.as_tuple().digits) > _MOST_DIGITS:
        raise MockValidationException("Attempting to store more than 38 significant digits in a Number")
    if abs(value) >= _LARGEST:
        raise MockValidationException(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if value and abs(value) < _SMALLEST:
        raise MockValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    return format(value, "f") if value else "0"


def _of_one_type(original: Callable[[Any, Any], bool], *operands: str) -> Callable[[Any, Any], bool]:
    def expr(comparison: Any, item: Any) -> bool:
        types = {getattr(comparison, operand).get_type(item) for operand in operands}
        return len(types) == 1 and original(comparison, item)

    return expr


def _refusing_unreadable(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(parser: ConditionExpressionParser) -> Any:
        try:
            return original(parser)
        except KeyError as missing:
            name = str(missing.args[0])
            what = "value used in expression" if name.startswith(":") else "name used in the document path"
            kind = "value" if name.startswith(":") else "name"
            raise MockValidationException(
                f"Invalid ConditionExpression: An expression attribute {what} is not defined; attribute {kind}: {name}"
            ) from missing
        except ValueError as problem:
            raise MockValidationException("Invalid ConditionExpression: Syntax error") from problem

    return parse


def _before(original: Callable[[Any], Any], check: Callable[[Any], None]) -> Callable[[Any], Any]:
    def call_action(handler: DynamoHandler) -> Any:
        check(handler.params)
        return original(handler)

    return call_action


def _check_values_used(request: Any) -> None:
    for part in _parts(request):
        used = set(re.findall(r":\w+", " ".join(str(part.get(name) or "") for name in _EXPRESSIONS)))
        unused = sorted(set(part["ExpressionAttributeValues"]) - used)
        if unused:
            raise MockValidationException(
                f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{', '.join(unused)}}}"
            )


def _parts(request: Any) -> Iterator[dict[str, Any]]:
    """Yield the request, and each item of a transaction, that brings values for expressions."""
    operations = [request, *(part for item in request.get("TransactItems") or [] for part in item.values())]
    for operation in operations:
        if isinstance(operation, dict) and operation.get("ExpressionAttributeValues"):
            yield operation


def _normalise(value: Any) -> None:
    if isinstance(value, list):
        for member in value:
            _normalise(member)
    elif isinstance(value, dict):
        if len(value) == 1:
            _normalise_attribute(value)
        for member in value.values():
            _normalise(member)


def _normalise_attribute(attribute: dict[str, Any]) -> None:
    ((kind, held),) = attribute.items()
    if kind == "N" and isinstance(held, str):
        attribute["N"] = number(held)
    elif kind in ("NS", "SS", "BS") and isinstance(held, list):
        members = [number(member) for member in held] if kind == "NS" else held
        if len(set(members)) < len(members):
            shown = ", ".join(str(member) for member in held)
            raise MockValidationException(
                f"One or more parameter values were invalid: Input collection [{shown}] contains duplicates."
            )
        attribute[kind] = members
