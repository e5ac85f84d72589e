"""Signs with a key in KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import outside
from interlock.failures import OutsideFailure
from interlock.release.digests import Sha256
from interlock.release.signing import EcdsaSignature, PublicKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSigner:
    """Signs digests with one asymmetric key (ECC_NIST_P256); believes no signature that it has not verified."""

    def __init__(self, kms: KMSClient, key_arn: str) -> None:
        self._kms = kms
        self.key_id = key_arn
        self._public_key: PublicKey | None = None

    def sign(self, digest: Sha256) -> EcdsaSignature:
        """Return the key's signature over `digest`. Raises OutsideFailure, also if what came back does not verify."""
        try:
            answer = self._kms.sign(
                KeyId=self.key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
            )
        except (ClientError, BotoCoreError) as error:
            raise outside(f"sign with {self.key_id}", error) from error
        signature = EcdsaSignature(answer["Signature"])
        if not self.public_key().verifies(digest, signature):
            raise OutsideFailure(f"KMS returned a signature that {self.key_id}'s public key does not verify")
        return signature

    def public_key(self) -> PublicKey:
        """Return the public half of the key. Raises OutsideFailure."""
        if self._public_key is None:
            self._public_key = fetch_public_key(self._kms, self.key_id)
        return self._public_key


def fetch_public_key(kms: KMSClient, key_arn: str) -> PublicKey:
    """Return the public half of a signing key. Raises OutsideFailure if KMS has none on P-256 to give."""
    try:
        return PublicKey.from_der(kms.get_public_key(KeyId=key_arn)["PublicKey"])
    except (ClientError, BotoCoreError) as error:
        raise outside(f"read the public key of {key_arn}", error) from error
    except ValueError as error:
        raise OutsideFailure(f"{key_arn} is no signing key of ours: {error}") from error
