"""DynamoDB in the local cloud: conditions, numbers, transactions and protection as AWS has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.dynamodb import number


class Table:
    """A table with the key `pk`."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        self.name = f"state-{uuid4().hex[:12]}"
        dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, key: str = "a", **options: Any) -> None:
        item = {"pk": {"S": key}, **options.pop("attributes", {})}
        self.dynamodb.put_item(TableName=self.name, Item=item, **options)

    def get(self, key: str = "a") -> dict[str, Any]:
        found: dict[str, Any] = self.dynamodb.get_item(TableName=self.name, Key={"pk": {"S": key}}).get("Item", {})
        return found

    def update(self, expression: str, values: dict[str, Any], key: str = "a", **options: Any) -> None:
        self.dynamodb.update_item(
            TableName=self.name,
            Key={"pk": {"S": key}},
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
            **options,
        )

    def written(self, key: str, **options: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self.name, "Item": {"pk": {"S": key}}, **options}}


@pytest.fixture
def table(cloud: LocalCloud) -> Iterator[Table]:
    dynamodb = cloud.client("dynamodb")
    made = Table(dynamodb)
    yield made
    dynamodb.update_table(TableName=made.name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=made.name)


def _error(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_a_lease_is_taken_once_and_moves_by_its_version(table: Table) -> None:
    absent = "attribute_not_exists(pk)"
    table.put(attributes={"version": {"N": "1"}}, ConditionExpression=absent)
    assert _error(lambda: table.put(ConditionExpression=absent))[0] == "ConditionalCheckFailedException"

    def step() -> None:
        values = {":one": {"N": "1"}, ":seen": {"N": "1"}}
        table.update("SET version = version + :one", values, ConditionExpression="version = :seen")

    step()
    assert _error(step)[0] == "ConditionalCheckFailedException"
    assert table.get()["version"] == {"N": "2"}


@pytest.mark.corrects("dynamodb.comparisons")
def test_values_of_two_types_do_not_compare(cloud: LocalCloud, table: Table) -> None:
    table.put(attributes={"version": {"N": "1"}})
    values = {":other": {"S": "9"}}
    for condition in ("version < :other", "version BETWEEN :other AND :other"):
        code, _ = _error(lambda holds=condition: table.update("SET x = :other", values, ConditionExpression=holds))  # type: ignore[misc]
        assert code == "ConditionalCheckFailedException"


@pytest.mark.corrects("dynamodb.expressions")
def test_a_condition_that_cannot_be_read_is_refused(cloud: LocalCloud, table: Table) -> None:
    values = {":one": {"N": "1"}}
    assert _error(lambda: table.update("SET v = :one", values, ConditionExpression="v = :absent")) == (
        "ValidationException",
        "Invalid ConditionExpression: An expression attribute value used in expression is not defined; "
        "attribute value: :absent",
    )
    code, message = _error(lambda: table.update("SET v = :one", values, ConditionExpression="v = = :one"))
    assert (code, message.split(";")[0]) == ("ValidationException", "Invalid ConditionExpression: Syntax error")
    unused: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeValues": values}
    assert _error(lambda: table.put(**unused)) == (
        "ValidationException",
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:one}",
    )


@pytest.mark.corrects("dynamodb.numbers")
def test_a_number_is_kept_without_needless_zeros_and_a_set_without_repetition(cloud: LocalCloud, table: Table) -> None:
    table.put(attributes={"share": {"N": "007.10"}, "steps": {"NS": ["1", "2.0"]}})
    assert table.get()["share"] == {"N": "7.1"}
    assert sorted(table.get()["steps"]["NS"]) == ["1", "2"]
    assert "38 significant digits" in _error(lambda: table.put(attributes={"share": {"N": "1" * 39}}))[1]
    assert "contains duplicates" in _error(lambda: table.put(attributes={"steps": {"SS": ["a", "a"]}}))[1]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=7))
def test_a_kept_number_has_the_same_value_and_is_kept_as_it_is(value: Decimal) -> None:
    kept = number(str(value))
    assert Decimal(kept) == value
    assert number(kept) == kept
    assert "E" not in kept


@pytest.mark.corrects("dynamodb.transactions")
def test_a_transaction_with_the_same_token_is_written_once(cloud: LocalCloud, table: Table) -> None:
    token = uuid4().hex
    once = [table.written("one", ConditionExpression="attribute_not_exists(pk)")]
    for _ in range(2):
        table.dynamodb.transact_write_items(TransactItems=once, ClientRequestToken=token)
    other = [table.written("two")]
    code, _ = _error(lambda: table.dynamodb.transact_write_items(TransactItems=other, ClientRequestToken=token))
    assert code == "IdempotentParameterMismatchException"
    assert table.get("two") == {}


@pytest.mark.corrects("dynamodb.transactions")
def test_a_cancelled_transaction_names_each_reason_and_leaves_nothing(cloud: LocalCloud, table: Table) -> None:
    table.put()
    wrong = {
        "Update": {
            "TableName": table.name,
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "SET absent = absent + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    with pytest.raises(ClientError) as refused:
        table.dynamodb.transact_write_items(TransactItems=[table.written("b"), wrong])
    response: dict[str, Any] = dict(refused.value.response)
    assert [reason["Code"] for reason in response["CancellationReasons"]] == ["None", "ValidationError"]
    assert table.get("b") == {}


@pytest.mark.corrects("dynamodb.deletion-protection")
def test_a_protected_table_is_not_deleted(cloud: LocalCloud, table: Table) -> None:
    table.dynamodb.update_table(TableName=table.name, DeletionProtectionEnabled=True)
    assert _error(lambda: table.dynamodb.delete_table(TableName=table.name)) == (
        "ValidationException",
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    )
    assert cloud.inventory()["dynamodb"]
