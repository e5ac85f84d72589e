"""What one account reaches of another's in the local cloud, and from which region: nothing without its owner's word."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, WORKLOAD
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.refusals import refusal

DIGEST = b"d" * 32
SIGNING: dict[str, Any] = {"MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}


def allow(principal: str, *actions: str, resource: Any = "*", **condition: Any) -> str:
    """Return a resource policy with one statement."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]})


@pytest.fixture
def bucket(cloud: LocalCloud) -> str:
    """A bucket of the evidence account with an object `k`."""
    name = f"evidence-{uuid4().hex[:12]}"
    s3 = cloud.client("s3", account="evidence")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=name, Key="k", Body=b"evidence")
    return name


def open_bucket(cloud: LocalCloud, bucket: str, *actions: str, principal: str = WORKLOAD) -> None:
    """Have the bucket's owner allow actions to an account."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    cloud.client("s3", account="evidence").put_bucket_policy(
        Bucket=bucket, Policy=allow(principal, *actions, resource=resources)
    )


@pytest.mark.corrects("s3.bucket-policy")
def test_another_accounts_bucket_is_closed_until_its_policy_allows(cloud: LocalCloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    assert refusal(lambda: s3.get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    assert refusal(lambda: s3.put_object(Bucket=bucket, Key="n", Body=b"")) == "AccessDenied"
    open_bucket(cloud, bucket, "s3:GetObject", "s3:ListBucket")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"evidence"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    assert refusal(lambda: s3.put_object(Bucket=bucket, Key="n", Body=b"")) == "AccessDenied"


def test_a_bucket_opened_to_one_account_stays_closed_to_the_next(cloud: LocalCloud, bucket: str) -> None:
    open_bucket(cloud, bucket, "s3:*", principal=AUDIT)
    assert refusal(lambda: cloud.client("s3").get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    assert cloud.client("s3", account="audit").get_object(Bucket=bucket, Key="k")["Body"].read() == b"evidence"


def test_each_object_of_a_deletion_from_another_account_is_refused(cloud: LocalCloud, bucket: str) -> None:
    answer = cloud.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]


def test_what_another_account_puts_belongs_to_the_buckets_owner(cloud: LocalCloud, bucket: str) -> None:
    open_bucket(cloud, bucket, "s3:PutObject")
    cloud.client("s3").put_object(Bucket=bucket, Key="n", Body=b"new")
    owners = cloud.client("s3", account="evidence")
    assert owners.get_object(Bucket=bucket, Key="n")["Body"].read() == b"new"


def test_no_policy_opens_a_buckets_policy_to_another_account(cloud: LocalCloud, bucket: str) -> None:
    open_bucket(cloud, bucket, "s3:*")
    assert refusal(lambda: cloud.client("s3").get_bucket_policy(Bucket=bucket)) == "MethodNotAllowed"


def test_an_object_is_copied_from_one_account_to_another(cloud: LocalCloud, bucket: str) -> None:
    mine = f"workload-{uuid4().hex[:12]}"
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=mine, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    copy = partial(s3.copy_object, Bucket=mine, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert refusal(copy) == "AccessDenied"
    open_bucket(cloud, bucket, "s3:GetObject")
    copy()
    assert s3.get_object(Bucket=mine, Key="copy")["Body"].read() == b"evidence"


def test_a_name_taken_by_another_account_is_taken(cloud: LocalCloud, bucket: str) -> None:
    create = partial(
        cloud.client("s3").create_bucket,
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    assert refusal(create) == "BucketAlreadyExists"


def test_an_upload_meant_for_another_owner_is_refused(cloud: LocalCloud, bucket: str) -> None:
    open_bucket(cloud, bucket, "s3:PutObject")
    put = partial(cloud.client("s3").put_object, Bucket=bucket, Key="n", Body=b"")
    assert refusal(lambda: put(ExpectedBucketOwner=WORKLOAD)) == "AccessDenied"
    put(ExpectedBucketOwner=EVIDENCE)


def test_an_object_under_another_accounts_key_is_read_only_with_that_keys_word(cloud: LocalCloud) -> None:
    owners, kms = cloud.client("s3", account="evidence"), cloud.client("kms", account="evidence")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    name = f"sealed-{uuid4().hex[:12]}"
    owners.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    owners.put_object(Bucket=name, Key="k", Body=b"sealed", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    open_bucket(cloud, name, "s3:GetObject")
    read = partial(cloud.client("s3").get_object, Bucket=name, Key="k")
    assert refusal(read) == "AccessDenied"
    via = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=allow(WORKLOAD, "kms:Decrypt", StringEquals=via))
    assert read()["Body"].read() == b"sealed"


@pytest.fixture
def signing_key(cloud: LocalCloud) -> str:
    """The ARN of a signing key of the evidence account."""
    made = cloud.client("kms", account="evidence").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


@pytest.mark.corrects("kms.other-accounts")
def test_another_accounts_key_signs_once_its_policy_allows(cloud: LocalCloud, signing_key: str) -> None:
    kms, owners = cloud.client("kms"), cloud.client("kms", account="evidence")
    sign = partial(kms.sign, KeyId=signing_key, Message=DIGEST, **SIGNING)
    assert refusal(sign) == "AccessDeniedException"
    owners.put_key_policy(KeyId=signing_key, PolicyName="default", Policy=allow(WORKLOAD, "kms:Sign"))
    signed = sign()
    assert signed["KeyId"] == signing_key
    assert refusal(lambda: kms.get_public_key(KeyId=signing_key)) == "AccessDeniedException"
    assert len(signed["Signature"]) > 64


def test_no_policy_lets_another_account_manage_a_key(cloud: LocalCloud, signing_key: str) -> None:
    owners = cloud.client("kms", account="evidence")
    owners.put_key_policy(KeyId=signing_key, PolicyName="default", Policy=allow(WORKLOAD, "kms:*"))
    for operation in ("disable_key", "get_key_policy", "schedule_key_deletion"):
        assert refusal(lambda name=operation: getattr(cloud.client("kms"), name)(KeyId=signing_key)) == (  # type: ignore[misc]
            "AccessDeniedException"
        )


def test_a_condition_of_a_key_policy_holds(cloud: LocalCloud, signing_key: str) -> None:
    owners = cloud.client("kms", account="evidence")
    via = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    owners.put_key_policy(KeyId=signing_key, PolicyName="default", Policy=allow(WORKLOAD, "kms:*", StringEquals=via))
    sign = partial(cloud.client("kms").sign, KeyId=signing_key, Message=DIGEST, **SIGNING)
    assert refusal(sign) == "AccessDeniedException"


@pytest.mark.corrects("kms.other-accounts")
def test_a_key_is_never_used_from_another_region(cloud: LocalCloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    there = cloud.client("kms", region_name="eu-central-1")
    with pytest.raises(ClientError) as refused:
        there.encrypt(KeyId=key, Plaintext=b"secret")
    assert refused.value.response["Error"] == {"Code": "NotFoundException", "Message": "Invalid arn eu-west-1"}


@pytest.mark.corrects("kms.other-accounts")
def test_a_ciphertext_of_another_accounts_key_is_decrypted_without_naming_it(cloud: LocalCloud) -> None:
    owners = cloud.client("kms", account="evidence")
    key = owners.create_key(Policy=allow(WORKLOAD, "kms:Encrypt", "kms:Decrypt"))["KeyMetadata"]["Arn"]
    sealed = cloud.client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert cloud.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    decrypt = partial(cloud.client("kms", account="audit").decrypt, CiphertextBlob=sealed)
    assert refusal(decrypt) == "AccessDeniedException"


@pytest.mark.corrects("kms.other-accounts")
def test_a_grant_opens_a_key_to_its_grantee(cloud: LocalCloud, signing_key: str) -> None:
    administrator = cloud.client("sts").get_caller_identity()["Arn"]
    cloud.client("kms", account="evidence").create_grant(
        KeyId=signing_key, GranteePrincipal=administrator, Operations=["Sign"]
    )
    assert cloud.client("kms").sign(KeyId=signing_key, Message=DIGEST, **SIGNING)["KeyId"] == signing_key


@pytest.mark.corrects("secretsmanager.other-accounts")
def test_another_accounts_secret_is_read_once_its_policy_and_its_key_allow(cloud: LocalCloud) -> None:
    owners, kms = cloud.client("secretsmanager", account="evidence"), cloud.client("kms", account="evidence")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    secret = owners.create_secret(Name=f"shared-{uuid4().hex[:8]}", SecretString="s", KmsKeyId=key)["ARN"]
    read = partial(cloud.client("secretsmanager").get_secret_value, SecretId=secret)
    assert refusal(read) == "AccessDeniedException"
    owners.put_resource_policy(SecretId=secret, ResourcePolicy=allow(WORKLOAD, "secretsmanager:GetSecretValue"))
    assert read()["SecretString"] == "s"


@pytest.mark.corrects("secretsmanager.other-accounts")
def test_a_secret_under_awss_own_key_is_never_shared(cloud: LocalCloud) -> None:
    owners = cloud.client("secretsmanager", account="evidence")
    secret = owners.create_secret(Name=f"shared-{uuid4().hex[:8]}", SecretString="s")["ARN"]
    owners.put_resource_policy(SecretId=secret, ResourcePolicy=allow(WORKLOAD, "secretsmanager:GetSecretValue"))
    read = partial(cloud.client("secretsmanager").get_secret_value, SecretId=secret)
    assert refusal(read) == "InvalidRequestException"


def test_a_secrets_arn_does_not_reach_it_from_another_region(cloud: LocalCloud) -> None:
    secret = cloud.client("secretsmanager").create_secret(Name=f"here-{uuid4().hex[:8]}", SecretString="s")["ARN"]
    there = cloud.client("secretsmanager", region_name="eu-central-1")
    assert refusal(lambda: there.get_secret_value(SecretId=secret)) == "ResourceNotFoundException"


def test_a_parameter_of_another_account_is_not_taken_for_ones_own(cloud: LocalCloud) -> None:
    name = f"/places/{uuid4().hex[:8]}"
    cloud.client("ssm").put_parameter(Name=name, Value="mine", Type="String")
    cloud.client("ssm", account="evidence").put_parameter(Name=name, Value="theirs", Type="String")
    foreign = f"arn:aws:ssm:eu-west-1:{EVIDENCE}:parameter{name}"
    assert refusal(lambda: cloud.client("ssm").get_parameter(Name=foreign)) == "AccessDeniedException"
    own = f"arn:aws:ssm:eu-west-1:{WORKLOAD}:parameter{name}"
    assert cloud.client("ssm").get_parameter(Name=own)["Parameter"]["Value"] == "mine"
