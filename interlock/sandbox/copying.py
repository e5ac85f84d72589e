"""A private copy of a model's files, compared with the manifest before anything of it runs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from interlock.failures import OutsideFailure
from interlock.release.gates.gate import ModelFailed
from interlock.release.manifest import Manifest, manifest_of


class ModelCopy:
    """Made when it is first asked for, so that what is measured is the release and nothing written beside it later."""

    def __init__(self, folder: Path, manifest: Manifest | None) -> None:
        self._folder = folder
        self._manifest = manifest
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def folder(self) -> Path:
        """Return where the copy lies. Raises ModelFailed if the files are others than the manifest's."""
        if self._copy is None:
            self._copy = tempfile.TemporaryDirectory(prefix="interlock-model-")
            try:
                self._fill(Path(self._copy.name) / "model")
            except OSError as error:
                self.remove()
                raise OutsideFailure(f"the model's files could not be copied: {error}") from None
            except BaseException:
                self.remove()
                raise
        return Path(self._copy.name) / "model"

    def remove(self) -> None:
        """Remove the copy, if there is one."""
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def _fill(self, place: Path) -> None:
        manifest = self._manifest or manifest_of(self._folder)
        for file in manifest.files:
            target = place / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._folder / file.path, target, follow_symlinks=False)
            # A model runs as another user, who must be able to read it.
            target.chmod(0o644)
        for folder in (place, *(one for one in place.rglob("*") if one.is_dir())):
            folder.chmod(0o755)
        if manifest_of(place) != manifest:
            raise ModelFailed("the model's files are not those of its manifest")
