"""Ships what processes write into CloudWatch Logs, as the agents on AWS's hosts do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from moto.logs.models import LogsBackend, logs_backends

from rehearsal.cloud.places import Place

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_LONGEST_EVENT = 256 * 1024
_AT_A_TIME = 1024 * 1024


@dataclass
class ShippedLog:
    """One file on its way into the stream `stream` of a place's log group `group`; call `ship` from time to time.

    What the group or stream does not take, because it was deleted, is lost, as with AWS's agents.
    """

    cloud: CloudContext
    place: Place
    file: Path
    group: str
    stream: str
    _position: int = field(default=0, init=False)

    def ship(self, *, finished: bool = False) -> None:
        """Ship the whole lines written since the last call; with `finished` also a last line without an end."""
        while text := self._read(finished):
            now = int(self.cloud.now().timestamp() * 1000)
            lines = [line[:_LONGEST_EVENT] for line in text.splitlines() if line.strip()]
            self._put([{"timestamp": now, "message": line} for line in lines])

    def _read(self, finished: bool) -> str:
        if not self.file.exists():
            return ""
        with self.file.open("rb") as file:
            file.seek(self._position)
            content = file.read(_AT_A_TIME)
        end = content.rfind(b"\n") + 1
        if finished or (end == 0 and len(content) == _AT_A_TIME):
            end = len(content)
        self._position += end
        return content[:end].decode(errors="replace")

    def _put(self, events: list[dict[str, object]]) -> None:
        with self.cloud.turn("logs"):
            backend = backend_of(self.place)
            if events and self.group in backend.groups:
                backend.ensure_log_stream(self.group, self.stream)
                backend.groups[self.group].put_log_events(self.stream, events)


def backend_of(place: Place) -> LogsBackend:
    """Return moto's CloudWatch Logs of a place."""
    found: LogsBackend = place.backend(logs_backends)
    return found


def ensure_group(cloud: CloudContext, place: Place, group: str) -> None:
    """Make the log group if there is none."""
    with cloud.turn("logs"):
        backend_of(place).ensure_log_group(group)
