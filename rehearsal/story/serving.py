"""Steps about the endpoint: deploy, ask, and compare every answer with the model's own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from interlock.aws.endpoint_state import EndpointState
from interlock.aws.invocation import InvocationClient
from interlock.deploying import deploy_release
from interlock.duties.duty import Role
from interlock.failures import Refusal
from rehearsal.story.candidates import CHAMPION, TrainedModel
from rehearsal.story.context import ENDPOINT, Context
from rehearsal.story.loans import FEATURES, rows_of
from rehearsal.story.step import Seen, Unexpected
from rehearsal.story.tally import Invocation, Tally

TOLERANCE = 1e-9
"""Largest difference between a served probability and the model's own: sums in another order, nothing more."""

CALLERS = 2
ROWS_OF_A_REQUEST = 25
"""How many applications are compared with one request; a shift's traffic is one application a request."""


def deploy_blue(context: Context) -> Seen:
    """Deploy the champion as blue, which takes all the traffic."""
    return _deploy(context, "blue", CHAMPION, {"blue": 1.0, "green": 0.0})


def deploy_green(context: Context) -> Seen:
    """Deploy the same release as green, which gets none yet."""
    return _deploy(context, "green", CHAMPION, None)


def _deploy(context: Context, slot: str, index: int, weights: dict[str, float] | None) -> Seen:
    digest = context.pins[index].digest
    state = deploy_release(
        context.clients_of(Role.DEPLOYER),
        ENDPOINT,
        slot,
        digest,
        weights,
        anchor=context.anchor,
        progress=context.busy,
    )
    found = state.variants[slot].release
    if found != digest:
        raise Unexpected(f"{slot} to serve release {digest}", f"{found}")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in state.shares().items())
    return Seen(
        f"release {digest[:12]} in service on {slot}; traffic {shares}", {"variant": slot, "state": state_fields(state)}
    )


def refuse_revoked(context: Context) -> Seen:
    """Try to deploy the champion once more, now that it is revoked."""
    digest = context.pins[CHAMPION].digest
    try:
        deploy_release(
            context.clients_of(Role.DEPLOYER), ENDPOINT, "blue", digest, anchor=context.anchor, progress=context.busy
        )
    except Refusal as refusal:
        said = next((one for one in refusal.reasons if "revoked" in one), "")
        if not said:
            raise Unexpected("the revocation among the reasons", "; ".join(refusal.reasons)) from refusal
        return Seen(
            f"release {digest[:12]} is not deployed again: {said}",
            {"refusals": [{"what": f"deploy {digest[:12]} after its revocation", "reasons": list(refusal.reasons)}]},
        )
    raise Unexpected(f"the revoked release {digest} to be refused", "it was deployed")


def state_fields(state: EndpointState) -> dict[str, object]:
    """Return an endpoint's state as plain data."""
    return {
        "configuration": state.configuration,
        "variants": {
            name: {"release": one.release, "weight": one.current_weight, "instances": one.current_count}
            for name, one in state.variants.items()
        },
    }


def compare_blue(context: Context) -> Seen:
    """Ask the endpoint for every held-out application and compare with the champion."""
    return _compare(context, CHAMPION, None)


def compare_green(context: Context) -> Seen:
    """Ask green by name, while the weights give it nothing, and compare with the champion."""
    return _compare(context, CHAMPION, "green")


def _compare(context: Context, index: int, variant: str | None) -> Seen:
    assert context.data is not None
    model = context.models[index]
    expected_variant = variant or "blue"
    served, answered_by = ask_for(
        context.clients.invocation(ENDPOINT),
        context.data.held_out.inputs,
        context.tally,
        rows_of_a_request=ROWS_OF_A_REQUEST,
        target=variant,
    )
    strangers = sorted(set(answered_by) - {expected_variant})
    if strangers:
        raise Unexpected(f"only {expected_variant} to answer", f"{', '.join(strangers)} did too")
    return compared(model, context.data.held_out.inputs, served)


def compared(model: TrainedModel, applications: pd.DataFrame, served: np.ndarray) -> Seen:
    """Compare probabilities that were served with the model's own. Raises Unexpected at the first difference."""
    own = model.predict(applications)
    if served.shape != own.shape:
        raise Unexpected(f"answers shaped {own.shape}", f"{served.shape}")
    difference = float(np.max(np.abs(served - own)))
    if not difference <= TOLERANCE:
        worst = int(np.argmax(np.max(np.abs(served - own), axis=1)))
        raise Unexpected(
            f"every answer within {TOLERANCE:g} of the model's own",
            f"application {worst}: served {served[worst].tolist()}, own {own[worst].tolist()}",
        )
    return Seen(
        f"{len(own)} of {len(own)} answers equal the model's own (largest difference {difference:.1e})",
        {
            "model": model.title,
            "largest_difference": difference,
            "pairs": [[round(float(a), 6), round(float(b), 6)] for a, b in zip(own[:, 1], served[:, 1], strict=True)],
        },
    )


def ask_for(
    client: InvocationClient,
    applications: pd.DataFrame,
    tally: Tally,
    *,
    rows_of_a_request: int,
    target: str | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Ask for every application; return the probabilities, shaped (applications, 2), and who answered each request."""
    rows = rows_of(applications)
    requests = [rows[start : start + rows_of_a_request] for start in range(0, len(rows), rows_of_a_request)]

    def ask(asked: list[list[float | None]]) -> tuple[list[list[float]], str]:
        start = time.perf_counter()
        answer = client.predict(FEATURES, asked, variant=target)
        tally.add(Invocation(answer.variant, datetime.now(UTC), time.perf_counter() - start))
        predictions = answer.predictions()
        if len(predictions) != len(asked):
            raise Unexpected(f"{len(asked)} predictions for as many applications", f"{len(predictions)}")
        return [list(one) for one in predictions], answer.variant

    with ThreadPoolExecutor(max_workers=CALLERS) as pool:
        answers = list(pool.map(ask, requests))
    return np.array([one for predictions, _ in answers for one in predictions]), [variant for _, variant in answers]
