"""Settings that are right one by one and wrong together; found in what was written, so that nothing hides them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from interlock.rules import Problem, shown
from interlock.settings.section import PREFIX, Environment, Layer


def contradictions(written: Mapping[str, Any]) -> list[Problem]:
    """Return what contradicts itself in `written`, the settings as parsed, whatever else is wrong with them."""
    return [problem for check in _CHECKS for problem in check(written)]


def _missing_sections(written: Mapping[str, Any]) -> Iterator[Problem]:
    if Layer.PLATFORM in _layers(written):
        for name in ("network", "tracking"):
            if name not in written:
                yield Problem(f"{PREFIX}{name}", "nothing", f"a section {name}, which the layer platform needs")


def _one_foundation(written: Mapping[str, Any]) -> Iterator[Problem]:
    reference = written.get("foundation_stack")
    if Layer.FOUNDATION in _layers(written):
        if reference is not None:
            accepted = "nothing, as the stack has the layer foundation itself"
            yield Problem(f"{PREFIX}foundation_stack", shown(reference), accepted)
    elif reference is None and Layer.PLATFORM in _layers(written):
        accepted = "the full name of the stack that has the layer foundation, such as organization/interlock/prod"
        yield Problem(f"{PREFIX}foundation_stack", "nothing", accepted)


def _repeated_endpoints(written: Mapping[str, Any]) -> Iterator[Problem]:
    names = [one.get("name") for one in _sequence(written.get("endpoints")) if isinstance(one, Mapping)]
    for name, count in Counter(name for name in names if isinstance(name, str)).items():
        if count > 1:
            yield Problem(f"{PREFIX}endpoints", f"{count} endpoints named {name!r}", "every name once")


def _zones(written: Mapping[str, Any]) -> Iterator[Problem]:
    network, region = written.get("network"), written.get("region")
    if not isinstance(network, Mapping) or network.get("existing") is not None:
        return
    subnets = network.get("subnets", {})
    if not isinstance(subnets, Mapping):
        return
    # Two zones that lose one leave a single copy of everything.
    minimum = 3 if written.get("environment") == Environment.PROD else 2
    if len(subnets) < minimum:
        accepted = f"{'three' if minimum == 3 else 'two'} or more availability zones, each with a CIDR block"
        yield Problem(f"{PREFIX}network.subnets", shown(subnets), accepted)
    for zone in subnets:
        if isinstance(region, str) and isinstance(zone, str) and zone[:-1] != region:
            yield Problem(f"{PREFIX}network.subnets.{zone}", repr(zone), f"an availability zone of {region}")


def _disposable_prod(written: Mapping[str, Any]) -> Iterator[Problem]:
    if written.get("environment") == Environment.PROD and written.get("disposable") in (True, "true"):
        yield Problem(f"{PREFIX}disposable", "true", "false in environment prod")


def _layers(written: Mapping[str, Any]) -> Sequence[Any]:
    return _sequence(written.get("layers", list(Layer)))


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


_CHECKS: Final[Sequence[Callable[[Mapping[str, Any]], Iterator[Problem]]]] = (
    _missing_sections,
    _one_foundation,
    _repeated_endpoints,
    _zones,
    _disposable_prod,
)
