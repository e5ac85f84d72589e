"""The clients of one provisioned stack, made when first used, and the steps that need several of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.caller import session_name
from interlock.aws.endpoint import EndpointClient
from interlock.aws.erasing import S3Eraser
from interlock.aws.errors import outside
from interlock.aws.invocation import InvocationClient
from interlock.aws.kms import KmsSigner, fetch_public_key
from interlock.aws.vault import S3StagingWriter, S3VaultReader, S3VaultWriter
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.manifest import FoundationManifest, StackManifest
from interlock.manifest_parts import EndpointPart
from interlock.mlflow.registry import Credentials, ModelReference, Registry
from interlock.release.digests import is_hex_digest
from interlock.release.image import SERVING
from interlock.release.manifest import UnfitFolder
from interlock.release.pinning import Pin, pin
from interlock.release.signing import PublicKey
from interlock.release.trust.document import TrustRoot
from interlock.release.vault import Overwritten
from interlock.release.verification.stored import Verification, verify_release
from interlock.serving_images import SignedImages

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

INVOCATION_TIMEOUT_SECONDS = 65
"""A model has 60 s to answer: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""


def _quiet(_: str) -> None:
    return None


class FoundationClients:
    """What acts on the vault, the keys and the images of a stack, with the caller's own credentials."""

    def __init__(self, foundation: FoundationManifest, session: boto3.Session | None = None) -> None:
        self.foundation = foundation
        self._session = session or boto3.Session(region_name=foundation.region)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3")

    @cached_property
    def kms(self) -> KMSClient:
        return self._session.client("kms")

    def ecr(self, region: str) -> ECRClient:
        """Return a client of the image registry in `region`."""
        return self._session.client("ecr", region_name=region)

    @cached_property
    def vault_reader(self) -> S3VaultReader:
        return S3VaultReader(self.s3, self.foundation.vault.bucket_name)

    @cached_property
    def vault_writer(self) -> S3VaultWriter:
        return S3VaultWriter(self.s3, self.foundation.vault.bucket_name)

    @cached_property
    def staging_reader(self) -> S3VaultReader:
        return S3VaultReader(self.s3, self.foundation.vault.staging_bucket_name)

    @cached_property
    def staging_writer(self) -> S3StagingWriter:
        return S3StagingWriter(self.s3, self.foundation.vault.staging_bucket_name)

    @cached_property
    def staging_eraser(self) -> S3Eraser:
        return S3Eraser(self.s3, self.foundation.vault.staging_bucket_name)

    def session_name(self) -> str:
        """Return the name that the caller's session bears. Raises Refusal for a caller without a role."""
        return session_name(self._session.client("sts"))

    def signer(self, duty: SigningDuty) -> KmsSigner:
        """Return what signs as `duty`; KMS decides whether the caller may."""
        return KmsSigner(self.kms, self.foundation.signing_keys[duty].key_arn)

    def public_keys(self, *duties: SigningDuty) -> Mapping[str, PublicKey]:
        """Return the public keys of `duties` by the duty's name. Raises OutsideFailure."""
        return {duty.value: fetch_public_key(self.kms, self.foundation.signing_keys[duty].key_arn) for duty in duties}


