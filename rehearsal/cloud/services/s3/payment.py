"""Who pays for requests to a bucket."""

from __future__ import annotations

from rehearsal.cloud.services.s3.errors import S3Error, malformed_xml
from rehearsal.cloud.services.s3.exchange import Answer, Exchange


def get(exchange: Exchange) -> Answer:
    """Answer GetBucketRequestPayment."""
    if exchange.bucket is None:
        raise S3Error("NoSuchBucket", "The specified bucket does not exist", 404)
    body = f"<Payer>{exchange.bucket.payer}</Payer>"
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return 200, {}, f'<RequestPaymentConfiguration xmlns="{namespace}">{body}</RequestPaymentConfiguration>'


def put(exchange: Exchange) -> Answer:
    """Answer PutBucketRequestPayment."""
    if exchange.bucket is None:
        raise S3Error("NoSuchBucket", "The specified bucket does not exist", 404)
    payer = exchange.xml("RequestPaymentConfiguration").get("Payer")
    if payer not in ("BucketOwner", "Requester"):
        raise malformed_xml()
    exchange.bucket.payer = payer
    return 200, {}, ""
