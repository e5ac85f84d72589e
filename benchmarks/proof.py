"""How long the proof takes, by the number of roles and endpoints; and whether it catches every seeded mistake."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from rich.table import Table

from interlock.duties.boundaries import Boundary, boundary_arn, boundary_policy
from interlock.duties.duty_world import duty_world
from interlock.duties.proof.prove import prove
from interlock.duties.service_roles import trust_policy
from interlock.duties.world import NamedDocument, Principal, World
from rehearsal.session import Session
from tests.interlock.duties.landscapes import DEPLOYING, LAND, PEOPLE, WORKLOAD
from tests.interlock.duties.proof.mutations import mutations

NAME = "proof"
QUESTION = (
    "How long does the proof of the duties take with 0 to 1,000 further roles and endpoints, and what escapes it?"
)
COUNTS: Final = tuple(int(one) for one in os.environ.get("INTERLOCK_BENCH_COUNTS", "0,100,300,1000").split(","))


def grown(count: int) -> World:
    """Return the duties' world with `count` further endpoints, each served under a role of its own."""
    endpoints = (*LAND.endpoints, *(f"interlock-prod-{number}" for number in range(count)))
    world = duty_world(replace(LAND, endpoints=endpoints), PEOPLE)
    return world.model_copy(update={"principals": (*world.principals, *(_serving(number) for number in range(count)))})


def _serving(number: int) -> Principal:
    releases = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::vault-primary/releases/*"}
    return Principal(
        arn=f"arn:aws:iam::{WORKLOAD}:role/interlock/services/serving-{number}",
        trust=json.loads(trust_policy("sagemaker.amazonaws.com", WORKLOAD)),
        identity=(NamedDocument(name="serve", document={"Version": "2012-10-17", "Statement": [releases]}),),
        boundary=NamedDocument(
            name=Boundary.SERVICE.value,
            document=json.loads(boundary_policy(Boundary.SERVICE, LAND)),
            editable_arn=boundary_arn(Boundary.SERVICE, LAND),
        ),
    )


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Prove each world once; then the documents with every seeded mistake, of which none may be proved."""
    del session
    table = Table("roles", "endpoints", "seconds", "processor seconds", "for each further role and endpoint", "holds")
    alone: float | None = None
    for count in COUNTS:
        report(f"proving with {count} further roles and endpoints")
        world = grown(count)
        begun, worked = time.perf_counter(), time.process_time()
        outcomes = prove(world)
        taken, spent = time.perf_counter() - begun, time.process_time() - worked
        report(f"proved in {spent:.2f} s of processor time")
        alone = spent if count == 0 else alone
        table.add_row(
            str(len(world.principals)),
            str(len(LAND.endpoints) + count),
            f"{taken:.2f}",
            f"{spent:.2f}",
            f"{1000 * (spent - alone) / count:.1f} ms" if count and alone is not None else "",
            str(all(one.holds for one in outcomes)),
        )
    table.add_section()
    tried, missed = _mistakes(report)
    table.add_row("seeded mistakes", str(tried), "", "", "", f"{missed} escaped")
    return table


def _mistakes(report: Callable[[str], None]) -> tuple[int, int]:
    tried = missed = 0
    for one in mutations(duty_world(LAND, DEPLOYING)):
        tried += 1
        if all(outcome.holds for outcome in prove(one.world)):
            missed += 1
            report(f"escaped: {one.kind}: {one.name}")
    return tried, missed
