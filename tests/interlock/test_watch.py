from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from interlock import watch as module
from interlock.failures import BadInput, Failure, OutsideFailure, Refusal
from interlock.release.manifest import Manifest, ManifestFile
from interlock.release.pin_statement import Source
from interlock.release.watching import Pinned, Watched

MANIFEST = Manifest(files=(ManifestFile(path="MLmodel", size=1, sha256="0" * 64),))
PINNED = [Pinned(name * 64, Source(registry="mlflow", name=f"model-{name}", version="1"), MANIFEST) for name in "abc"]


@pytest.mark.parametrize(
    ("failures", "ends"),
    [
        ([OutsideFailure("the server failed")], OutsideFailure),
        ([BadInput("it is registered as a model")], Refusal),
        ([Refusal("you may not"), OutsideFailure("the server failed")], OutsideFailure),
    ],
)
def test_a_version_that_cannot_be_looked_at_hides_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch, failures: list[Failure], ends: type[Failure]
) -> None:
    by_digest = {pinned.digest: failure for pinned, failure in zip(PINNED, failures, strict=False)}

    def look(pinned: Pinned, *_: Any, **__: Any) -> Watched:
        if pinned.digest in by_digest:
            raise by_digest[pinned.digest]
        return Watched(pinned, None, None, ())

    monkeypatch.setattr(module, "watch", look)
    monkeypatch.setattr(module, "MlflowEye", lambda _: None)
    monkeypatch.setattr(module, "pinned_releases", lambda _: [one.digest for one in PINNED])
    monkeypatch.setattr(module, "pinned_versions", lambda digest, *_: [one for one in PINNED if one.digest == digest])
    clients: Any = SimpleNamespace(vault_reader=None, vault_writer=None, registry=lambda _: None, signer=lambda _: None)
    root: Any = SimpleNamespace(keys={})
    seen: list[str] = []

    def look_at_all() -> None:
        for one in module.watch_registry(clients, root, None, lambda: datetime.now(UTC)):
            seen.append(one.pinned.digest)

    with pytest.raises(ends, match=f"{len(failures)} pinned version") as raised:
        look_at_all()
    assert seen == [one.digest for one in PINNED[len(failures) :]]
    assert [reason.split(":")[0] for reason in raised.value.reasons] == [
        f"{one.source.name}/1, release {one.digest[:12]}" for one in PINNED[: len(failures)]
    ]
