from __future__ import annotations

import pytest

from interlock.failures import Refusal
from interlock.teardown import VAULT_TYPE, Resource, Waiting, demand_unprotected, kept_for_locks


def test_the_vaults_bucket_and_guards_are_kept_and_its_staging_bucket_is_not() -> None:
    vault = Resource("urn:vault", VAULT_TYPE, "", custom=False, parent="urn:stack")
    staging = Resource("urn:staging", "interlock:storage:PrivateBucket", "", custom=False, parent=vault.urn)
    bucket = Resource("urn:bucket", "aws:s3/bucket:Bucket", "b", custom=True, parent=vault.urn)
    policy = Resource("urn:policy", "aws:s3/bucketPolicy:BucketPolicy", "b", custom=True, parent=vault.urn)
    inner = Resource("urn:inner", "aws:s3/bucket:Bucket", "s", custom=True, parent=staging.urn)
    other = Resource("urn:other", "aws:s3/bucket:Bucket", "o", custom=True, parent="urn:stack")
    assert kept_for_locks([vault, staging, bucket, policy, inner, other]) == ["urn:bucket", "urn:policy"]


def test_a_stack_of_which_something_is_protected_is_not_begun_with() -> None:
    component = Resource("urn:x::database", "interlock:x:Database", "", custom=False, parent="", protected=True)
    free = Resource("urn:x::alarm", "aws:cloudwatch/metricAlarm:MetricAlarm", "a", custom=True, parent="")
    demand_unprotected("prod", [component, free])
    kept = Resource("urn:x::postgres", "aws:rds/instance:Instance", "p", custom=True, parent="", protected=True)
    with pytest.raises(Refusal) as refused:
        demand_unprotected("prod", [component, free, kept])
    assert refused.value.reasons == ("protected  aws:rds/instance:Instance  postgres",)
    assert "pulumi state unprotect --all --stack prod" in str(refused.value.next_step)


def test_a_destruction_says_what_it_waits_for_and_not_what_has_gone_already() -> None:
    waiting = Waiting()
    assert waiting.after("Destroying (local):\n") == "Destroying (local):"
    assert waiting.after(" -  aws:rds:Instance database deleting (0s) ") == "waiting for database"
    assert waiting.after(" -  aws:kms:Key key deleting (0s) ") == "waiting for database, key"
    assert waiting.after(" -  aws:kms:Key key deleted (0.65s) ") == "waiting for database"
    assert waiting.after(" -  aws:rds:Instance database **deleting failed** error: in use") != "waiting for database"
