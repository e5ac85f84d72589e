"""Which S3 operation a request is, and which permissions it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_BUCKET_SUBRESOURCES = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "logging": "BucketLogging",
    "metrics": "MetricsConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
"""Query parameter of a bucket's subresource: what its permissions are called, after Get or Put."""

_OWN_DELETE_PERMISSION = {"policy", "website"}
_OBJECT_SUBRESOURCES = {
    "acl": "Acl",
    "attributes": "Attributes",
    "legal-hold": "LegalHold",
    "retention": "Retention",
    "tagging": "Tagging",
    "torrent": "Torrent",
}
_VERSIONED_SUBRESOURCES = {"acl", "attributes", "tagging", "torrent"}

_HANDLED_OF_BUCKETS = {
    "GET": {*_BUCKET_SUBRESOURCES, "location", "uploads", "versions"}
    - {"analytics", "intelligent-tiering", "metrics"},
    "PUT": {*_BUCKET_SUBRESOURCES} - {"analytics", "intelligent-tiering", "metrics", "policyStatus"},
    "DELETE": {
        "cors", "encryption", "lifecycle", "ownershipControls", "policy", "publicAccessBlock", "replication",
        "tagging", "website",
    },
    "POST": {"delete"},
}  # fmt: skip
_HANDLED_OF_OBJECTS = {
    "GET": {*_OBJECT_SUBRESOURCES, "uploadId"} - {"torrent"},
    "PUT": {"acl", "legal-hold", "retention", "tagging", "uploadId"},
    "DELETE": {"tagging", "uploadId"},
    "POST": {"restore", "select", "uploadId", "uploads"},
}
_MAY_BE_EMPTY = {
    "continuation-token", "delimiter", "encoding-type", "key-marker", "marker", "prefix", "start-after",
    "upload-id-marker", "version-id-marker", "versionId",
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One S3 operation.

    `name` is the API's, `permissions` what the caller needs on the bucket or object (the source of a copy apart), and
    `creates_object` whether it ends with a new current version.
    """

    name: str
    permissions: tuple[str, ...]
    creates_object: bool = False


def subresources(query: Mapping[str, str], *, of_object: bool) -> list[str]:
    """Return the subresources that a request names: those known here, and any parameter without a value."""
    known = set().union(*(_HANDLED_OF_OBJECTS if of_object else _HANDLED_OF_BUCKETS).values())
    known |= set(_OBJECT_SUBRESOURCES if of_object else _BUCKET_SUBRESOURCES)
    return [name for name, value in query.items() if name in known or (value == "" and name not in _MAY_BE_EMPTY)]


def is_handled(subresource: str, method: str, *, of_object: bool) -> bool:
    """Say whether something here answers a request for a subresource; taken for one without, it would do harm."""
    return subresource in (_HANDLED_OF_OBJECTS if of_object else _HANDLED_OF_BUCKETS).get(method, set())


def bucket_operation(method: str, query: Mapping[str, str]) -> Operation:
    """Return the operation of a request for a bucket.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    for parameter, noun in _BUCKET_SUBRESOURCES.items():
        if parameter in query:
            return _bucket_subresource(method, parameter, noun)
    if method == "POST" and "delete" in query:
        return Operation("DeleteObjects", ())
    if method == "POST":
        return Operation("PostObject", ("s3:PutObject",), creates_object=True)
    if method == "PUT":
        return Operation("CreateBucket", ("s3:CreateBucket",))
    if method == "DELETE":
        return Operation("DeleteBucket", ("s3:DeleteBucket",))
    listings = {
        "versions": "ListBucketVersions",
        "uploads": "ListBucketMultipartUploads",
        "location": "GetBucketLocation",
    }
    for parameter, permission in listings.items():
        if parameter in query:
            return Operation(permission, (f"s3:{permission}",))
    return Operation("ListObjects", ("s3:ListBucket",))


def _bucket_subresource(method: str, parameter: str, noun: str) -> Operation:
    verb = {"PUT": "Put", "DELETE": "Delete"}.get(method, "Get")
    # Deleting a configuration takes the permission to put it, but for these two.
    permitted_as = "Put" if verb == "Delete" and parameter not in _OWN_DELETE_PERMISSION else verb
    return Operation(f"{verb}{noun}", (f"s3:{permitted_as}{noun}",))


def object_operation(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Operation:
    """Return the operation of a request for an object; `headers` has lower-case names.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    version = "Version" if query.get("versionId") else ""
    for parameter, noun in _OBJECT_SUBRESOURCES.items():
        if parameter in query:
            return _object_subresource(method, parameter, noun, version, headers)
    if method in ("GET", "HEAD"):
        if "uploadId" in query:
            return Operation("ListParts", ("s3:ListMultipartUploadParts",))
        return Operation("GetObject", (f"s3:GetObject{version}",))
    if method == "DELETE":
        if "uploadId" in query:
            return Operation("AbortMultipartUpload", ("s3:AbortMultipartUpload",))
        return Operation("DeleteObject", deletion_permissions(bool(version), _bypasses(headers)))
    if method == "POST":
        return _object_post(query, headers)
    if "uploadId" in query:
        return Operation("UploadPart", ("s3:PutObject",))
    name = "CopyObject" if "x-amz-copy-source" in headers else "PutObject"
    return Operation(name, _creation_permissions(headers), creates_object=True)


def deletion_permissions(of_version: bool, bypasses_governance: bool) -> tuple[str, ...]:
    """Return what deleting an object, or one version of it, takes."""
    permission = "s3:DeleteObjectVersion" if of_version else "s3:DeleteObject"
    return (permission, "s3:BypassGovernanceRetention") if bypasses_governance else (permission,)


def _object_subresource(method: str, parameter: str, noun: str, version: str, headers: Mapping[str, str]) -> Operation:
    verb = {"PUT": "Put", "DELETE": "Delete"}.get(method, "Get")
    of_version = version if parameter in _VERSIONED_SUBRESOURCES else ""
    permissions = [f"s3:{verb}Object{of_version}{noun}"]
    if parameter == "retention" and verb == "Put" and _bypasses(headers):
        permissions.append("s3:BypassGovernanceRetention")
    if parameter == "attributes":
        permissions.append(f"s3:GetObject{version}")
    return Operation(f"{verb}Object{noun}", tuple(permissions))


def _object_post(query: Mapping[str, str], headers: Mapping[str, str]) -> Operation:
    if "uploads" in query:
        return Operation("CreateMultipartUpload", _creation_permissions(headers))
    if "uploadId" in query:
        return Operation("CompleteMultipartUpload", ("s3:PutObject",), creates_object=True)
    if "restore" in query:
        return Operation("RestoreObject", ("s3:RestoreObject",))
    return Operation("SelectObjectContent", ("s3:GetObject",))


def _creation_permissions(headers: Mapping[str, str]) -> tuple[str, ...]:
    needed = ["s3:PutObject"]
    if "x-amz-object-lock-mode" in headers or "x-amz-object-lock-retain-until-date" in headers:
        needed.append("s3:PutObjectRetention")
    if "x-amz-object-lock-legal-hold" in headers:
        needed.append("s3:PutObjectLegalHold")
    if "x-amz-tagging" in headers:
        needed.append("s3:PutObjectTagging")
    if any(name == "x-amz-acl" or name.startswith("x-amz-grant-") for name in headers):
        needed.append("s3:PutObjectAcl")
    return tuple(needed)


def _bypasses(headers: Mapping[str, str]) -> bool:
    return headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
