"""CloudWatch in place of moto's, which cannot compute percentiles or expressions and never looks at an alarm."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.cloudwatch import operations, publishing
from rehearsal.cloud.services.cloudwatch.statistics import Sample
from rehearsal.cloud.services.cloudwatch.store import STANDARD_RESOLUTION, MetricId, MetricStore, Stored

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_REFERENCE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference"
Operation = Callable[[MetricStore, dict[str, Any], datetime], dict[str, Any]]


class CloudWatch(Service):
    """The metrics of every account and region."""

    name: ClassVar[str] = "cloudwatch"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._stores: dict[tuple[str, str], MetricStore] = {}
        self._lock = threading.Lock()

    def store(self, account_id: str, region: str) -> MetricStore:
        """Return the metrics of one account in one region."""
        with self._lock:
            return self._stores.setdefault((account_id, region), MetricStore())

    def record(
        self,
        account_id: str,
        region: str,
        namespace: str,
        dimensions: Sequence[tuple[str, str]],
        values: Sequence[tuple[str, float, str]],
        resolution: int = STANDARD_RESOLUTION,
    ) -> None:
        """Publish what a service of AWS measured now: (metric name, value, unit) each, in the same dimensions."""
        store, now = self.store(account_id, region), self.cloud.now().timestamp()
        same = frozenset(dimensions)
        for name, value, unit in values:
            store.add(MetricId(namespace, name, same), now, [Stored(Sample(value), unit)], resolution)

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of alarms and dashboards; metrics cannot be deleted and do not count."""
        found: list[str] = []
        for account_id, backend in cloudwatch_backends.items():
            for region in list(backend):
                here = cloudwatch_backends[account_id][region]
                found += [alarm.alarm_arn for alarm in here.alarms.values()]
                found += [dashboard.arn for dashboard in here.dashboards.values()]
        return found

    @correction("cloudwatch.put-metric-data", f"{_REFERENCE}/API_PutMetricData.html")
    def _put_metric_data(self, patches: Patches) -> None:
        self._provide(patches, "put_metric_data", operations.put_metric_data)
        service = self

        def put_metric_data(backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
            # Moto's own services publish by this method.
            publishing.put(
                service.store(backend.account_id, backend.region_name), namespace, metric_data, service.cloud.now()
            )

        patches.replace(CloudWatchBackend, "put_metric_data", put_metric_data)

    @correction("cloudwatch.get-metric-data", f"{_REFERENCE}/API_GetMetricData.html")
    def _get_metric_data(self, patches: Patches) -> None:
        self._provide(patches, "get_metric_data", operations.get_metric_data)

    @correction("cloudwatch.get-metric-statistics", f"{_REFERENCE}/API_GetMetricStatistics.html")
    def _get_metric_statistics(self, patches: Patches) -> None:
        self._provide(patches, "get_metric_statistics", operations.get_metric_statistics)

    @correction("cloudwatch.list-metrics", f"{_REFERENCE}/API_ListMetrics.html")
    def _list_metrics(self, patches: Patches) -> None:
        self._provide(patches, "list_metrics", operations.list_metrics)

    def _provide(self, patches: Patches, operation: str, answer: Operation) -> None:
        def respond(response: CloudWatchResponse) -> ActionResult:
            store = self.store(response.current_account, response.region)
            return ActionResult(answer(store, _plain(response.params), self.cloud.now()))

        patches.replace(CloudWatchResponse, operation, respond)


def _plain(value: Any) -> Any:
    """Return a parsed request as plain dictionaries and lists, without what was left null."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
