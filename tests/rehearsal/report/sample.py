"""A report of a whole rehearsal and of a broken-off one, as `rehearsal.json` holds them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

BEGUN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

STACK: dict[str, Any] = {
    "stack": "local",
    "account_id": "123456789012",
    "accounts": {"workload": "123456789012", "evidence": "210987654321", "audit": "321098765432"},
    "region": "eu-west-1",
    "network": {"vpc_id": "vpc-0123456789abcdef0", "private_subnet_ids": ["subnet-1", "subnet-2"]},
    "vault": {"bucket_name": "interlock-local-vault-bucket-1a2b3c4", "retention_days": 30},
    "artifact_store": {"bucket_name": "interlock-local-artifacts-bucket-5d6e7f8"},
    "signing_keys": dict.fromkeys(["builder", "deployer", "responder", "observer", "log", "witness"]),
    "tracking": {
        "domain": "mlflow.interlock.example.com",
        "service": "interlock-local-mlflow",
        "database": {"identifier": "interlock-local-tracking"},
    },
    "endpoints": {
        "credit": {
            "endpoint_name": "interlock-local-credit",
            "variants": ["blue", "green"],
            "serving_template": {"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/serving:0.1.0"},
        }
    },
    "recovery": {
        "region": "eu-central-1",
        "vault": {"bucket_name": "interlock-local-vault-recovery-8f9a0b1", "retention_days": 30},
        "artifact_store": {"bucket_name": "interlock-local-artifacts-replica-2c3d4e5"},
        "database": {"identifier": "interlock-local-tracking-standby"},
        "endpoints": {"credit": {"endpoint_name": "interlock-local-credit"}},
    },
}


FOUNDATION_ROLE = "arn:aws:iam::123456789012:role/interlock/duties/interlock-local-foundation"


def step(name: str, start: float, seconds: float, summary: str, **details: Any) -> dict[str, Any]:
    return {
        "name": name,
        "after": [],
        "actors": [FOUNDATION_ROLE] if name.startswith("pulumi") else [],
        "outcome": "passed",
        "started_at": (BEGUN + timedelta(seconds=start)).isoformat(timespec="milliseconds"),
        "seconds": seconds,
        "summary": summary,
        "details": details,
        "problem": None,
    }


def phase(blue: float, total: int, green_count: int) -> dict[str, Any]:
    def share(name: str, expected: float, count: int) -> dict[str, Any]:
        spread = 3.29 * math.sqrt(total * expected * (1 - expected))
        low, high = round(total * expected - spread), round(total * expected + spread)
        return {
            "variant": name, "expected": expected, "count": count, "total": total, "low": low, "high": high,
            "inside": True,
        }  # fmt: skip

    weights = {"blue": blue, "green": 100 - blue}
    variants = {name: {"release": name[0] * 64, "weight": weight, "instances": 1} for name, weight in weights.items()}
    return {
        "weights": weights,
        "requests_per_second": 131.4,
        "state": {"configuration": "c", "variants": variants},
        "shares": [
            share("blue", blue / 100, total - green_count),
            share("green", 1 - blue / 100, green_count),
        ],
    }


def pairs(count: int = 498) -> list[list[float]]:
    values = [(math.sin(index * 12.9898) * 43758.5453) % 1 for index in range(count)]
    return [[value**0.25, value**0.25] for value in values]


def resource(kind: str, seconds: float, start: float = 0.0) -> dict[str, Any]:
    return {"type": kind, "name": "n", "op": "create", "start": start, "seconds": seconds}


def passed() -> dict[str, Any]:
    resources = [resource("aws:kms/key:Key", 3.2) for _ in range(8)] + [
        resource("aws:rds/instance:Instance", 91.0),
        resource("aws:lb/loadBalancer:LoadBalancer", 61.5),
        resource("aws:s3/bucket:Bucket", 1.2),
        resource("aws:ecs/service:Service", 14.0),
        resource("aws:sagemaker/endpoint:Endpoint", 31.0),
    ]
    latencies = [
        {"variant": variant, "percent": percent, "requests": 2300, "model_ms": model, "client_ms": model + 2.6,
         "agrees": True}
        for variant, percent, model in (
            ("blue", 50, 6.1), ("blue", 90, 8.0), ("blue", 99, 14.2),
            ("green", 50, 9.4), ("green", 90, 12.9), ("green", 99, 19.8),
        )
    ]  # fmt: skip
    remaining = [{"type": "aws:s3/bucket:Bucket", "id": "interlock-local-vault-bucket-1a2b3c4"}]
    locked = [{"key": "releases/" + "b" * 64 + "/files/MLmodel", "until": "2026-12-21T12:02:40+00:00"}]
    comparison = {"largest_difference": 1.1e-16, "pairs": pairs()}
    return {
        "schema_version": 1,
        "outcome": "passed",
        "started_at": BEGUN.isoformat(timespec="milliseconds"),
        "seconds": 268.4,
        "tools": {"python": "3.11.7", "pulumi": "3.259.0", "mlflow": "3.17.2"},
        "stack": STACK,
        "steps": [
            step("start the local cloud", 0.1, 6.2, "AWS answers at http://127.0.0.1:4566"),
            step("train the candidates", 0.1, 4.0, "logistic regression: AUC 0.890; constrained regression: AUC 0.829"),
            step("pulumi up", 6.3, 121.0, "74 AWS resources", resources=resources),
            step("prove the duties", 6.3, 30.0, "18 claims hold", certificate="c" * 64, documents=125, assumptions=20,
                 claims=[{"name": "traffic", "sentence": "Only deployer, responder and break-glass move traffic."}]),
            step("terraform apply, infra/audit", 6.3, 55.0, "trails write",
                 audit={"trail_arns": [], "trail_bucket": "the-trail-bucket"}),
            step("pulumi refresh", 127.4, 14.1, "no change found"),
            step("log and register", 127.4, 13.0, "credit/1, 2"),
            step("pin and sign", 140.5, 3.9, "signed", releases=[
                {"version": "1", "digest": "b" * 64, "files": 5, "bytes": 12345, "signed_by": ["builder"],
                 "locked_until": "2026-12-21T12:02:40+00:00"}]),
            step("record what was measured", 150.0, 2.0, "15 statements more", ledger={
                "origin": "example/eu-west-1-1", "size": 15, "root": "d" * 64, "appended": ["releases/a"], "unfit": [],
                "witnessed_at": "2026-11-22T12:02:42+00:00"}),
            step("refuse the first candidate", 152.0, 1.0, "nothing to approve", refusals=[
                {"what": "approver-1 approves bbbbbbbbbbbb", "reasons": ["disparate_impact of race=black is 0.762"]}]),
            step("approve the champion", 152.0, 3.0, "two approved", acts=[
                {"person": "approver-2", "did": "approved", "release": "c" * 64, "statement": "approvals/c",
                 "expires_at": "2026-12-06T12:02:42+00:00", "locked_until": "2033-11-22T12:02:42+00:00"}]),
            step("find what changed in the registry", 155.0, 3.0, "found", findings=[
                {"release": "c" * 64, "version": "credit/2", "statement": "findings/c", "changes": [
                    {"kind": "files-overwritten", "what": "files", "before": "c" * 64, "after": "e" * 64,
                     "details": ["requirements.txt was added"]}]}]),
            step("read the passports", 158.0, 3.0, "2 passports", passports=[
                {"release": "b" * 64, "title": "logistic regression", "page": "passport-first-candidate.html",
                 "verifies": False, "reasons": ["the gate fairness failed"], "gates": {"fairness": "failed"}},
                {"release": "c" * 64, "title": "constrained regression", "page": "passport-champion.html",
                 "verifies": True, "reasons": [], "gates": {"fairness": "passed", "lineage": "passed"}}]),
            step("take the record home", 161.0, 3.0, "holds offline", audited={
                "release": "c" * 64, "bundle": "audit-champion.zip", "files": 40,
                "held": {"checks": [{"what": "the root", "result": "1 version"}], "unknown": ["who was shown it"]},
                "spoiled": {"reasons": [{"code": "object-altered", "text": "model.skops holds other bytes"}]}}),
            step("read from the standby", 144.0, 2.4, "the standby in eu-central-1 has credit",
                 standing_by="the database's standby", region="eu-central-1"),
            step("attack the vault", 144.5, 1.2, "14 of 14 attempts refused", attempts=[
                {"attempt": "delete the version", "answer": "403 AccessDenied: explicit deny"}]),
            step("attempt a breach", 144.5, 3.0, "1 of 1 refused", breaches=[
                {"duty": "approver", "who": "approver-1", "tried": "sign with approver-2's key",
                 "answer": "AccessDeniedException: not authorized to perform: kms:Sign"}]),
            step("everybody does their work", 147.0, 2.0, "1 task done", work=[
                {"duty": "auditor", "who": "auditor-1", "did": "read a lock"}]),
            step("compare rights with their use", 149.0, 1.0, "2 rights of 1 role", reviewed="2026-11-22", rights=[
                {"role": "auditor", "action": "kms:GetPublicKey", "on": ["arn:aws:kms:*"], "used": 3, "because": None},
                {"role": "auditor", "action": "s3:GetObject", "on": ["a", "b", "c", "d"], "used": 0,
                 "because": "people read by key"}]),
            step("deploy as blue", 144.5, 7.4, "in service", variant="blue", state={"variants": {}}),
            step("compare every answer of blue", 152.0, 6.0, "498 of 498", model="logistic regression", **comparison),
            step("compare every answer of green", 160.0, 6.0, "498 of 498", model="constrained", **comparison),
            step("shift to 95/5", 166.0, 17.0, "95/5", phases=[phase(95, 2000, 108)]),
            step("shift the rest", 183.0, 8.0, "25, 100", phases=[phase(75, 400, 91), phase(0, 400, 400)]),
            step("what CloudWatch counted", 191.0, 2.0, "the same", counts={"blue": 3211, "green": 585},
                 latencies=latencies),
            step("destroy", 193.0, 75.0, "all gone but the vault", remaining=remaining, locked=locked),
        ],
    }  # fmt: skip


def broken_off() -> dict[str, Any]:
    report = passed()
    report["outcome"], report["stack"] = "failed", None
    for one in report["steps"][3:]:
        one.update(outcome="not run", started_at=None, seconds=None, summary="", details={})
    report["steps"][2].update(
        outcome="failed",
        summary="",
        details={},
        problem={
            "expected": "pulumi up to end with 0",
            "seen": "255\nerror: <script>alert('x')</script> & more",
            "logs": ["/tmp/session/logs/up.log"],
        },
    )
    return report
