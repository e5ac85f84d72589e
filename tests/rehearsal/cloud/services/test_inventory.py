"""The inventory counts what callers made in services that moto's tagging does not list."""

from __future__ import annotations

import json
from uuid import uuid4

from rehearsal.cloud.server import LocalCloud


def test_a_zone_a_trail_and_a_table_count_until_they_are_deleted(cloud: LocalCloud) -> None:
    name = f"counted-{uuid4().hex[:12]}"
    before = _counted(cloud)
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    principal = {"Service": "cloudtrail.amazonaws.com"}
    admitted = {"Effect": "Allow", "Principal": principal, "Action": ["s3:GetBucketAcl", "s3:PutObject"]}
    statement = {**admitted, "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}
    cloud.client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": [statement]}))
    route53, trails = cloud.client("route53"), cloud.client("cloudtrail")
    dynamodb = cloud.client("dynamodb")
    zone_id = route53.create_hosted_zone(Name=f"{name}.example", CallerReference=name)["HostedZone"]["Id"]
    trail_arn = trails.create_trail(Name=name, S3BucketName=name)["TrailARN"]
    table_arn = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    made = {
        f"arn:aws:route53:::hostedzone/{zone_id.rpartition('/')[2]}",
        trail_arn,
        table_arn,
    }
    assert _counted(cloud) - before == made
    route53.delete_hosted_zone(Id=zone_id)
    trails.delete_trail(Name=name)
    dynamodb.delete_table(TableName=name)
    assert _counted(cloud) - before == set()


def _counted(cloud: LocalCloud) -> set[str]:
    inventory = cloud.inventory()
    return {*inventory["others"], *inventory["cloudtrail"], *inventory["dynamodb"]}