class StackClients(FoundationClients):
    """What acts on the stack that `manifest` describes, with the caller's own credentials."""

    def __init__(self, manifest: StackManifest, session: boto3.Session | None = None) -> None:
        super().__init__(manifest.foundation, session)
        self.manifest = manifest

    def s3_in(self, region: str | None) -> S3Client:
        """Return a client of S3 in `region`, the stack's primary one unless given."""
        return self._session.client("s3", region_name=region)

    def ecs(self, region: str | None = None) -> ECSClient:
        """Return a client of ECS in `region`, the stack's primary one unless given."""
        return self._session.client("ecs", region_name=region)

    def logs(self, region: str | None = None) -> CloudWatchLogsClient:
        """Return a client of CloudWatch Logs in `region`, the stack's primary one unless given."""
        return self._session.client("logs", region_name=region)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        return self._session.client("secretsmanager")

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self._session.client("sagemaker")

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self._session.client("cloudwatch")

    @cached_property
    def runtime(self) -> SageMakerRuntimeClient:
        # No retries: an invocation that was repeated unseen would be counted twice.
        once = Config(
            read_timeout=INVOCATION_TIMEOUT_SECONDS, retries={"total_max_attempts": 1}, max_pool_connections=32
        )
        return self._session.client("sagemaker-runtime", config=once)

    def tracking_credentials(self, secret: str | None = None) -> Credentials:
        """Return the credentials that a secret holds, MLflow's administrator's unless given. Raises OutsideFailure."""
        arn = secret or self.manifest.tracking.admin_secret_arn
        try:
            document = json.loads(self.secrets.get_secret_value(SecretId=arn)["SecretString"])
            return Credentials(document["username"], document["password"])
        except (ClientError, BotoCoreError) as error:
            raise outside(f"read the secret {arn}", error) from error
        except (ValueError, KeyError, TypeError):
            # Not chained: the error's text would hold what the secret holds.
            raise OutsideFailure(f"the secret {arn} does not hold a username and a password as JSON") from None

    def registry(self, credentials: Credentials | None = None) -> Registry:
        """Return the stack's MLflow server."""
        return Registry(self.manifest.tracking.uri, credentials)

    def endpoint_part(self, name: str | None) -> EndpointPart:
        """Return the endpoint `name` of the stack, which may be left out where there is one only. Raises BadInput."""
        known = self.manifest.endpoints
        if name is None and len(known) == 1:
            return next(iter(known.values()))
        if name is None or name not in known:
            raise BadInput(f"endpoint: received {name!r}; accepted is one of {', '.join(sorted(known)) or 'none'}")
        return known[name]

    def endpoint(
        self, name: str | None, root: TrustRoot | None = None, *, progress: Callable[[str], None] = _quiet
    ) -> EndpointClient:
        """Return what moves the endpoint `name`; by `root` it tells which earlier images of the template go on."""
        part, repository = self.endpoint_part(name), self.foundation.images.get(SERVING)
        signed = SignedImages(self.vault_reader, root, repository.url) if root and repository else None
        return EndpointClient(self.sagemaker, self.manifest.stack, part, earlier_images=signed, progress=progress)

    def invocation(self, name: str | None) -> InvocationClient:
        """Return what invokes the endpoint `name`."""
        return InvocationClient(self.runtime, self.endpoint_part(name).endpoint_name)


def pin_model_version(
    clients: StackClients,
    reference: ModelReference,
    credentials: Credentials | None = None,
    *,
    progress: Callable[[str], None] = _quiet,
) -> tuple[Pin, Verification]:
    """Download a registered model's bytes, put them into the vault, sign for them, and verify what lies there.

    Raises Refusal for bytes that cannot be a release or do not verify, and whatever registry, vault and KMS raise.
    """
    registry = clients.registry(credentials)
    progress(f"look up {reference}")
    source = registry.resolve(reference)
    with tempfile.TemporaryDirectory(prefix="interlock-pin-") as scratch:
        progress(f"download {source.logged_model_id}")
        folder = registry.download(source, Path(scratch) / "files")
        try:
            pinned = pin(
                folder,
                source,
                writer=clients.vault_writer,
                reader=clients.vault_reader,
                signer=clients.signer(SigningDuty.BUILDER),
                progress=lambda path: progress(f"store {path}"),
            )
        except UnfitFolder as error:
            raise Refusal(f"{reference} cannot be a release", reasons=error.problems) from error
        except Overwritten as error:
            raise Refusal(f"{reference} was not pinned", reasons=[str(error)]) from error
    progress(f"verify {pinned.digest}")
    return pinned, require_verified(clients, pinned.digest)


def verify_pinned(clients: StackClients, digest: str, keys: Mapping[str, PublicKey] | None = None) -> Verification:
    """Verify a release in the stack's vault with the builder's key, or with `keys`. Raises BadInput, OutsideFailure."""
    if not is_hex_digest(digest):
        raise BadInput(f"digest: received {digest!r}; accepted are 64 hexadecimal digits (0-9, a-f)")
    return verify_release(digest, clients.vault_reader, keys or clients.public_keys(SigningDuty.BUILDER))


def require_verified(clients: StackClients, digest: str, keys: Mapping[str, PublicKey] | None = None) -> Verification:
    """Return the verification of a release that verifies. Raises Refusal, with the reasons, for any other."""
    verification = verify_pinned(clients, digest, keys)
    if not verification.verifies:
        raise Refusal(f"the release {digest} does not verify", reasons=[str(one) for one in verification.reasons])
    return verification
