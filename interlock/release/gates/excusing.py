"""What goes wrong while a gate measures and is no fault of the release, so that it is never signed against it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from interlock.failures import Failure, OutsideFailure
from interlock.release.gates.gate import ModelFailed, NotMeasurable, Predictor, UnfitInputs

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

MACHINE_ERRORS: Final = frozenset({errno.ENOSPC, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN})


def let_through(error: Exception) -> None:
    """Raise again what ends the command and not the gate alone: failures of the machine, of a service, of a record."""
    if isinstance(error, Failure | MemoryError):
        raise error
    if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
        raise OutsideFailure(f"this machine cannot run the gate: {error.strerror}") from error


@dataclass(frozen=True)
class Beside:
    """The champion: another release, so whatever is wrong with it tells nothing of the one that is measured."""

    champion: Predictor

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Return its predictions. Raises UnfitInputs where it gives none, and Failure where it cannot be brought."""
        try:
            return self.champion.predict(rows)
        # It is fetched on the way, and its code is anybody's.
        except Exception as error:
            let_through(error)
            raise no_predictions(error) from error


def no_predictions(error: Exception) -> UnfitInputs:
    """Return the error of a champion that gave no predictions, or none that can be compared with."""
    foreseen = isinstance(error, ModelFailed | NotMeasurable)
    told = str(error) if foreseen else f"{type(error).__name__}: {error}"
    return UnfitInputs(f"the champion, which it is compared with, gave no predictions: {told}")
