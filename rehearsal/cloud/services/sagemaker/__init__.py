"""SageMaker: models, endpoint configurations, and endpoints whose variants are model servers."""

from rehearsal.cloud.services.sagemaker.service import SageMaker

__all__ = ["SageMaker"]
