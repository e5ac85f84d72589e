"""Steps about the record: the passport that people read, and the bundle that an auditor checks without AWS."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlock.audits import open_bundle
from interlock.duties.duty import Role
from interlock.passports import open_passport
from interlock.release.audit import verify
from interlock.release.champion import Comparison
from interlock.release.passport.page import page
from rehearsal.story.candidates import CHALLENGER, CHAMPION, REFUSED
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

TIMEOUT_SECONDS = 120
WEIGHTS = "/model.skops"
NAMES = {REFUSED: "first-candidate", CHAMPION: "champion", CHALLENGER: "challenger"}


def read_passports(context: Context) -> Seen:
    """Write every candidate's passport as the auditor, as a page for people."""
    assert context.manifest is not None
    trust, vault = context.trust(Role.AUDITOR), context.clients_of(Role.AUDITOR).vault_reader
    told = []
    for index, name in NAMES.items():
        digest = context.pins[index].digest
        context.busy(f"read the record of {digest[:12]}")
        opened = open_passport(vault, trust, digest, context.manifest.environment, now=datetime.now(UTC))
        if index == CHALLENGER:
            _expect_the_champion(context, opened.comparison)
        context.keep(f"passport-{name}.html", page(opened).encode())
        told.append(
            {
                "release": digest,
                "title": context.models[index].title,
                "page": f"passport-{name}.html",
                "verifies": opened.verifies,
                "compared": str(opened.comparison) if opened.comparison else None,
                "reasons": list(opened.reasons),
                "gates": {gate.name: gate.state.value for gate in opened.gates},
            }
        )
    verifying = [str(one["title"]) for one in told if one["verifies"]]
    return Seen(f"{len(told)} passports; admitted are {', '.join(verifying) or 'none'}", {"passports": told})


def _expect_the_champion(context: Context, found: Comparison | None) -> None:
    champion = context.pins[CHAMPION].digest
    if found is None or found.serving != champion or not found.holds:
        raise Unexpected(f"the challenger to be compared with {champion}, which serves", f"{found}")


def take_home(context: Context) -> Seen:
    """Export the champion's record as the auditor, and check it with Python alone: no AWS, no package of ours."""
    assert context.manifest is not None
    digest = context.pins[CHAMPION].digest
    bundle = open_bundle(
        context.clients_of(Role.AUDITOR).vault_reader, context.trust(Role.AUDITOR), digest,
        context.manifest.environment, with_files=True, tell=context.busy,
    )  # fmt: skip
    name = f"audit-{NAMES[CHAMPION]}.zip"
    with context.kept(name).open("wb") as opened:
        bundle.write(opened)
    context.keep("verify.py", Path(verify.__file__).read_bytes())
    held = _checked(context, name)
    spoiled = _checked(context, _spoiled(context, name), expected=1)
    return Seen(
        f"{name}, {bundle.size} bytes in {len(bundle.files)} files, holds offline; with one bit of a file flipped "
        f"verify.py refuses it: {spoiled['reasons'][0]['code']}",
        {"audited": {"release": digest, "bundle": name, "files": len(bundle.files), "held": held, "spoiled": spoiled}},
    )


def _checked(context: Context, name: str, *, expected: int = 0) -> dict[str, Any]:
    """Run `verify.py` in a process that can reach nothing of ours; return its report. Raises Unexpected."""
    context.busy(f"verify.py {name}")
    folder = context.kept(name).parent
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", name, "--root", context.fingerprint, "--json"],
        cwd=folder, env={}, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    if answer.returncode != expected:
        raise Unexpected(
            f"verify.py of {name} to end with {expected}", f"{answer.stdout[-3000:]}{answer.stderr[-2000:]}"
        )
    report: dict[str, Any] = json.loads(answer.stdout)
    return report


def _spoiled(context: Context, name: str) -> str:
    """Copy a bundle with one bit of the model's weights flipped."""
    spoiled = f"spoiled-{name}"
    with zipfile.ZipFile(context.kept(name)) as bundle, zipfile.ZipFile(context.kept(spoiled), "w") as copy:
        for entry in bundle.infolist():
            content = bundle.read(entry)
            if entry.filename.endswith(WEIGHTS):
                content = content[:-1] + bytes([content[-1] ^ 1])
            copy.writestr(entry, content)
    return spoiled
