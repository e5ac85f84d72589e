"""The audit bundle: one archive with a release's whole record, its proofs, and the file that checks them.

The same state of the vault gives the same bytes: names are sorted, times fixed, nothing compressed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from interlock.release.audit import verify
from interlock.release.audit.contents import IndexedObject, LogPart
from interlock.release.audit.readme import readme
from interlock.release.digests import canonical_json

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold; a real one would make each export another file."""
_CHUNK: Final = 2**20

Chunks = Iterator[bytes]


@dataclass(frozen=True)
class BundleFile:
    """A file of the bundle; its bytes are asked for once, when it is written."""

    name: str
    size: int
    chunks: Callable[[], Chunks]


def bundle_files(
    digest: str,
    objects: Sequence[IndexedObject],
    logs: Sequence[LogPart],
    *,
    passport: str | None = None,
    model_signature: bytes | None = None,
    files: Callable[[IndexedObject], Chunks] | None = None,
) -> list[BundleFile]:
    """Return the files of the bundle of the release `digest`, sorted by name.

    `files` gives the bytes of the release's own files, which are left out without it.
    """
    documents: dict[str, bytes] = {
        verify.INDEX: canonical_json(_index(digest, objects, with_files=files is not None)),
        verify.PROOFS: canonical_json(_proofs(digest, logs)),
        "verify.py": Path(verify.__file__).read_bytes(),
        "README.md": readme(digest).encode(),
    }
    if passport is not None:
        documents["passport.html"] = passport.encode()
    if model_signature is not None:
        documents["model.sig"] = model_signature
    for one in objects:
        if one.content is not None:
            documents[verify.VAULT + one.key] = one.content
    for log in logs:
        documents |= {verify.VAULT + key: content for key, content in log.objects.items()}
    found = [BundleFile(name, len(content), _once(content)) for name, content in documents.items()]
    if files is not None:
        found += [
            BundleFile(verify.VAULT + one.key, one.size, _later(files, one)) for one in objects if _is_whole_file(one)
        ]
    return sorted(found, key=lambda file: file.name)


def write_zip(files: Iterable[BundleFile], target: IO[bytes]) -> None:
    """Write the archive of `files`, in their order."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.name, _EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.file_size = file.size
            with archive.open(entry, "w") as written:
                for chunk in file.chunks():
                    written.write(chunk)


def _is_whole_file(one: IndexedObject) -> bool:
    return one.is_file and not one.delete_marker


def _once(content: bytes) -> Callable[[], Chunks]:
    return lambda: (content[place : place + _CHUNK] for place in range(0, len(content), _CHUNK))


def _later(files: Callable[[IndexedObject], Chunks], one: IndexedObject) -> Callable[[], Chunks]:
    return lambda: files(one)


def _index(digest: str, objects: Sequence[IndexedObject], *, with_files: bool) -> Mapping[str, Any]:
    counts: dict[str, int] = {}
    for one in objects:
        counts[one.key] = counts.get(one.key, 0) + (not one.delete_marker)
    return {
        "schema_version": 1,
        "kind": verify.BUNDLE_KIND,
        "release": digest,
        "objects": [
            {
                "key": one.key,
                "version_id": one.version_id,
                "size": one.size,
                "sha256": one.sha256,
                "delete_marker": one.delete_marker,
                "included": one.content is not None or (with_files and _is_whole_file(one) and counts[one.key] == 1),
                "lock": one.lock and {"mode": one.lock.mode, "until": one.lock.until.isoformat()},
            }
            for one in objects
        ],
    }


def _proofs(digest: str, logs: Sequence[LogPart]) -> Mapping[str, Any]:
    """Return the proofs of RFC 6962, for readers that would rather not compute each root again."""
    return {
        "schema_version": 1,
        "logs": {
            log.name: {
                "size": log.tree.size,
                "root": log.tree.root().hex(),
                "inclusion": [
                    {"index": index, "path": [one.hex() for one in log.tree.inclusion(index)]}
                    for index, leaf in enumerate(log.leaves)
                    if leaf.subject == digest
                ],
                "consistency": [
                    {"size": size, "path": [one.hex() for one in log.tree.consistency(size)]}
                    for size in log.sizes
                    if 0 < size < log.tree.size
                ],
            }
            for log in logs
        },
    }
