"""What can be done to a bundle alone, after it was exported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from interlock.release.digests import canonical_json
from tests.interlock.release.audit.tampering.case import (
    flipped,
)


def bundle_cases(files: Mapping[str, bytes]) -> Iterator[tuple[str, dict[str, bytes], frozenset[str]]]:
    """Yield what can be done to a bundle alone: its name, the files afterwards, the reasons of which one must come."""
    proven = sorted(name for name in files if name.startswith("vault/") or name == "proofs.json")
    refused = frozenset(
        {
            "object-altered", "object-missing", "object-added", "ledger-refused", "ledger-missing", "root-missing",
            "statement-missing", "manifest-missing", "manifest-malformed", "root-refused", "ledger-unwitnessed",
        }
    )  # fmt: skip
    for index, name in enumerate(proven):
        content = files[name]
        for place in (0, len(content) // 3, len(content) - 1):
            yield f"bundle {name}: flip a bit at {place}", {**files, name: flipped(content, place)}, refused
        yield f"bundle {name}: cut it", {**files, name: content[:-1]}, refused
        if "/witness/" not in f"/{name}":
            without = {other: body for other, body in files.items() if other != name}
            yield f"bundle {name}: drop it", without, refused
            yield f"bundle {name}: rename it", {**without, f"{name}x": content}, refused
        other = proven[index - 1]
        yield f"bundle {name}: swap it with {other}", {**files, name: files[other], other: content}, refused
    document = json.loads(files["bundle.json"])
    for index, one in enumerate(document["objects"]):
        if not one["key"].startswith("trust/"):
            for field, value in (("version_id", "another"), ("sha256", "ab" * 32), ("size", one["size"] + 1)):
                changed = {**one, field: value}
                objects = [changed if place == index else other for place, other in enumerate(document["objects"])]
                content = canonical_json({**document, "objects": objects})
                codes = refused | {"pin-names-other-objects", "statement-replaced"}
                yield f"index of {one['key']}: another {field}", {**files, "bundle.json": content}, codes
        objects = [other for other in document["objects"] if other is not one]
        yield (
            f"index without {one['key']}",
            {**files, "bundle.json": canonical_json({**document, "objects": objects})},
            refused,
        )
