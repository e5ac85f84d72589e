"""What an invocation counts in the namespace AWS/SageMaker (pure).

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html: errors are 1 or 0 for each
invocation, latencies are in microseconds, InvocationsPerInstance is 1 divided by the variant's instance count.
"""

from __future__ import annotations

from rehearsal.cloud.services.sagemaker_runtime.invocation import Measurement

NAMESPACE = "AWS/SageMaker"


def values(measurement: Measurement) -> list[tuple[str, float, str]]:
    """Return (metric name, value, unit) for each metric of an invocation."""
    status = measurement.status
    counted = [
        ("Invocations", 1.0, "None"),
        ("InvocationsPerInstance", 1.0 / max(1, measurement.variant.current_count), "None"),
        ("Invocation4XXErrors", float(400 <= status < 500), "None"),
        # No answer at all counts as a model error, but as no status.
        ("Invocation5XXErrors", float(status >= 500), "None"),
        ("InvocationModelErrors", float(not 200 <= status < 300), "None"),
        ("OverheadLatency", measurement.overhead_latency, "Microseconds"),
    ]
    if measurement.model_latency is not None:
        counted.append(("ModelLatency", measurement.model_latency, "Microseconds"))
    return counted
