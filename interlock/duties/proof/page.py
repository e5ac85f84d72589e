"""The certificate as one page that stands by itself, for somebody who was not there."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from interlock.duties.proof.certificate import Certificate, Claim, Counterexample

_STYLE: Final = """
:root { color-scheme: light dark; --page:#f6f7f9; --card:#fff; --ink:#1b2330; --soft:#5b6675; --line:#dfe3e9;
  --good:#18855a; --bad:#c22f2f; }
@media (prefers-color-scheme: dark) { :root { --page:#12161c; --card:#1a2029; --ink:#e7ebf1; --soft:#a0abba;
  --line:#303947; --good:#52c796; --bad:#ff7d7d; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--page); color:var(--ink); font:16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width:64rem; margin:0 auto; padding:2rem 1.25rem 4rem; }
h1 { font-size:1.9rem; line-height:1.2; margin:0 0 .4rem; }
h2 { font-size:1.2rem; margin:0 0 .5rem; }
p { margin:0 0 .7rem; max-width:48rem; }
.soft { color:var(--soft); }
section { background:var(--card); border:1px solid var(--line); border-radius:.7rem; padding:1.2rem 1.4rem;
  margin-top:1.1rem; }
.claim { display:grid; grid-template-columns:5.5rem 1fr; gap:.3rem 1rem; padding:.55rem 0;
  border-top:1px solid var(--line); }
.claim:first-of-type { border-top:0; }
.verdict { font-weight:650; } .good { color:var(--good); } .bad { color:var(--bad); }
.wrong { grid-column:1/-1; border-left:.3rem solid var(--bad); padding:.2rem 0 .2rem .9rem; margin:.3rem 0; }
code { font:.84em/1.45 ui-monospace, Menlo, Consolas, monospace; overflow-wrap:anywhere; }
ol { margin:.3rem 0 .3rem 1.2rem; padding:0; } li { margin:.15rem 0; }
table { border-collapse:collapse; width:100%; font-size:.9rem; }
th, td { text-align:left; padding:.35rem .8rem .35rem 0; border-bottom:1px solid var(--line); vertical-align:top;
  overflow-wrap:anywhere; }
th { color:var(--soft); font-weight:600; font-size:.82rem; } tr:last-child td { border-bottom:0; }
details summary { cursor:pointer; font-weight:600; }
@media print { body { background:#fff; } section { break-inside:avoid; } }
"""
_MOST_SHOWN: Final = 5


def page(certificate: Certificate) -> str:
    """Return the certificate as HTML that needs nothing from elsewhere."""
    proved = certificate.proved
    heading = "Duties are separate" if proved else "Duties are not separate"
    kind, verdict = ("good", "proved") if proved else ("bad", "refuted")
    return "".join(
        (
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{heading}: {escape(certificate.stack)}</title><style>{_STYLE}</style><main>",
            f'<h1>{heading} <span class="{kind}">{verdict}</span></h1>',
            _introduction(certificate),
            _section("What is claimed", *(_claim(one) for one in certificate.claims)),
            _section("Who has which duty", _people(certificate)),
            _section("What this rests on", _assumptions(certificate)),
            _section("How it was found", _METHOD),
            _documents(certificate),
            "</main></html>",
        )
    )


def _introduction(certificate: Certificate) -> str:
    failed = sum(not one.holds for one in certificate.claims)
    verdict = (
        f"All {len(certificate.claims)} claims below hold of all {len(certificate.documents)} policy documents."
        if certificate.proved
        else f"{failed} of {len(certificate.claims)} claims do not hold. Each comes with requests that show it."
    )
    return (
        "<p>A model reaches production only with evidence, another person’s approval and a deployment, each by "
        "somebody else and each signed with its own key. This page says whether the IAM, KMS and S3 policies of the "
        f"stack <b>{escape(certificate.stack)}</b> make it impossible for one person to do it alone, to weaken the "
        f"record of it, or to lock others out of their work. {verdict}</p>"
        f'<p class="soft">Read from {escape(certificate.source)}, {certificate.made:%Y-%m-%d %H:%M} UTC. '
        f"World <code>sha256:{certificate.world_sha256}</code></p>"
    )


_METHOD: Final = (
    "<p>Every policy of the stack is read as AWS reads it: a denial anywhere wins; otherwise every service "
    "control policy, the role’s boundary and a grant must all allow, and a key or a role only what its own policy "
    "lets. For each claim a solver (z3) is asked for <i>any</i> request that breaks it, over every value that its "
    "context could have. From each person, every way onward is followed: assuming a role, passing one to a "
    "service, replacing code or an image that runs under it, editing its trust, its policies or its boundary, "
    "making a new one. That no such request exists is the proof. Where one exists, a second program that knows "
    "nothing of the solver, the evaluator, has decided each request again, and both agree.</p>"
)


def _claim(claim: Claim) -> str:
    verdict = '<span class="verdict good">holds</span>' if claim.holds else '<span class="verdict bad">refuted</span>'
    shown = "".join(_counterexample(one) for one in claim.counterexamples[:_MOST_SHOWN])
    more = len(claim.counterexamples) - _MOST_SHOWN
    rest = f'<p class="wrong">and {more} more, in the JSON document</p>' if more > 0 else ""
    return f'<div class="claim">{verdict}<div>{escape(claim.sentence)}</div>{shown}{rest}</div>'


def _counterexample(one: Counterexample) -> str:
    requests = "".join(
        f"<li><code>{escape(request.principal)}</code> asks for <b>{escape(request.action)}</b> on "
        f"<code>{escape(request.resource)}</code></li>"
        for request in one.requests
    )
    chain = f"<p>Way: {escape(' → '.join(one.steps))}</p>" if one.steps else ""
    asked = f"<ol>{requests}</ol><p class='soft'>The evaluator: {one.decided}.</p>" if one.requests else ""
    return f'<div class="wrong"><p><b>{escape(one.words)}</b></p>{chain}{asked}</div>'


def _people(certificate: Certificate) -> str:
    pairs = ", ".join(f"{one} – {other}" for one, other in certificate.exclusions)
    people = _table(
        ("Name", "Comes as", "Duties"), ((one.name, one.kind, ", ".join(one.duties)) for one in certificate.people)
    )
    return f"{people}<p class='soft'>No one may reach both of: {escape(pairs)}.</p>"


def _assumptions(certificate: Certificate) -> str:
    return _table(
        ("Assumed, because no policy can say it", "What would show that it is not so"),
        ((one.what, one.detected_by) for one in certificate.assumptions),
    )


def _documents(certificate: Certificate) -> str:
    listed = _table(("Document", "SHA-256 of its canonical JSON"), certificate.documents.items())
    return (
        f"<section><details><summary>The {len(certificate.documents)} documents that this is about</summary>{listed}"
        "</details></section>"
    )


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _section(heading: str, *content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{''.join(content)}</section>"
