"""ECS: a task runs its images' entrypoints, a service keeps as many tasks running as it declares."""

from rehearsal.cloud.services.ecs.service import Ecs

__all__ = ["Ecs"]
