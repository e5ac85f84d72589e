"""What one AWS service of the local cloud is: corrections of moto's answers, and the data plane behind them.

A service is one module (or package) of `rehearsal.cloud.services`; putting it there is all that adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext
    from rehearsal.cloud.listener import Environ


class Patches:
    """Attributes of moto's classes replaced by ours, so that each replacement can be taken back."""

    def __init__(self) -> None:
        self._replaced: list[tuple[object, str, Any]] = []

    def replace(self, target: object, attribute: str, value: object) -> Any:
        """Set `target.attribute`, which may not exist yet, to `value` and return what stood there (or None)."""
        before = vars(target).get(attribute, _ABSENT)
        self._replaced.append((target, attribute, before))
        inherited = getattr(target, attribute, None)
        setattr(target, attribute, value)
        return inherited

    def undo(self) -> None:
        """Put everything back, last replacement first."""
        while self._replaced:
            target, attribute, before = self._replaced.pop()
            if before is _ABSENT:
                delattr(target, attribute)
            else:
                setattr(target, attribute, before)


_ABSENT = object()
_Method = TypeVar("_Method", bound=Callable[[Any, Patches], None])


@dataclass(frozen=True)
class Correction:
    """One place where moto's answer differs from AWS's.

    `name` is `<service>.<what>`, `source` the page of AWS's documentation that says how AWS answers, and `apply`
    makes the local cloud answer so.
    """

    name: str
    source: str
    apply: Callable[[Patches], None]


def correction(name: str, source: str) -> Callable[[_Method], _Method]:
    """Declare a method of a `Service` to be the correction `name`, after what AWS documents at `source`."""

    def declare(method: _Method) -> _Method:
        method.__dict__["correction"] = (name, source)
        return method

    return declare


@dataclass(frozen=True)
class Answer:
    """What a service that moto does not know answers; `error` is the code of one that failed."""

    status: str
    content: Mapping[str, Any]
    error: str | None = None


class Service:
    """One AWS service: made once a cloud, started before the first request and stopped after the last."""

    name: ClassVar[str]
    concurrent: ClassVar[frozenset[str]] = frozenset()
    """The moto backends whose requests may overlap; those of all others take turns, because moto guards no state."""

    answer: Callable[[Environ], Answer] | None = None
    """Answers the requests to a service that moto does not know; `name` is then the service's own in its host."""

    def __init__(self, cloud: CloudContext) -> None:
        self.cloud = cloud

    def corrections(self) -> Sequence[Correction]:
        """Return the corrections declared by this class's methods, in the order they are written."""
        declared = [
            (method, vars(method)["correction"]) for method in vars(type(self)).values() if _is_correction(method)
        ]
        return [Correction(name, source, method.__get__(self)) for method, (name, source) in declared]

    def start(self) -> None:
        """Start what runs beside the control plane."""

    def stop(self) -> None:
        """Stop what `start` and later requests started."""

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of what callers made here and have not deleted; what AWS makes unasked does not count."""
        return ()


def _is_correction(member: object) -> bool:
    return callable(member) and "correction" in getattr(member, "__dict__", {})
