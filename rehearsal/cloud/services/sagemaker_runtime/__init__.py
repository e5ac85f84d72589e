"""SageMaker's runtime: invocations routed to the model servers of an endpoint."""

from rehearsal.cloud.services.sagemaker_runtime.service import SageMakerRuntime

__all__ = ["SageMakerRuntime"]
