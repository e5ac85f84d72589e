"""S3's errors, with the status that AWS answers them with."""

from __future__ import annotations

from moto.s3.exceptions import S3ClientError

LOCKED = "Access Denied because object protected by object lock."


class S3Error(S3ClientError):  # type: ignore[misc]
    """An S3 error; `status` is the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message)
        self.status = status


def access_denied(message: str = "Access Denied") -> S3Error:
    """Return the error of who may not."""
    return S3Error("AccessDenied", message, 403)


def invalid_argument(message: str) -> S3Error:
    """Return the error of a value that S3 does not take."""
    return S3Error("InvalidArgument", message, 400)


def malformed_xml() -> S3Error:
    """Return the error of a body that S3 cannot read."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return S3Error("MalformedXML", message, 400)
