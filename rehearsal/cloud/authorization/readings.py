"""That a request can be read in one way only: what is decided has to be what is done.

AWS's services look for an operation and its parameters where their protocol has them. Moto looks in other places, too,
so a request could say one thing to who decides and another to who does.
Source: https://smithy.io/2.0/aws/protocols/index.html
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from moto.core.model import OperationModel
from moto.core.request import Request

from rehearsal.cloud.listener import LARGEST_BODY, Environ

_SIGNATURE: Final = "x-amz-"
_SDKS_OWN: Final = "x-id"
"""What SDKs add to a URL that would not tell its operation; no service reads it."""


class Unreadable(Exception):
    """A request is none of its service's operations, or more than one; `code` is what AWS answers in `protocol`."""

    def __init__(self, protocol: str, code: str, message: str) -> None:
        super().__init__(message)
        self.protocol = protocol
        self.code = code


def demand_one_reading(request: Request, operation: OperationModel, protocol: str) -> None:
    """Raise ValueError if a request says anything twice, or where its protocol has no place for it."""
    said = [name for name in request.args if not name.lower().startswith(_SIGNATURE)]
    if protocol in ("query", "ec2"):
        if said and request.form:
            raise ValueError("parameters in the URL and in the body")
        written = request.form if request.form else request.args
        twice = [name for name, values in written.lists() if len(values) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is given twice")
        return
    known = {_SDKS_OWN, *_of_url(operation)} if protocol.startswith("rest") else set()
    foreign = [] if "*" in known else [name for name in said if name not in known]
    if foreign:
        raise ValueError(f"{operation.name} has no parameter {foreign[0]} in the URL")


def uncompress(environ: Environ) -> None:
    """Replace a compressed body by its content. Raises ValueError if it has none."""
    if environ.get("HTTP_CONTENT_ENCODING", "").lower() != "gzip":
        return
    try:
        with gzip.GzipFile(fileobj=environ["wsgi.input"]) as compressed:
            content = compressed.read(LARGEST_BODY)
    except (OSError, EOFError, zlib.error) as problem:
        raise ValueError("the body is not compressed as its header says") from problem
    del environ["HTTP_CONTENT_ENCODING"]
    environ |= {"wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content))}


def _of_url(operation: OperationModel) -> Iterator[str]:
    """Yield the names of an operation's parameters in the URL, `*` if it may be any name."""
    yield from (name for name, _ in parse_qsl(urlsplit(operation.http["requestUri"]).query, keep_blank_values=True))
    members: dict[str, Any] = operation.input_shape.members if operation.input_shape is not None else {}
    for name, shape in members.items():
        if shape.serialization.get("location") == "querystring":
            yield "*" if shape.type_name == "map" else str(shape.serialization.get("name", name))
