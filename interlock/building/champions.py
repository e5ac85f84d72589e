"""The champions that a check compares with: what serves, by the deployers' own word, brought here when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from interlock.building.workshop import Confine, laid_out
from interlock.failures import BadInput
from interlock.release.champion import champion_of
from interlock.release.gates.gate import Predictor, UnfitInputs
from interlock.release.gates.schema import ModelSchema, schema_of
from interlock.release.pin_statement import PinPredicate
from interlock.release.record import gather_built
from interlock.release.vault import VaultDownloader, VaultReader
from interlock.release.verification.trust import Trust

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Champion:
    """A release that serves; its bytes are fetched once it is asked for predictions."""

    digest: str
    fetch: Callable[[], Predictor]
    _fetched: list[Predictor] = field(default_factory=list)

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Return its predictions. Raises ModelFailed, and whatever fetching raises."""
        if not self._fetched:
            self._fetched.append(self.fetch())
        return self._fetched[0].predict(rows)


@dataclass(frozen=True)
class OwnColumns:
    """A model that is given the columns of its schema alone: a table for another release may hold what it never saw."""

    predictor: Predictor
    schema: ModelSchema

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Return its predictions. Raises ModelFailed, and UnfitInputs if a column that it requires is missing."""
        missing = [one.name for one in self.schema.inputs if one.required and one.name not in rows.columns]
        if missing:
            raise UnfitInputs(f"the table lacks columns of its schema: {', '.join(missing)}")
        return self.predictor.predict(rows[[name for name in self.schema.names if name in rows.columns]])


@dataclass(frozen=True)
class Champions:
    """Finds the champion of each pin of a release; `stack` closes what was fetched."""

    reader: VaultReader
    downloader: VaultDownloader
    trust: Trust
    confine: Confine
    progress: Callable[[str], None]
    stack: ExitStack
    _known: dict[tuple[str, str], Champion | None] = field(default_factory=dict)

    def of(self, digest: str, pin: PinPredicate) -> Champion | None:
        """Return what serves under the name and in the environment that a pin of `digest` asks for, if anything does.

        Raises what the vault raises.
        """
        named = _place(pin)
        if named not in self._known:
            self._known[named] = self._find(digest, *named)
        return self._known[named]

    def accept(self, digest: str, pins: Sequence[PinPredicate], claimed: str) -> None:
        """Raise BadInput if `claimed`, whom the inputs name, is the champion of none of the pins of `digest`.

        Raises what the vault raises.
        """
        champions = {_place(pin): self.of(digest, pin) for pin in pins}
        if claimed in {found.digest for found in champions.values() if found}:
            return
        accepted = ", or ".join(
            f"what serves as {name} in {environment}, "
            + (f"{found.digest}" if found else "and nothing does, so leave it out")
            for (name, environment), found in champions.items()
        )
        raise BadInput(f"champion: received {claimed}; accepted is {accepted}")

    def _find(self, digest: str, name: str, environment: str) -> Champion | None:
        champion = champion_of(self.reader, self.trust, digest, name, environment)
        return Champion(champion, lambda: self._fetch(champion)) if champion is not None else None

    def _fetch(self, champion: str) -> Predictor:
        record = gather_built(self.reader, champion, self.trust.public_keys())
        laid = laid_out(record, self.downloader, self.confine, self.progress)
        bench = self.stack.enter_context(laid)
        schema = schema_of(bench.folder)
        return OwnColumns(bench.model.predictor, schema) if schema is not None else bench.model.predictor


def _place(pin: PinPredicate) -> tuple[str, str]:
    assert pin.request is not None
    return pin.request.document.name, pin.request.document.environment
