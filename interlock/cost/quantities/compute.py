"""What runs: tasks, functions and endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from interlock.cost.plan import NotKnownError, Plan, Planned, is_unknown
from interlock.cost.quantities.charge import HOURS, Charge, Charges, Uncounted
from interlock.cost.usage import Usage

SERVICE: Final = "aws:ecs/service:Service"
TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
ENDPOINT: Final = "aws:sagemaker/endpoint:Endpoint"
ENDPOINT_CONFIGURATION: Final = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_CPU_UNITS: Final = Decimal(1024)
"""Of one vCPU, as MiB are of one GiB."""
_FREE_EPHEMERAL_GIB: Final = Decimal(20)
_NO_MEMORY_GIVEN_MIB: Final = 128


def service(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """Fargate by the tasks that are always there; what autoscaling adds is not counted."""
    definition = plan.source(resource, "taskDefinition", TASK_DEFINITION)
    if definition is None:
        raise NotKnownError("its task definition is not one of the stack")
    if resource.inputs.get("launchType") not in ("FARGATE", None):
        raise NotKnownError("it runs on instances, which are paid for themselves")
    count = resource.number("desiredCount", 1)
    yield from _tasks(definition, count * HOURS, f"{count} tasks")


def task_definition(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """Nothing by itself; one that no service keeps running is taken to run for the hours assumed."""
    if not plan.users(resource, SERVICE):
        yield from _tasks(resource, usage.task.hours, "tasks now and then", ("task.hours",))


def _tasks(definition: Planned, hours: Decimal, words: str, assumes: tuple[str, ...] = ()) -> Charges:
    platform = definition.inputs.get("runtimePlatform")
    architecture = platform.get("cpuArchitecture", "X86_64") if isinstance(platform, Mapping) else "X86_64"
    cpu = definition.number("cpu") / _CPU_UNITS
    memory = definition.number("memory") / _CPU_UNITS
    yield Charge(f"{words} of {cpu:f} vCPU", "fargate.vcpu", str(architecture), cpu * hours, assumes)
    yield Charge(f"{words} of {memory:f} GiB", "fargate.memory", str(architecture), memory * hours, assumes)
    storage = definition.inputs.get("ephemeralStorage")
    if isinstance(storage, Mapping) and Decimal(str(storage.get("sizeInGib", 0))) > _FREE_EPHEMERAL_GIB:
        yield Uncounted("ephemeral storage beyond 20 GiB", "no price is kept for it")


def function(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """Lambda by requests and by memory × time."""
    architectures = resource.inputs.get("architectures")
    kind = str(architectures[0]) if isinstance(architectures, Sequence) and architectures else "x86_64"
    gib = resource.number("memorySize", _NO_MEMORY_GIVEN_MIB) / _CPU_UNITS
    used = usage.function
    seconds = used.invocations * used.seconds * gib
    yield Charge("requests", "lambda.request", "each", used.invocations, ("function.invocations",))
    yield Charge(
        f"run time with {gib:f} GiB", "lambda.duration", kind, seconds, ("function.invocations", "function.seconds")
    )


def endpoint(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """SageMaker by each variant's first number of instances; what autoscaling adds is not counted."""
    configuration = plan.source(resource, "endpointConfigName", ENDPOINT_CONFIGURATION)
    if configuration is None:
        raise NotKnownError("its configuration is not one of the stack")
    variants: list[Mapping[str, Any]] = [
        *_variants(configuration, "productionVariants"),
        *_variants(configuration, "shadowProductionVariants"),
    ]
    if not variants:
        raise NotKnownError("its variants are not known before it is made")
    for variant in variants:
        yield _variant(variant)
    yield Charge(
        "requests and answers",
        "sagemaker.processing",
        "each",
        usage.endpoint.processed_gib,
        ("endpoint.processed_gib",),
    )


def _variants(configuration: Planned, key: str) -> list[Mapping[str, Any]]:
    given = configuration.inputs.get(key)
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    return [one for one in given if isinstance(one, Mapping)]


def _variant(variant: Mapping[str, Any]) -> Charge | Uncounted:
    name, kind = variant.get("variantName", "?"), variant.get("instanceType")
    count = variant.get("initialInstanceCount", 1)
    if not isinstance(kind, str) or is_unknown(kind) or not isinstance(count, int | float):
        return Uncounted(f"variant {name}", "its instances are not known before they are made")
    return Charge(f"variant {name}: {count:g} × {kind}", "sagemaker.instance", kind, Decimal(str(count)) * HOURS)
