"""Asks an endpoint for predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.failures import BadInput, OutsideFailure

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered, and which variant did."""

    body: bytes
    content_type: str
    variant: str

    def predictions(self) -> list[Any]:
        """Return the answer's predictions, one a row. Raises OutsideFailure if there are none in it."""
        try:
            document = json.loads(self.body)
            predictions = document["predictions"]
        except (ValueError, KeyError, TypeError) as error:
            raise OutsideFailure(
                f"the variant {self.variant} answered without predictions: {self.body[:200]!r}"
            ) from error
        if not isinstance(predictions, list):
            raise OutsideFailure(
                f"the variant {self.variant} answered predictions that are no list: {self.body[:200]!r}"
            )
        return predictions


class InvocationClient:
    """Invokes one endpoint."""

    def __init__(self, runtime: SageMakerRuntimeClient, endpoint_name: str) -> None:
        self._runtime = runtime
        self.endpoint_name = endpoint_name

    def invoke(self, body: bytes, *, content_type: str = JSON, variant: str | None = None) -> Answer:
        """Send `body` to the endpoint; `variant` overrides the weights.

        Raises BadInput if the model refused the body, OutsideFailure if nobody answered it.
        """
        choice: dict[str, Any] = {"TargetVariant": variant} if variant else {}
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self.endpoint_name, ContentType=content_type, Accept=JSON, Body=body, **choice
            )
            content = answer["Body"].read()
        except ClientError as error:
            status = error.response.get("OriginalStatusCode")
            if error_code(error) == "ModelError" and isinstance(status, int) and 400 <= status < 500:
                said = error.response.get("OriginalMessage", "")
                raise BadInput(f"the model refused the request with status {status}: {said}") from error
            raise outside(f"invoke {self.endpoint_name}", error) from error
        except BotoCoreError as error:
            raise outside(f"invoke {self.endpoint_name}", error) from error
        return Answer(content, answer["ContentType"], answer["InvokedProductionVariant"])

    def predict(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, variant: str | None = None
    ) -> Answer:
        """Ask for one prediction a row, each with a value for every one of `columns` (None where it is missing)."""
        document: Mapping[str, Any] = {
            "dataframe_split": {"columns": list(columns), "data": [list(row) for row in rows]}
        }
        return self.invoke(json.dumps(document, allow_nan=False).encode(), variant=variant)
