"""Steps about the vault: pin and sign, then try to undo it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from interlock.building.inputs import read_inputs
from interlock.building.pinning import Pinned, pin_submission
from interlock.clients import require_verified
from interlock.duties.duty import Role
from interlock.release.vault import StoredObject
from rehearsal.story.checking import written_inputs
from rehearsal.story.context import Context, PinnedRelease
from rehearsal.story.registration import tracking_credentials
from rehearsal.story.step import Seen, Unexpected

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def pin(context: Context) -> Seen:
    """Pin what was submitted as the builder, and the first once more, which must change nothing."""
    details: list[dict[str, Any]] = []
    for index in range(len(context.submissions)):
        pinned = pin_one(context, index)
        details.append(
            {
                "version": pinned.submission.request.version,
                "digest": pinned.digest,
                "files": len(pinned.fetched.manifest.files),
                "bytes": pinned.fetched.manifest.total_size,
                "signed_by": [pinned.locked.predicate.builder],
                "submitted_by": pinned.submission.submitter,
                "locked_until": pinned.lock.until.isoformat(),
            }
        )
    again = _pinned(context, 0)
    if again.locked.statement != context.pins[0].statement:
        raise Unexpected("pinning the same again to change nothing", f"{again.locked.statement}")
    digests = ", ".join(pinned.digest[:12] for pinned in context.pins)
    return Seen(
        f"releases {digests} opened by {details[0]['signed_by'][0]}, locked until {details[0]['locked_until'][:10]}",
        {"releases": details},
    )


def pin_one(context: Context, index: int) -> Pinned:
    """Pin one of the submissions, the next one, for the steps that follow."""
    pinned = _pinned(context, index)
    context.pins.append(PinnedRelease(pinned.digest, pinned.locked.files, pinned.locked.statement))
    return pinned


def _pinned(context: Context, index: int) -> Pinned:
    credentials = tracking_credentials(context, Role.BUILDER)
    return pin_submission(
        context.clients_of(Role.BUILDER),
        context.submissions[index],
        context.trust(Role.BUILDER),
        lambda: credentials,
        clock=lambda: datetime.now(UTC),
        progress=context.busy,
        data=read_inputs(written_inputs(context, index)).snapshots,
    )


def attack(context: Context) -> Seen:
    """Try what would change, hide or free a locked file; each attempt must be refused."""
    clients = context.clients
    target = context.pins[0].files[0]
    bucket = clients.manifest.vault.bucket_name
    answers = []
    for what, attempt in attempts(clients.s3, bucket, target).items():
        context.busy(what)
        answers.append({"attempt": what, "answer": answer_to(what, attempt)})
    for pinned in context.pins:
        require_verified(clients, pinned.digest)
    return Seen(
        f"{len(answers)} of {len(answers)} attempts refused; every release still verifies", {"attempts": answers}
    )


def answer_to(what: str, attempt: Callable[[], Any]) -> str:
    """Return the error with which AWS refused an attempt. Raises Unexpected if it did not."""
    try:
        answer = attempt()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if not 400 <= status < 500:
            raise Unexpected(f"AWS to refuse to {what}", f"status {status}: {code}: {message}") from error
        return f"{status} {code}: {message}"
    errors = answer.get("Errors") if isinstance(answer, dict) else None
    if errors:
        return f"{errors[0]['Code']}: {errors[0]['Message']}"
    raise Unexpected(f"AWS to refuse to {what}", f"it did: {answer}")


def attempts(s3: S3Client, bucket: str, target: StoredObject) -> dict[str, Callable[[], Any]]:
    """Return, by what they try, calls that would undo the lock on `target` if the vault let them."""
    key, version = target.key, target.version_id
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    def upload_in_parts() -> Any:
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"evil")
        parts: Any = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
        return s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)

    return {
        "delete the version": lambda: s3.delete_object(Bucket=bucket, Key=key, VersionId=version),
        "hide the object behind a delete marker": lambda: s3.delete_object(Bucket=bucket, Key=key),
        "delete in bulk": lambda: s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": version}]}
        ),
        "bypass governance": lambda: s3.delete_object(
            Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
        ),
        "overwrite the object": lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"evil"),
        "overwrite it on the condition that it is new": lambda: s3.put_object(
            Bucket=bucket, Key=key, Body=b"evil", IfNoneMatch="*"
        ),
        "overwrite it by a copy": lambda: s3.copy_object(
            Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, MetadataDirective="REPLACE"
        ),
        "overwrite it in parts": upload_in_parts,
        "shorten the lock": lambda: s3.put_object_retention(
            Bucket=bucket, Key=key, VersionId=version,
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": tomorrow},
        ),
        "weaken the lock to GOVERNANCE": lambda: s3.put_object_retention(
            Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": tomorrow + timedelta(days=3650)},
        ),
        "add an object with a lock of one day": lambda: s3.put_object(
            Bucket=bucket, Key=f"{key}.brief", Body=b"evil", IfNoneMatch="*",
            ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=tomorrow,
        ),
        "suspend versioning": lambda: s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
        ),
        "let a lifecycle rule expire it": lambda: s3.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration={
                "Rules": [{"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        ),
        "replace the bucket's policy": lambda: s3.put_bucket_policy(
            Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": []})
        ),
        "delete the bucket's policy": lambda: s3.delete_bucket_policy(Bucket=bucket),
        "delete the bucket": lambda: s3.delete_bucket(Bucket=bucket),
    }  # fmt: skip
