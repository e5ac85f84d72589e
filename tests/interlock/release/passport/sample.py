"""A release with evidence of every shape that a passport draws, beside the champion that it is compared with."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from interlock.release.evidence import Evidence, Measure, Outcome, Slice, inputs_digest
from interlock.release.passport.model import Other, Passport, passport_of
from interlock.release.pin_statement import Code, Dataset, Training
from interlock.release.predicates import Predicate
from interlock.release.record import gather
from interlock.release.tiers import parse_policy
from interlock.release.verification.readings import read
from interlock.release.verification.trust import read_trust
from tests.interlock.release.audit.world import START, World
from tests.interlock.release.policies import EXAMPLE

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e&\"'"


def measure(
    name: str, value: float, width: float = 0.03, *, of: tuple[str, str] | None = None, n: int = 900
) -> Measure:
    number = Decimal(str(round(value, 4)))
    around = Decimal(str(width))
    where = Slice(attribute=of[0], value=of[1]) if of else None
    return Measure(name=name, value=number, low=number - around, high=number + around, count=n, of=where)


def evidence(world: World, gate: str, measures: list[Measure], details: dict[str, Any], **changes: Any) -> Evidence:
    limits = world.policy.tiers[next(t for t in world.policy.tiers if t.value == "high")].evidence[gate].limits
    judged = tuple(
        one.against(limits[one.name]) if one.name in limits and not one.suppressed else one for one in measures
    )
    broken = [one for one in judged if one.holds is False]
    reasons = [f"{one.name} is {one.value}, limit {one.limit}" for one in broken]
    given: dict[str, Any] = {
        "gate": gate,
        "gate_version": "interlock 0.1.0",
        "policy": world.policy.digest,
        "tier": "high",
        "inputs": inputs_digest(gate, "interlock 0.1.0", world.policy.digest, {}, {}),
        "outcome": Outcome.FAILED if broken else Outcome.PASSED,
        "reasons": tuple(reasons),
        "measures": judged,
        "details": details,
        "data": {"evaluation": "ab" * 32},
        "started_at": world.now,
        "ended_at": world.now,
    }
    return Evidence(**{**given, **changes})


def roc(power: float) -> list[list[str]]:
    return [[f"{x / 50:.4f}", f"{(x / 50) ** power:.4f}"] for x in range(51)]


def performance(world: World, area: float, *, champion: bool) -> Evidence:
    measures = [
        measure("area_under_curve", area),
        measure("log_loss", 0.412, 0.01),
        measure("accuracy", 0.84, 0.02),
        measure("area_under_curve_gain", round(area - 0.789, 3), 0.015),
    ]
    for group, value, count in (("married", 0.83, 610), ("single", 0.77, 290)):
        measures.append(measure("slice_area_under_curve", value, 0.04, of=("married", group), n=count))
    bins = [
        {"from": f"{b / 10}", "to": f"{(b + 1) / 10}", "predicted": f"{b / 10 + 0.05:.3f}",
         "observed": f"{min(1, b / 10 + 0.05 + 0.04 * math.sin(b)):.3f}", "count": str(40 + 30 * b)}
        for b in range(10)
    ]  # fmt: skip
    details: dict[str, Any] = {"roc": roc(0.3), "calibration": bins}
    if champion:
        details["champion_roc"] = roc(0.42)
    unchecked = ("how it does on applications after the last quarter",)
    return evidence(world, "performance", measures, details, unchecked=unchecked)


def fairness(world: World, impact: float) -> Evidence:
    measures = []
    for group, rate, count in (("white", 0.87, 1680), ("black", 0.87 * impact, 197), ("hispanic", 0.79, 108)):
        measures.append(measure("selection_rate", rate, 0.02 + 3 / count, of=("race", group), n=count))
        measures.append(measure("disparate_impact", rate / 0.87, 0.02 + 5 / count, of=("race", group), n=count))
        measures.append(measure("true_positive_rate", min(1.0, rate + 0.08), 0.03, of=("race", group), n=count - 40))
    suppressed = Slice(attribute="race", value="other")
    measures.append(Measure(name="selection_rate", suppressed=True, of=suppressed))
    measures.append(Measure(name="disparate_impact", suppressed=True, of=suppressed))
    measures.append(
        measure("demographic_parity_difference", 0.87 * (1 - impact), 0.04, of=("race", "all groups"), n=1985)
    )
    measures.append(measure("equal_opportunity_difference", 0.05, 0.03, of=("race", "all groups"), n=1700))
    unchecked = ("disparate_impact for race: other: too few rows to tell",)
    return evidence(world, "fairness", measures, {"threshold": "0.5", "table": "out_of_fold"}, unchecked=unchecked)


def skew(world: World) -> Evidence:
    names = ["-1", "0", "1", "2", "3", "missing"]
    histograms = [
        {"column": f"loan_to_value_{c}", "bins": names, "training": ["0.1", "0.3", "0.3", "0.2", "0.1", "0"],
         "serving": ["0.08", "0.27", "0.33", "0.2", "0.1", "0.02"]}
        for c in range(2)
    ]  # fmt: skip
    columns = (("loan_to_value", 0.02), ("income", 0.11))
    measures = [measure("population_stability_index", v, 0.01, of=("column", c)) for c, v in columns]
    return evidence(world, "training-serving-skew", measures, {"histograms": histograms})


def explained(world: World) -> Evidence:
    features = ("loan_to_value", "obligations", "credit_history", "self_employed", "unemployment_rate")
    bars = [
        {"column": name, "mean_absolute": f"{0.4 / (i + 1):.4f}", "direction": f"{(-1) ** i * 0.9:.1f}",
         "spread": [f"{-0.5 / (i + 1):.4f}", f"{0.1 * (-1) ** i / (i + 1):.4f}", f"{0.6 / (i + 1):.4f}"]}
        for i, name in enumerate(features)
    ]  # fmt: skip
    return evidence(world, "explainability", [measure("top_share", 0.42)], {"bars": bars, "method": "exact"})


def build(
    *, impact: float, area: float, version: str, salt: bytes = b"", approved: bool = True, hostile: str = ""
) -> World:
    files = {"MLmodel": b"flavors: {}\n" + salt, "model/weights.bin": bytes(4096) + salt}
    world = World(files=files, policy=parse_policy(EXAMPLE.read_bytes()))
    source = {"registry": "https://mlflow", "name": "loans" + hostile, "version": version, "logged_model_id": "m-1f"}
    world.pin(
        source=source,
        code=Code(repository="git@example.org:risk/loans", revision="4c1f0e" + version),
        training=Training(run_id="r-77", user="creator-1" + hostile, started_at=START, ended_at=START),
        data=(
            Dataset(
                name="applications" + hostile, context="training", source="s3://lake/apps", digest="0a1b" + version
            ),
        ),
        sources=("s3://lake/apps",),
    )
    for one in (performance(world, area, champion=True), fairness(world, impact), skew(world), explained(world)):
        world.say(Predicate.EVIDENCE, one, "builder")
    zero = {"contract-tests": "failed_cases", "data-validation": "failed_checks", "lineage": "unapproved_sources",
            "privacy": "findings", "file-safety": "unsafe_files", "documents": "missing_documents"}  # fmt: skip
    for gate, name in zero.items():
        world.say(Predicate.EVIDENCE, evidence(world, gate, [Measure(name=name, value=Decimal(0))], {}), "builder")
    world.say(Predicate.EVIDENCE, evidence(world, "drift-reference", [], {}), "builder")
    world.say(Predicate.EVIDENCE, evidence(world, "latency", [measure("p95_milliseconds", 41.2, 3)], {}), "builder")
    world.say(
        Predicate.EVIDENCE, evidence(world, "robustness", [measure("changed_decisions", 0.031, 0.004)], {}), "builder"
    )
    sbom = [Measure(name=n, value=Decimal(0)) for n in ("critical_vulnerabilities", "refused_licences")]
    if approved:
        world.say(Predicate.EVIDENCE, evidence(world, "sbom", sbom, {}), "builder")
    world.sequence()
    world.approve("approver-1", reason="the figures hold; the model card says who it is for" + hostile)
    if approved:
        world.approve("approver-2", reason="read the groups")
    else:
        world.act(Predicate.REJECTION, "approver-3", "rejected_at", reason="the group of 197 is served worse" + hostile)
    world.sequence()
    return world


def other(world: World) -> Other:
    trust = read_trust(world.vault, world.root.fingerprint, now=world.now)
    record = gather(world.vault, world.digest, trust.public_keys())
    return Other(world.digest, "loans/2", record, read(record, trust.root))


def passport(world: World, champion: World | None = None) -> Passport:
    trust = read_trust(world.vault, world.root.fingerprint, now=world.now)
    record = gather(world.vault, world.digest, trust.public_keys())
    against = other(champion) if champion else None
    return passport_of(record, read(record, trust.root), world.verdict(), trust, now=world.now, champion=against)
