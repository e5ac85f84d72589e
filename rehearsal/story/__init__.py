"""The story that a rehearsal tells: a model goes from training to traffic on a stack that really comes up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rehearsal.layers import FOUNDATION, PLATFORM
from rehearsal.report import write_report
from rehearsal.story import (
    amending,
    approving,
    auditing,
    bootstrapping,
    breaching,
    challenging,
    checking,
    destruction,
    granting,
    guarding,
    pinning,
    proving,
    provisioning,
    recording,
    recovery,
    registration,
    serving,
    submitting,
    traffic,
    trusting,
    watching,
    working,
)
from rehearsal.story.candidates import CHALLENGER, CHAMPION, REFUSED
from rehearsal.story.context import Context, StorySession, own_environment
from rehearsal.story.document import report_document
from rehearsal.story.runner import run_steps
from rehearsal.story.step import Outcome, Step, StepRecord

__all__ = ["STEPS", "Step", "tell"]

LAYERS = {FOUNDATION: "foundation", PLATFORM: "platform"}
START = "start the local cloud"
FOUNDATION_UP, PLATFORM_UP = "pulumi up, foundation", "pulumi up, platform"
INITIALIZED = "terraform init, infra/bootstrap"
BOOTSTRAPPED = "terraform apply, infra/bootstrap"
WATCHED, GUARDED = "terraform apply, infra/audit", "terraform apply, infra/guardrails"
FOUNDATION_REST = "pulumi up, the foundation's rest"
ROOT, AMENDED, BEGUN = "found the trust root", "change the policy", "begin the ledger"
SCHEDULED = "find what the ledger did by itself"
GRANTED = "read everybody's rights"
MEASURED, SAID = "record what was measured", "record what was said"
DECIDED, ENDED = "record the decision", "record the end"
CHALLENGED = "record what was measured of the challenger"
WORKED, COMPARED = "everybody does their work", "compare rights with their use"
GREEN = "deploy as green, at weight 0"
"""What nothing else stands on follows it: from then on the processors have little to do but traffic."""
REFRESHED = {stack: f"pulumi refresh, {layer}" for stack, layer in LAYERS.items()}
PREVIEWED = {stack: f"pulumi preview, {layer}" for stack, layer in LAYERS.items()}


def _refreshed(stack: str, *after: str) -> Step:
    return Step(REFRESHED[stack], provisioning.refresh(stack), after)


def _previewed(stack: str, *after: str) -> Step:
    # After the refresh, because one stack is worked on by one engine at a time.
    return Step(PREVIEWED[stack], provisioning.preview(stack), (REFRESHED[stack], *after))


STEPS: tuple[Step, ...] = (
    Step(START, provisioning.start),
    Step("people come in", provisioning.people_arrive, (START,)),
    Step(INITIALIZED, bootstrapping.initialize),
    # A trust policy names only those who are there.
    Step(BOOTSTRAPPED, bootstrapping.apply, ("people come in", INITIALIZED)),
    Step(FOUNDATION_UP, provisioning.foundation_up, (BOOTSTRAPPED,)),
    Step("prove the duties", proving.prove, (START,)),
    Step(PLATFORM_UP, provisioning.platform_up, (FOUNDATION_UP, "prove the duties")),
    Step(ROOT, trusting.found, (FOUNDATION_UP,)),
    # The ledger's functions among it, whose image has the fingerprint of the root in it.
    Step(AMENDED, amending.amend, (ROOT,)),
    Step(FOUNDATION_REST, provisioning.foundation_rest, (FOUNDATION_UP, ROOT)),
    Step(BEGUN, recording.begin, (FOUNDATION_REST, AMENDED)),
    Step(WATCHED, guarding.watch, (FOUNDATION_UP,)),
    # After what makes the foundation, as it will be; what follows is held.
    Step(GUARDED, guarding.restrain, (FOUNDATION_REST, WATCHED)),
    Step("train the candidates", registration.train, (FOUNDATION_UP,)),
    _refreshed(FOUNDATION, FOUNDATION_REST),
    _previewed(FOUNDATION),
    _refreshed(PLATFORM, PLATFORM_UP),
    Step("log and register", registration.register, (PLATFORM_UP, "train the candidates")),
    Step("refused by MLflow", registration.refused, ("log and register",)),
    Step("ask for release", submitting.ask, ("refused by MLflow", AMENDED)),
    Step("pin and sign", pinning.pin, ("ask for release",)),
    Step("check the first candidate", checking.check(REFUSED, "fairness", "performance"), ("pin and sign",)),
    Step("check the champion", checking.check(CHAMPION), ("pin and sign",)),
    Step(MEASURED, recording.record("what was measured"), (BEGUN, "check the first candidate", "check the champion")),
    Step("refuse the first candidate", approving.refuse_first, (MEASURED,)),
    Step("approve the champion", approving.approve_champion, (MEASURED,)),
    Step(SAID, recording.record("what was said"), ("approve the champion", "refuse the first candidate")),
    Step("look at the registry", watching.look_first, ("pin and sign",)),
    Step("read from the standby", recovery.read_from_standby, ("log and register",)),
    Step("knock at the databases", recovery.refused_outside, ("read from the standby", MEASURED)),
    Step("replicate the vault both ways", recovery.replicate, ("pin and sign", MEASURED)),
    # After whoever else is a user of MLflow, because a process is one user of it at a time.
    Step("rotate under load", recovery.rotate, ("read from the standby", "look at the registry")),
    Step("attack the vault", pinning.attack, ("pin and sign", MEASURED)),
    # After the refresh, because a deployment is a change that it would find.
    Step("deploy as blue", serving.deploy_blue, (SAID, REFRESHED[PLATFORM])),
    Step("compare every answer of blue", serving.compare_blue, ("deploy as blue",)),
    Step(DECIDED, recording.record("the deployer's decision"), ("deploy as blue",)),
    # Beside the comparison, because a deployment must not disturb what serves.
    Step(GREEN, serving.deploy_green, ("deploy as blue",)),
    _previewed(PLATFORM, GREEN),
    Step(GRANTED, granting.read_rights, (FOUNDATION_REST, GREEN)),
    Step("take the record home", auditing.take_home, (DECIDED, GREEN)),
    Step("attempt a breach", breaching.breach, (GREEN,)),
    Step(
        "compare every answer of green",
        serving.compare_green,
        (GREEN, "compare every answer of blue"),
    ),
    Step("shift to 95/5", traffic.first_shift, ("compare every answer of green",)),
    Step("shift the rest", traffic.later_shifts, ("shift to 95/5",)),
    Step("what CloudWatch counted", traffic.metrics, ("shift the rest",)),
    Step("find what changed in the registry", watching.find_what_changed, ("rotate under load", SAID, GREEN)),
    # After whoever else is a user of MLflow.
    Step("a challenger comes", challenging.come, ("find what changed in the registry",)),
    Step("check the challenger", checking.check(CHALLENGER), ("a challenger comes",)),
    Step(CHALLENGED, recording.record("what was measured of the challenger"), ("check the challenger",)),
    Step("read the passports", auditing.read_passports, (CHALLENGED,)),
    Step(
        "revoke the champion",
        approving.revoke_champion,
        ("read the passports", "what CloudWatch counted"),
    ),
    Step(ENDED, recording.record("the findings and the revocation"), ("revoke the champion",)),
    Step(SCHEDULED, recording.by_themselves, (ENDED,)),
    Step("refuse what was revoked", serving.refuse_revoked, (ENDED,)),
    Step("find what still serves", watching.find_revoked, (ENDED,)),
    # After what counts what lies in the vault.
    Step(WORKED, working.work, ("replicate the vault both ways", "take the record home")),
    Step(
        COMPARED,
        granting.compare,
        (
            *PREVIEWED.values(),
            GRANTED,
            WORKED,
            SCHEDULED,
            "refuse what was revoked",
            "find what still serves",
            "attack the vault",
            "attempt a breach",
            "rotate under load",
            "knock at the databases",
        ),
    ),
)

DESTROY = Step(
    "destroy",
    destruction.take_down,
    (
        *PREVIEWED.values(),
        COMPARED,
        "attack the vault",
        "attempt a breach",
        "rotate under load",
        "knock at the databases",
    ),
)


def tell(session: StorySession, report: Path | None, *, destroy: bool) -> int:
    """Tell the story on a session that is not started yet, and return 0, or 1 if a step failed.

    With `destroy` the stack is taken down at the end, else left up. The report, if one is wanted, is written
    whatever happens, an interruption included.
    """
    begun_at, begun = datetime.now(UTC), time.monotonic()
    checkout = Path(__file__).resolve().parents[2]
    context = Context(session=session, checkout=checkout, say=_say)
    steps: Sequence[Step] = (*STEPS, DESTROY) if destroy else STEPS
    records: list[StepRecord] = []
    with own_environment():
        try:
            run_steps(steps, context, records)
        finally:
            seconds = time.monotonic() - begun
            if report is not None:
                document = report_document(records, context, begun_at, seconds)
                page = write_report(report, document, context.certificate, context.kept_folder)
                _say(f"the report is {page}")
    return _conclusion(records, seconds)


def _conclusion(records: Sequence[StepRecord], seconds: float) -> int:
    failed = [record.name for record in records if record.outcome is Outcome.FAILED]
    not_run = [record.name for record in records if record.outcome is Outcome.NOT_RUN]
    if not failed and not not_run:
        _say(f"The whole story took {seconds:.0f} s; all {len(records)} steps passed.")
        return 0
    _say(f"The story broke off after {seconds:.0f} s at: {', '.join(failed)}.")
    if not_run:
        _say(f"Not run: {', '.join(not_run)}.")
    return 1


def _say(text: str) -> None:
    print(text, flush=True)
