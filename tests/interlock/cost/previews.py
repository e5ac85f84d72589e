"""Previews as the engine prints them, small enough to work out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STACK = "urn:pulumi:prod::interlock::pulumi:pulumi:Stack::interlock-prod"
PROVIDER = "urn:pulumi:prod::interlock::pulumi:providers:aws::aws"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::interlock::{kind}::{name}"


def component(kind: str, name: str, parent: str = STACK) -> dict[str, Any]:
    return step(kind, name, {}, parent=parent, custom=False)


def step(
    kind: str,
    name: str,
    inputs: Mapping[str, Any],
    *,
    parent: str = STACK,
    region: str | None = "eu-west-1",
    needs: Mapping[str, Sequence[str]] | None = None,
    op: str = "create",
    custom: bool = True,
) -> dict[str, Any]:
    state = {
        "urn": urn(kind, name),
        "type": kind,
        "custom": custom,
        "inputs": {**inputs, **({"region": region} if region and custom else {})},
        "parent": parent,
        "provider": f"{PROVIDER}::{UNKNOWN}" if custom else "",
        "propertyDependencies": dict(needs or {}),
    }
    return {"op": op, "urn": state["urn"], "newState": None if op.startswith("delete") else state}


def preview(*steps: Mapping[str, Any], same: int | None = None) -> dict[str, Any]:
    """Return a preview of stack prod with its provider, in eu-central-1, and some steps."""
    stack = {"op": "create", "urn": STACK, "newState": {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False}}
    provider = {
        "op": "create",
        "urn": PROVIDER,
        "newState": {
            "urn": PROVIDER,
            "type": "pulumi:providers:aws",
            "custom": True,
            "inputs": {"region": "eu-central-1"},
            "parent": STACK,
        },
    }
    return {
        "config": {"interlock:environment": "prod"},
        "steps": [stack, provider, *steps],
        "changeSummary": {"same": sum(one["op"] == "same" for one in steps) if same is None else same},
    }


def service(count: int, cpu: int = 1024, memory: int = 2048) -> list[dict[str, Any]]:
    """Return a Fargate service and its task definition, which the preview links by what it depends on."""
    definition = "aws:ecs/taskDefinition:TaskDefinition"
    return [
        step(definition, "task", {"cpu": str(cpu), "memory": str(memory)}),
        step(
            "aws:ecs/service:Service",
            "service",
            {"desiredCount": count, "taskDefinition": UNKNOWN, "launchType": "FARGATE"},
            needs={"taskDefinition": [urn(definition, "task")]},
        ),
    ]


def endpoint(count: int, instance_type: str = "ml.m5.large") -> list[dict[str, Any]]:
    """Return an endpoint of two variants."""
    configuration = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    variants = [
        {"variantName": name, "instanceType": instance_type, "initialInstanceCount": count}
        for name in ("blue", "green")
    ]
    return [
        step(configuration, "configuration", {"productionVariants": variants}),
        step(
            "aws:sagemaker/endpoint:Endpoint",
            "endpoint",
            {"endpointConfigName": UNKNOWN},
            needs={"endpointConfigName": [urn(configuration, "configuration")]},
        ),
    ]


def database(**changed: Any) -> dict[str, Any]:
    inputs = {
        "engine": "postgres",
        "instanceClass": "db.m7g.large",
        "allocatedStorage": 100,
        "storageType": "gp3",
        "multiAz": False,
        "backupRetentionPeriod": 35,
    }
    return step("aws:rds/instance:Instance", "database", {**inputs, **changed})


def keys(count: int) -> list[dict[str, Any]]:
    return [step("aws:kms/key:Key", f"key-{number}", {}) for number in range(count)]
