"""What AWS would answer to a registration or a call, as far as a program reads it: ids, ARNs, addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-west-1"
RECOVERY_REGION = "eu-central-1"


def attributes_of(token: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the id and the computed outputs of a new resource of type `token`."""
    digits = hashlib.sha256(f"{token}{name}".encode()).hexdigest()[:17]
    kind = token.rpartition(":")[2]
    physical = inputs.get("name") or inputs.get("bucket") or f"{name}-{digits[:7]}"
    if kind in _IDENTIFIED:
        identifier = f"{_IDENTIFIED[kind]}-{digits}"
        return identifier, {
            "arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind.lower()}/{identifier}",
            "prefixListId": "pl-6da54004",
        }
    if kind == "Key":
        key_id = f"mrk-{digits}" if inputs.get("multiRegion") else digits
        return key_id, {"keyId": key_id, "arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"}
    if kind == "Bucket":
        return physical, {"bucket": physical, "arn": f"arn:aws:s3:::{physical}"}
    if kind == "ReplicaKey":
        replica_id = str(inputs["primaryKeyArn"]).rpartition("/")[2]
        return replica_id, {"keyId": replica_id, "arn": f"arn:aws:kms:{RECOVERY_REGION}:{ACCOUNT}:key/{replica_id}"}
    if kind == "Repository":
        host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
        return physical, {
            "name": physical,
            "arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{physical}",
            "repositoryUrl": f"{host}/{physical}",
        }
    if kind == "Secret":
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{physical}"
        return arn, {"arn": arn, "name": physical}
    if kind == "Instance":
        secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-{digits}"
        return physical, {
            "identifier": physical,
            "arn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{physical}",
            "address": f"{physical}.{REGION}.rds.amazonaws.com",
            "masterUserSecrets": [{"secretArn": secret}],
        }
    if kind == "BucketObjectv2":
        return inputs["key"], {"versionId": digits}
    if kind == "Eip":
        return f"eipalloc-{digits}", {"allocationId": f"eipalloc-{digits}"}
    if kind == "Table":
        return physical, {"name": physical, "arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{physical}"}
    if kind == "Topic":
        arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{physical}"
        return arn, {"arn": arn, "name": physical}
    if kind == "Role":
        return physical, {"name": physical, "arn": f"arn:aws:iam::{ACCOUNT}:role/{physical}"}
    if kind == "Cluster":
        return physical, {"name": physical, "arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{physical}"}
    if kind == "LogGroup":
        return physical, {"name": physical, "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{physical}"}
    service = token.split(":")[1].partition("/")[0]
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind.lower()}/{physical}"
    return arn if kind in ("LoadBalancer", "TargetGroup", "Listener") else physical, {
        "name": physical,
        "arn": arn,
        "arnSuffix": f"{'app' if kind == 'LoadBalancer' else 'targetgroup'}/{physical}/{digits[:16]}",
        "dnsName": f"internal-{physical}.{REGION}.elb.amazonaws.com",
    }


def answer_to_call(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a call of a provider's function answers."""
    answers: dict[str, dict[str, Any]] = {
        "aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "p" * 40},
        "aws:index/getCallerIdentity:getCallerIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/founder"},
        "aws:iam/getSessionContext:getSessionContext": {"issuerArn": args.get("arn")},
        "aws:acm/getCertificate:getCertificate": {"arn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1234abcd-12"},
    }
    return answers[token]


_IDENTIFIED = {
    "Vpc": "vpc",
    "Subnet": "subnet",
    "SecurityGroup": "sg",
    "RouteTable": "rtb",
    "VpcEndpoint": "vpce",
    "FlowLog": "fl",
    "InternetGateway": "igw",
    "NatGateway": "nat",
}
