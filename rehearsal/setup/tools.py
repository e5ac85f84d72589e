"""All that a rehearsal needs from the machine, found or built."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rehearsal.setup.cache import cache_folder
from rehearsal.setup.environment import python_environment
from rehearsal.setup.progress import Progress
from rehearsal.setup.pulumi_cli import pulumi_cli
from rehearsal.setup.terraform_provider import terraform_provider

VARIABLE = "INTERLOCK_TOOLS"
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Tools:
    """Absolute paths: the checkout, the cache folder, and the executables."""

    checkout: Path
    cache: Path
    python: Path
    pulumi: Path
    provider: Path

    def to_json(self) -> str:
        return json.dumps({name: str(path) for name, path in asdict(self).items()})

    @staticmethod
    def from_json(text: str) -> "Tools":
        return Tools(**{name: Path(path) for name, path in json.loads(text).items()})

    @staticmethod
    def from_environment() -> "Tools | None":
        """What the set-up that started this process has handed down, if one did."""
        text = os.environ.get(VARIABLE)
        return Tools.from_json(text) if text else None


def prepare(progress: Progress, python: Path | None = None) -> Tools:
    """Find or build everything; `python` is an interpreter that already has the locked packages.

    Raises SetupError. The Python packages and Pulumi's CLI are prepared side by side, and the cheap question, whether
    there is a Terraform provider, is asked before either.
    """
    provider = terraform_provider(progress)
    packages = _Background(lambda: python or python_environment(CHECKOUT, progress))
    pulumi = _Background(lambda: pulumi_cli(progress))
    return Tools(CHECKOUT, cache_folder(), packages.result(), pulumi.result(), provider)


class _Background:
    """A call under way in a thread that does not keep the process alive."""

    def __init__(self, call: Callable[[], Path]) -> None:
        self._error: BaseException | None = None
        self._value: Path | None = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def result(self) -> Path:
        while self._thread.is_alive():
            self._thread.join(0.5)
        if self._error is not None:
            raise self._error
        assert self._value is not None
        return self._value

    def _run(self, call: Callable[[], Path]) -> None:
        try:
            self._value = call()
        except BaseException as error:
            self._error = error
