"""What nobody knows before a stack is used: how much it will hold, move and be asked. All of it a month."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from interlock.cost.prices import amount, read_document
from interlock.rules import Rule
from interlock.settings.refusals import Must
from interlock.settings.section import Means, Section

_share = Rule("a number from 0 to 1", lambda value: isinstance(value, Decimal) and 0 <= value <= 1)
Amount = Annotated[Decimal, Must(amount)]
Share = Annotated[Decimal, Must(_share)]


class BucketUsage(Section):
    gib: Annotated[Amount, Means("GiB that a bucket holds")] = Decimal(100)
    written_gib: Annotated[Amount, Means("GiB written to a bucket")] = Decimal(20)
    writes: Annotated[Amount, Means("requests that write or list in a bucket")] = Decimal(100_000)
    reads: Annotated[Amount, Means("requests that read from a bucket")] = Decimal(1_000_000)
    colder_share: Annotated[Share, Means("share of a bucket's bytes that its rules have moved to colder storage")] = (
        Decimal("0.5")
    )


class DatabaseUsage(Section):
    backup_ratio: Annotated[Amount, Means("size of a database's backups as a multiple of its storage")] = Decimal("1.5")


class LogUsage(Section):
    ingested_gib: Annotated[Amount, Means("GiB written to a log group")] = Decimal(1)
    compressed_share: Annotated[Share, Means("size of a stored log as a share of what was written")] = Decimal("0.15")


class LoadBalancerUsage(Section):
    capacity_units: Annotated[Amount, Means("capacity units that a load balancer uses on average")] = Decimal(1)


class TrafficUsage(Section):
    processed_gib: Annotated[Amount, Means("GiB through a NAT gateway, or a VPC endpoint")] = Decimal(20)


class TableUsage(Section):
    gib: Annotated[Amount, Means("GiB that a table holds")] = Decimal(1)
    reads: Annotated[Amount, Means("read request units of a table")] = Decimal(1_000_000)
    writes: Annotated[Amount, Means("write request units of a table")] = Decimal(1_000_000)


class KeyUsage(Section):
    requests: Annotated[Amount, Means("requests to a key")] = Decimal(20_000)


class SecretUsage(Section):
    reads: Annotated[Amount, Means("requests to a secret")] = Decimal(10_000)


class RepositoryUsage(Section):
    gib: Annotated[Amount, Means("GiB that an image repository holds")] = Decimal(10)
    pushed_gib: Annotated[Amount, Means("GiB pushed to an image repository")] = Decimal(2)


class FunctionUsage(Section):
    invocations: Annotated[Amount, Means("invocations of a function")] = Decimal(1000)
    seconds: Annotated[Amount, Means("seconds that an invocation takes")] = Decimal(5)


class TaskUsage(Section):
    hours: Annotated[Amount, Means("hours that a task runs which no service keeps running")] = Decimal(20)


class EndpointUsage(Section):
    processed_gib: Annotated[Amount, Means("GiB into and out of an endpoint")] = Decimal(10)


class ClusterUsage(Section):
    metrics: Annotated[Amount, Means("metrics of a cluster with Container Insights")] = Decimal(30)


class TopicUsage(Section):
    notifications: Annotated[Amount, Means("notifications of a topic")] = Decimal(1000)


class Usage(Section):
    """Assumptions by what they are about, and by a resource's logical name what is different for it."""

    schema_version: Literal[1] = 1
    bucket: BucketUsage = BucketUsage()
    database: DatabaseUsage = DatabaseUsage()
    log: LogUsage = LogUsage()
    load_balancer: LoadBalancerUsage = LoadBalancerUsage()
    traffic: TrafficUsage = TrafficUsage()
    table: TableUsage = TableUsage()
    key: KeyUsage = KeyUsage()
    secret: SecretUsage = SecretUsage()
    repository: RepositoryUsage = RepositoryUsage()
    function: FunctionUsage = FunctionUsage()
    task: TaskUsage = TaskUsage()
    endpoint: EndpointUsage = EndpointUsage()
    cluster: ClusterUsage = ClusterUsage()
    topic: TopicUsage = TopicUsage()
    of: dict[str, dict[str, dict[str, Decimal]]] = Field(default_factory=dict)
    """By logical name, then as above: what is different for one resource."""

    def for_resource(self, name: str) -> Usage:
        """Return the assumptions about the resource of a logical name. Raises DocumentError."""
        own = self.of.get(name)
        if own is None:
            return self
        sections: Mapping[str, Any] = self.model_dump(exclude={"of", "schema_version"})
        merged = {**sections, **{part: {**sections.get(part, {}), **values} for part, values in own.items()}}
        changed: Usage = read_document(Usage, merged, f"of.{name}")
        return changed

    def value(self, path: str) -> Decimal:
        """Return an assumption by its path, like `bucket.gib`."""
        part, _, field = path.partition(".")
        value: Decimal = getattr(getattr(self, part), field)
        return value

    @staticmethod
    def words(path: str) -> str:
        """Return in words what an assumption is about."""
        part, _, field = path.partition(".")
        section = Usage.model_fields[part].annotation
        assert isinstance(section, type)
        assert issubclass(section, Section)
        return next(one.words for one in section.model_fields[field].metadata if isinstance(one, Means))


def read_usage(document: Any, source: str) -> Usage:
    """Read assumptions; what is not named stays as it is by default. Raises DocumentError with all that is wrong."""
    usage: Usage = read_document(Usage, document if document is not None else {}, source)
    for name in usage.of:
        usage.for_resource(name)
    return usage
