"""Files and archives that a program declares, as the files that Terraform takes instead of them."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.engine.aws.properties import Asset

# The earliest time that a ZIP archive can tell: the same content must give the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Assets:
    """A folder of assets named by the hashes that the engine gives them; `base` is where a program's paths begin."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder = folder
        self._base = base

    def file_of(self, asset: Asset) -> str:
        """Return the path of a file with the asset's content, a ZIP file for an archive.

        The engine keeps only the hash of an asset in its state, and such an asset names the file it was put into
        then, which may be gone. Raises OSError when a file cannot be read, and ValueError when the content lies on
        the network.
        """
        fields = dict(asset.fields)
        suffix = ".zip" if asset.archive else ""
        known = str(fields.get("hash") or "")
        if known and not any(fields.get(name) for name in ("text", "path", "uri", "assets")):
            return str(self._folder / (known + suffix))
        content = _zipped(sorted(self._files(fields, ""))) if asset.archive else self._bytes(fields)
        file = self._folder / ((known or hashlib.sha256(content).hexdigest()) + suffix)
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
            unfinished.write_bytes(content)
            unfinished.replace(file)
        return str(file)

    def _bytes(self, fields: dict[str, Any]) -> bytes:
        if fields.get("text") is not None and not fields.get("path"):
            return str(fields["text"]).encode()
        return self._path(fields).read_bytes()

    def _path(self, fields: dict[str, Any]) -> Path:
        if fields.get("uri"):
            raise ValueError(f"{fields['uri']} lies on the network; give a file")
        if not fields.get("path"):
            raise ValueError("it names no file")
        return self._base / str(fields["path"])

    def _files(self, fields: dict[str, Any], prefix: str) -> Iterator[tuple[str, bytes]]:
        parts = fields.get("assets")
        if parts is not None:
            for name, part in parts if isinstance(parts, tuple) else parts.items():
                yield from self._part(prefix + name, part)
            return
        path = self._path(fields)
        if path.is_dir():
            for file in path.rglob("*"):
                if file.is_file():
                    yield prefix + file.relative_to(path).as_posix(), file.read_bytes()
            return
        with zipfile.ZipFile(path) as archive:
            yield from ((prefix + name, archive.read(name)) for name in archive.namelist() if not name.endswith("/"))

    def _part(self, name: str, part: Any) -> Iterator[tuple[str, bytes]]:
        if not isinstance(part, Asset):
            raise ValueError(f"{name} is neither a file nor an archive")
        if part.archive:
            yield from self._files(dict(part.fields), f"{name}/")
        else:
            yield name, self._bytes(dict(part.fields))


def _zipped(files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
