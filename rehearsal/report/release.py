"""The parts of the report about the release record: what was asked for, measured, said, recorded and found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.pages.markup import Markup, card, join, shortened, table, tag

Rows = Sequence[Mapping[str, Any]]


def passports_card(passports: Rows) -> Markup:
    """Show every candidate's verdict, gate by gate, with the way to its passport."""
    names = sorted({name for one in passports for name in one["gates"]})
    rows = [("verdict", *(_verdict(one) for one in passports))]
    rows += [(name, *(_state(one["gates"].get(name)) for one in passports)) for name in names]
    return card(
        "The candidates, and who may serve",
        tag(
            "p",
            "One column a candidate; each links to its passport, the page that the approvers read. A required gate "
            "that failed or is missing refuses the release, whatever the others say.",
            class_="soft",
        ),
        tag("div", table(("", *(_linked(one) for one in passports)), rows), class_="scroll"),
        *(_reasons(one) for one in passports if one["reasons"]),
    )


def acts_card(acts: Rows, refusals: Rows) -> Markup:
    """Show what people said of releases under their own keys, and what was refused."""
    said = (
        (
            one["person"], one["did"], tag("code", one["release"][:12]),
            one.get("expires_at", "")[:10], one.get("locked_until", "")[:10],
        )
        for one in acts
    )  # fmt: skip
    columns = ("person", "did", "release", "until", "locked until")
    refused = ((one["what"], join(tag("div", reason) for reason in one["reasons"])) for one in refusals)
    return card(
        "What people said, each with their own key",
        table(columns, said),
        *(
            [tag("h3", "Refused, and found"), table(("what was tried or found", "what speaks against it"), refused)]
            if refusals
            else []
        ),
    )


def ledger_card(records: Rows) -> Markup:
    """Show how the log grew."""
    rows = (
        (
            tag("code", one["origin"]), len(one["appended"]), one["size"], tag("code", one["root"][:16]),
            one["witnessed_at"][:19].replace("T", " "),
        )
        for one in records
    )  # fmt: skip
    columns = ("log", "appended", "leaves", "root of the tree", "seen by the witness (UTC)")
    return card(
        "The ledger",
        tag(
            "p",
            "The sequencer appends what lies in the vault to a Merkle tree; the witness in the other region co-signs "
            "each state only if it goes on from the one before.",
            class_="soft",
        ),
        table(columns, rows, numeric=(1, 2)),
    )


def findings_card(findings: Rows) -> Markup:
    """Show what the observer found behind pinned releases."""
    rows = (
        (one["version"], tag("code", one["release"][:12]), change["kind"], change["what"], _told(change))
        for one in findings
        for change in one["changes"]
    )
    return card(
        "What the observer found in the registry",
        tag(
            "p",
            "MLflow lets anybody who may edit a model overwrite the files of a released version, and tells nobody. The "
            "vault's copy is what serves; the observer compares the registry with it and signs what changed.",
            class_="soft",
        ),
        tag("div", table(("version", "release", "finding", "of", "before and after"), rows), class_="scroll"),
    )


def audit_card(audit: Mapping[str, Any]) -> Markup:
    """Show the bundle that an auditor takes home, and what its program said."""
    checks = ((one["what"], one["result"]) for one in audit["held"]["checks"])
    spoiled = ((tag("code", one["code"]), shortened(one["text"])) for one in audit["spoiled"]["reasons"])
    return card(
        "Checked without AWS",
        tag(
            "p",
            tag("a", audit["bundle"], href=audit["bundle"]),
            f" holds {audit['files']} files: the record, the proofs, the root's history. ",
            tag("a", "verify.py", href="verify.py"),
            " checks it with Python's own library and the fingerprint of the trust root.",
            class_="soft",
        ),
        table(("checked", "result"), checks),
        tag("h3", "With one bit of the model flipped"),
        table(("reason", "what verify.py said"), spoiled),
        tag("h3", "What it could not know"),
        tag("ul", *(tag("li", one) for one in audit["held"]["unknown"])),
    )


def _linked(one: Mapping[str, Any]) -> Markup:
    return join([tag("a", one["title"], href=one["page"]), tag("div", tag("code", one["release"][:12]))])


def _verdict(one: Mapping[str, Any]) -> Markup:
    word, state = ("admitted", "passed") if one["verifies"] else ("refused", "failed")
    return tag("span", word, class_=state)


def _state(state: str | None) -> Markup:
    return tag("span", state or "–", class_="failed" if state in ("failed", "missing") else None)


def _reasons(one: Mapping[str, Any]) -> Markup:
    return tag(
        "details",
        tag("summary", f"Why {one['title']} is refused: {len(one['reasons'])} reasons"),
        tag("ul", *(tag("li", reason) for reason in one["reasons"])),
    )


def _told(change: Mapping[str, Any]) -> Markup:
    told = [f"{change['before'] or 'nothing'} → {change['after'] or 'gone'}", *change["details"]]
    return join(tag("div", shortened(one)) for one in told)
