"""How many decisions a second the evaluator makes, by the number of statements that have a say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from moto.iam.access_control import IAMPolicy
from rich.table import Table

from interlock.duties.evaluator.decision import Decision, decide
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Layers, Request, role_session
from rehearsal.session import Session

NAME = "evaluator"
QUESTION = (
    "How many decisions a second over identity, resource, boundary and control policies of 10 to 1,000 statements?"
)
COUNTS: Final = (10, 100, 1_000)
_SECONDS: Final = 2.0
_ACCOUNT: Final = "123456789012"
_SESSION: Final = role_session(f"arn:aws:iam::{_ACCOUNT}:role/deployer", "ana")
_REQUEST: Final = Request(
    _SESSION, "s3:GetObject", "arn:aws:s3:::vault/releases/a", {"aws:SourceIp": "10.0.0.1"}, resource_account=_ACCOUNT
)


def statements(count: int) -> list[dict[str, Any]]:
    """Return `count` statements on as many prefixes of one bucket; only the last one allows the request."""
    others = [
        {
            "Sid": f"Prefix{number}", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::vault/prefix-{number}/*",
            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        }
        for number in range(count - 1)
    ]  # fmt: skip
    return [
        *others,
        {"Sid": "Releases", "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::vault/releases/*"},
    ]


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Measure each number of statements, with and without parsing, beside moto's own identity policies."""
    del session
    measured: list[tuple[int, float, float, float]] = []
    for count in COUNTS:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements(count)})
        layers = _layers(document)
        if not decide(_REQUEST, layers).allowed:
            raise RuntimeError("the benchmark's own request is not allowed")
        simple = IAMPolicy({"policy_document": document})
        measured.append(
            (
                count,
                a_second(partial(decide, _REQUEST, layers)),
                a_second(partial(_parsed_and_decided, document)),
                a_second(partial(simple.is_action_permitted, _REQUEST.action, _REQUEST.resource)),
            )
        )
        report(f"{count} statements: {measured[-1][1]:.0f} decisions a second")
    return table(measured)


def a_second(act: Callable[[], object]) -> float:
    """Return how often an act is done in a second of processor time, which other programs do not shorten."""
    act()
    done, start = 0, time.process_time()
    while (passed := time.process_time() - start) < _SECONDS:
        act()
        done += 1
    return done / passed


def table(measured: Sequence[tuple[int, float, float, float]]) -> Table:
    """Return a row a count: decisions a second, and as ratios with parsing and of moto's evaluation."""
    made = Table(title="Decisions a second over four layers, one of them with as many statements")
    for heading in (
        "statements",
        "parsed once",
        "parsed each time",
        "parsing costs",
        "moto, identity only",
        "against moto",
    ):
        made.add_column(heading, justify="right")
    for count, once, each, moto in measured:
        made.add_row(
            str(count), f"{once:,.0f}", f"{each:,.0f}", f"{once / each:.1f} ×", f"{moto:,.0f}", f"{once / moto:.2f} ×"
        )
    made.caption = "moto evaluates one identity policy without conditions, boundaries, control or resource policies"
    return made


def _parsed_and_decided(document: str) -> Decision:
    return decide(_REQUEST, _layers(document))


def _layers(document: str) -> Layers:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    plain = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    bucket = {**plain, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    return Layers(
        identity=(parse(document, PolicyKind.IDENTITY, "deployer"),),
        resource=parse({"Version": "2012-10-17", "Statement": [bucket]}, PolicyKind.RESOURCE, "vault"),
        boundary=parse(everything, PolicyKind.BOUNDARY, "boundary"),
        scps=((parse(everything, PolicyKind.SCP, "FullAWSAccess"),),),
    )
