"""CloudWatch in place of moto's, which cannot compute percentiles or expressions and never looks at an alarm."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services._requests import plain
from rehearsal.cloud.services.cloudwatch import operations, publishing
from rehearsal.cloud.services.cloudwatch.alarms import operations as alarms
from rehearsal.cloud.services.cloudwatch.alarms.watch import Watch
from rehearsal.cloud.services.cloudwatch.errors import Refusal
from rehearsal.cloud.services.cloudwatch.requests import checked_statistic
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
        self._watch = Watch(self.store, cloud.now)

    def start(self) -> None:
        """Begin to evaluate alarms."""
        self._watch.start()

    def stop(self) -> None:
        """Evaluate alarms no more."""
        self._watch.stop()

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
        """Metrics may be counted values or statistic sets, but not of AWS's namespaces or of other times."""
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
        """Every statistic and metric maths over aligned periods, whatever the dimensions' order, in pages."""
        self._provide(patches, "get_metric_data", operations.get_metric_data)

    @correction("cloudwatch.get-metric-statistics", f"{_REFERENCE}/API_GetMetricStatistics.html")
    def _get_metric_statistics(self, patches: Patches) -> None:
        """Extended statistics are answered beside the plain ones, for each unit and period."""
        self._provide(patches, "get_metric_statistics", operations.get_metric_statistics)

    @correction("cloudwatch.list-metrics", f"{_REFERENCE}/API_ListMetrics.html")
    def _list_metrics(self, patches: Patches) -> None:
        """A metric is listed once however its dimensions are ordered."""
        self._provide(patches, "list_metrics", operations.list_metrics)

    @correction(
        "cloudwatch.alarm-evaluation",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html",
    )
    def _alarm_evaluation(self, patches: Patches) -> None:
        """An alarm begins as `INSUFFICIENT_DATA`, is evaluated, keeps its state when changed, and notifies."""
        put: Any = None

        def put_metric_alarm(backend: CloudWatchBackend, **settings: Any) -> Alarm:
            replaced = backend.alarms.get(settings["name"])
            # Moto knows no statistic but percentiles here.
            extended = settings.pop("extended_statistic", None)
            if extended:
                checked_statistic(extended, "ExtendedStatistic")
            alarm: Alarm = put(backend, **settings)
            alarm.extended_statistic = extended
            try:
                if alarm.rule is None:
                    alarms.check_queries(alarm)
            except Refusal:
                del backend.alarms[alarm.name]
                if replaced is not None:
                    backend.alarms[alarm.name] = replaced
                raise
            alarms.born(alarm, replaced, self.cloud.now())
            what = "created" if replaced is None else "updated"
            self._watch.history(backend).add(
                alarm, self.cloud.now(), "ConfigurationUpdate", f'Alarm "{alarm.name}" {what}', {"version": "1.0"}
            )
            return alarm

        put = patches.replace(CloudWatchBackend, "put_metric_alarm", put_metric_alarm)
        patches.replace(self._watch, "enabled", True)

    @correction("cloudwatch.put-metric-alarm", f"{_REFERENCE}/API_PutMetricAlarm.html")
    def _put_metric_alarm(self, patches: Patches) -> None:
        """An alarm that could never be evaluated is refused."""
        put: Any = None

        def put_metric_alarm(response: CloudWatchResponse) -> ActionResult:
            alarms.check_metric_alarm(plain(response.params))
            answer: ActionResult = put(response)
            return answer

        put = patches.replace(CloudWatchResponse, "put_metric_alarm", put_metric_alarm)

    @correction("cloudwatch.composite-alarms", f"{_REFERENCE}/API_PutCompositeAlarm.html")
    def _composite_alarms(self, patches: Patches) -> None:
        """A composite alarm follows a rule over other alarms, which must exist."""

        def put_composite_alarm(response: CloudWatchResponse) -> ActionResult:
            alarms.put_composite_alarm(response.cloudwatch_backend, plain(response.params))
            return EmptyResult()

        patches.replace(CloudWatchResponse, "put_composite_alarm", put_composite_alarm)

    @correction("cloudwatch.describe-alarms", f"{_REFERENCE}/API_DescribeAlarms.html")
    def _describe_alarms(self, patches: Patches) -> None:
        """Alarms are filtered by all that is asked for and paged; composite ones are told on request only."""

        def describe_alarms(response: CloudWatchResponse) -> ActionResult:
            return ActionResult(alarms.describe_alarms(response.cloudwatch_backend, plain(response.params)))

        patches.replace(CloudWatchResponse, "describe_alarms", describe_alarms)

    @correction("cloudwatch.alarm-history", f"{_REFERENCE}/API_DescribeAlarmHistory.html")
    def _alarm_history(self, patches: Patches) -> None:
        """What has happened to an alarm can be read."""

        def describe_alarm_history(response: CloudWatchResponse) -> ActionResult:
            return ActionResult(self._watch.history(response.cloudwatch_backend).page(plain(response.params)))

        patches.replace(CloudWatchResponse, "describe_alarm_history", describe_alarm_history)

    @correction("cloudwatch.set-alarm-state", f"{_REFERENCE}/API_SetAlarmState.html")
    def _set_alarm_state(self, patches: Patches) -> None:
        """A state that is set by hand is noted, acted on, and lasts until the next evaluation."""

        def set_alarm_state(response: CloudWatchResponse) -> ActionResult:
            alarms.set_alarm_state(self._watch, response.cloudwatch_backend, plain(response.params))
            return EmptyResult()

        patches.replace(CloudWatchResponse, "set_alarm_state", set_alarm_state)

    def _provide(self, patches: Patches, operation: str, answer: Operation) -> None:
        def respond(response: CloudWatchResponse) -> ActionResult:
            store = self.store(response.current_account, response.region)
            return ActionResult(answer(store, plain(response.params), self.cloud.now()))

        patches.replace(CloudWatchResponse, operation, respond)
