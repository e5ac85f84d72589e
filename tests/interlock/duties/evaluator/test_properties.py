"""What holds of every decision, whatever the policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Layers, Request
from tests.interlock.duties.evaluator import drawn

CASES = 400


def cases(first_seed: int) -> Iterator[tuple[Random, Request, Layers]]:
    for seed in range(first_seed, first_seed + CASES):
        random = Random(seed)
        yield random, drawn.request(random), drawn.layers(random)


def test_every_request_has_one_answer_with_a_reason() -> None:
    answers: Counter[str] = Counter()
    for _, request, layers in cases(0):
        decision = decide(request, layers)
        assert not (decision.allowed and (decision.unknown or decision.explicit))
        assert decision.reason.startswith("allowed by " if decision.allowed else "denied: ")
        answers["allowed" if decision.allowed else "unknown" if decision.unknown else "denied"] += 1
    # The cases are worth drawing only while all three occur.
    assert min(answers["allowed"], answers["unknown"], answers["denied"]) > CASES // 20


def test_what_is_allowed_to_an_incomplete_request_is_allowed_however_it_is_completed() -> None:
    for random, request, layers in cases(10_000):
        if decide(replace(request, complete=False), layers).allowed:
            completed = replace(request, context={**drawn.context(random), **request.context}, complete=True)
            assert decide(completed, layers).allowed


def test_a_further_policy_that_only_denies_never_allows() -> None:
    for random, request, layers in cases(20_000):
        denying = drawn.policy(random, PolicyKind.IDENTITY, ["Deny"])
        narrowed = replace(layers, identity=(*layers.identity, denying))
        assert decide(request, layers).allowed or not decide(request, narrowed).allowed


def test_a_further_policy_that_only_allows_never_denies() -> None:
    for random, request, layers in cases(30_000):
        allowing = drawn.policy(random, PolicyKind.IDENTITY, ["Allow"])
        widened = replace(layers, identity=(*layers.identity, allowing))
        assert not decide(request, layers).allowed or decide(request, widened).allowed


def test_boundaries_session_and_control_policies_only_ever_take_away() -> None:
    for random, request, layers in cases(40_000):
        unlimited = replace(layers, boundary=None, session=(), scps=(), rcps=())
        limited = [
            replace(unlimited, boundary=drawn.policy(random, PolicyKind.BOUNDARY)),
            replace(unlimited, session=(drawn.policy(random, PolicyKind.SESSION),)),
            replace(unlimited, scps=((drawn.policy(random, PolicyKind.SCP),),)),
            replace(unlimited, rcps=((drawn.policy(random, PolicyKind.RCP),),)),
        ]
        assert decide(request, unlimited).allowed or not any(decide(request, one).allowed for one in limited)


def test_a_further_allow_of_the_resources_policy_never_denies() -> None:
    for random, request, layers in cases(50_000):
        allowing = drawn.policy(random, PolicyKind.RESOURCE, ["Allow"])
        own = layers.resource.statements if layers.resource else ()
        widened = replace(layers, resource=replace(allowing, statements=(*own, *allowing.statements)))
        assert not decide(request, layers).allowed or decide(request, widened).allowed
