"""What the List operations have in common: filters, order and pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from rehearsal.cloud.services.sagemaker.scope import Answer, Request, Scope, refusal

_LARGEST_PAGE = 100


class Listed(Protocol):
    """What every record has that can be listed."""

    @property
    def name(self) -> str: ...

    @property
    def created(self) -> Any: ...


_Listed = TypeVar("_Listed", bound=Listed)


def list_models(scope: Scope, request: Request) -> Answer:
    """Return a page of models."""
    page, token = _page(scope.models.values(), request)
    summaries = [{"ModelName": m.name, "ModelArn": m.arn, "CreationTime": m.created} for m in page]
    return {"Models": summaries, "NextToken": token}


def list_endpoint_configs(scope: Scope, request: Request) -> Answer:
    """Return a page of endpoint configurations."""
    page, token = _page(scope.configurations.values(), request)
    summaries = [{"EndpointConfigName": c.name, "EndpointConfigArn": c.arn, "CreationTime": c.created} for c in page]
    return {"EndpointConfigs": summaries, "NextToken": token}


def list_endpoints(scope: Scope, request: Request) -> Answer:
    """Return a page of endpoints."""
    wanted = request.get("StatusEquals")
    found = [endpoint for endpoint in list(scope.endpoints.values()) if wanted in (None, endpoint.status)]
    if before := request.get("LastModifiedTimeBefore"):
        found = [endpoint for endpoint in found if endpoint.modified < before]
    if after := request.get("LastModifiedTimeAfter"):
        found = [endpoint for endpoint in found if endpoint.modified > after]
    order: dict[str, Callable[[Any], Any]] = {"Status": lambda endpoint: (endpoint.status, endpoint.name)}
    page, token = _page(found, request, order)
    summaries = [
        {
            "EndpointName": endpoint.name,
            "EndpointArn": endpoint.arn,
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
            "EndpointStatus": endpoint.status,
        }
        for endpoint in page
    ]
    return {"Endpoints": summaries, "NextToken": token}


def _page(
    records: Iterable[_Listed], request: Request, orders: dict[str, Callable[[Any], Any]] | None = None
) -> tuple[list[_Listed], str | None]:
    """Return the page that `request` asks for, newest first unless it says otherwise, and the next page's token."""
    found = list(records)
    if part := request.get("NameContains"):
        found = [record for record in found if part.lower() in record.name.lower()]
    if before := request.get("CreationTimeBefore"):
        found = [record for record in found if record.created < before]
    if after := request.get("CreationTimeAfter"):
        found = [record for record in found if record.created > after]
    order = {"Name": lambda record: record.name, **(orders or {})}.get(
        request.get("SortBy") or "CreationTime", lambda record: (record.created, record.name)
    )
    found.sort(key=order, reverse=(request.get("SortOrder") or "Descending") == "Descending")
    size = min(request.get("MaxResults") or 10, _LARGEST_PAGE)
    start = _offset(request.get("NextToken"))
    return found[start : start + size], _token(start + size) if start + size < len(found) else None


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset={offset}".encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("offset="))
    except (ValueError, binascii.Error):
        raise refusal("The NextToken provided is invalid.") from None
