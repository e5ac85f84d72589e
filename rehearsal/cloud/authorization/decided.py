"""What was decided about a request, for moto to do that and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from moto.core.responses import BaseResponse

from rehearsal.cloud.service import Patches

DECIDED: Final = "interlock.decided"
"""The key of a request's environment that its Decided lies under."""
_IN_BODY: Final = ("query", "ec2")


@dataclass(frozen=True)
class Decided:
    """The operation, its region, where its protocol has its parameters, and what the path says."""

    operation: str
    region: str
    protocol: str
    labels: Mapping[str, str]


def do_what_was_decided(patches: Patches) -> None:
    """Have moto's handlers read requests as they were read when they were decided."""
    action = patches.replace(BaseResponse, "_get_action", None)
    region = patches.replace(BaseResponse, "get_region_from_url", None)
    parameter = patches.replace(BaseResponse, "_get_param", None)
    set_up = patches.replace(BaseResponse, "setup_class", None)

    def setup_class(response: BaseResponse, *arguments: Any, **named: Any) -> None:
        set_up(response, *arguments, **named)
        decided = _decided(response)
        if decided is not None and decided.protocol not in _IN_BODY:
            # Moto takes the body, or else the headers, for parameters where the URL has none.
            response.querystring = response.data = parse_qs(response.parsed_url.query, keep_blank_values=True)

    def get_action(response: BaseResponse) -> Any:
        decided = _decided(response)
        if decided is None:
            return action(response)
        response.uri_match = dict(decided.labels)
        return decided.operation

    def get_param(response: BaseResponse, name: str, if_none: Any = None) -> Any:
        decided = _decided(response)
        if decided is not None and name in decided.labels and not response.automated_parameter_parsing:
            return decided.labels[name]
        return parameter(response, name, if_none)

    def get_region(response: BaseResponse, request: Any, full_url: str) -> Any:
        decided: Decided | None = request.environ.get(DECIDED)
        return decided.region if decided is not None else region(response, request, full_url)

    patches.replace(BaseResponse, "_get_action", get_action)
    patches.replace(BaseResponse, "get_region_from_url", get_region)
    patches.replace(BaseResponse, "_get_param", get_param)
    patches.replace(BaseResponse, "setup_class", setup_class)


def _decided(response: BaseResponse) -> Decided | None:
    request = getattr(response, "normalized_request", None)
    return request.environ.get(DECIDED) if request is not None else None
