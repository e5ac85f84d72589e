"""Where the data of DB snapshots lies."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.cloud.places import place_of


@dataclass(frozen=True)
class Snapshots:
    """A folder a snapshot, made by `PostgresServer.copy_to`."""

    directory: Path

    def path(self, snapshot: Any) -> Path:
        """Return where the data of moto's record `snapshot` lies."""
        place = place_of(str(snapshot.arn))
        return self.directory / place.account_id / place.region / str(snapshot.db_snapshot_identifier).replace(":", "_")

    def copy(self, source: Any, target: Any) -> None:
        """Give `target` the data of `source`."""
        shutil.copytree(self.path(source), self.path(target), symlinks=True)

    def delete(self, snapshot: Any) -> None:
        """Delete a snapshot's data."""
        shutil.rmtree(self.path(snapshot), ignore_errors=True)
