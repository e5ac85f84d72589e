"""Every file of a release, and its manifest: changed, added, removed, renamed, swapped, overwritten, hidden."""

from __future__ import annotations

import json
from collections.abc import Iterator

from interlock.release.vault import files_prefix, manifest_key
from tests.interlock.release.audit.tampering.case import (
    Case,
    case,
    content_of,
    drop,
    flipped,
    on,
    put,
    recreated,
    renamed,
    swapped,
)
from tests.interlock.release.audit.world import (
    World,
)


def file_cases(world: World) -> Iterator[Case]:
    prefix = files_prefix(world.digest)
    keys = sorted(key for key in world.vault.objects if key.startswith(prefix))
    for index, key in enumerate(keys):
        name, other = key.removeprefix(prefix), keys[index - 1]
        for place in (0, len(content_of(world, key)) // 2, -1):
            yield case(
                f"file {name}: flip a bit at {place}",
                on(lambda w, k, p: put(w, k, flipped(content_of(w, k), p)), key, place),
                "object-altered",
            )
        yield case(
            f"file {name}: append a byte", on(lambda w, k: put(w, k, content_of(w, k) + b"x"), key), "object-altered"
        )
        yield case(f"file {name}: empty it", on(lambda w, k: put(w, k, b""), key), "object-altered")
        yield case(
            f"file {name}: remove it",
            on(lambda w, k: w.vault.objects.pop(k), key),
            "object-missing",
            "pin-names-other-objects",
        )
        yield case(
            f"file {name}: add one beside it",
            on(lambda w, k: w.vault.add_version(k + ".py", b"import os"), key),
            "object-added",
        )
        yield case(
            f"file {name}: rename it", on(lambda w, k: renamed(w, k, k + "2"), key), "object-missing", "object-added"
        )
        yield case(
            f"file {name}: swap it with another", on(lambda w, k, o: swapped(w, k, o), key, other), "object-altered"
        )
        yield case(
            f"file {name}: overwrite it with other bytes",
            on(lambda w, k: w.vault.add_version(k, b"x"), key),
            "object-overwritten",
        )
        yield case(
            f"file {name}: overwrite it with the same bytes",
            on(lambda w, k: w.vault.add_version(k, content_of(w, k)), key),
            "object-overwritten",
        )
        yield case(f"file {name}: hide it", on(lambda w, k: w.vault.markers.add(k), key), "object-hidden")
        yield case(
            f"file {name}: delete and recreate it", on(lambda w, k: recreated(w, k), key), "pin-names-other-objects"
        )
    key = manifest_key(world.digest)
    yield case("manifest: flip a bit", lambda w: put(w, key, flipped(content_of(w, key), 3)), "manifest-malformed")
    yield case(
        "manifest: another layout",
        lambda w: put(w, key, json.dumps(json.loads(content_of(w, key))).encode()),
        "manifest-malformed",
    )
    yield case("manifest: of other files", lambda w: put(w, key, _other_manifest(w)), "manifest-of-another-release")
    yield case("manifest: remove it", lambda w: drop(w, key), "manifest-missing")
    yield case("manifest: overwrite it", lambda w: w.vault.add_version(key, b"{}"), "object-overwritten")
    yield case("locks: none", lambda w: setattr(w.vault, "until", None), "not-locked")
    yield case("locks: of a kind that some can lift", lambda w: setattr(w.vault, "mode", "GOVERNANCE"), "lock-too-weak")


def _other_manifest(world: World) -> bytes:
    return World(files={**world.files, "evil.py": b"x"}).manifest.content
