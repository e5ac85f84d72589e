"""The champion is whoever a deployer admitted last under the name, whatever anybody says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from interlock.admission import compared
from interlock.passports import passport_from
from interlock.release.champion import champion_of, comparison
from interlock.release.evidence import Evidence
from interlock.release.pin_statement import PinPredicate
from interlock.release.predicates import Predicate
from interlock.release.vault import ObjectVersion
from interlock.release.verification.readings import read
from interlock.release.verification.summary import summary_of, summary_statement
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import (
    HOUR,
    KEYS,
    MEASURED,
    MINUTE,
    World,
    admitted_world,
    approved_world,
)

FILES = {"MLmodel": b"flavors: {}\n", "data/model.bin": b"other weights"}


@pytest.fixture
def serving() -> World:
    """A release that was admitted four hours after it was pinned."""
    return admitted_world()


def beside(serving: World, named: str = "loans", weights: bytes = b"other weights") -> World:
    """Return another release in the same vault."""
    other = World(files={**FILES, "data/model.bin": weights}, roots_of=serving)
    other.pin(name=named)
    for gate in MEASURED:
        other.show(gate)
    other.sequence(NOW + HOUR)
    serving.vault.objects.update(other.vault.objects)
    other.vault = serving.vault
    return other


def champion(world: World, digest: str, name: str = "loans", environment: str = "prod") -> str | None:
    return champion_of(world.vault, world.trust(NOW), digest, name, environment)


def test_a_challenger_s_champion_is_what_a_deployer_admitted_under_its_name(serving: World) -> None:
    challenger = beside(serving)
    assert champion(serving, challenger.digest) == serving.digest
    assert champion(serving, challenger.digest, name="others") is None
    assert champion(serving, challenger.digest, environment="staging") is None


def test_the_first_release_of_a_name_has_no_champion() -> None:
    world = approved_world()
    assert champion(world, "ab" * 32) is None
    assert champion(admitted_world(), admitted_world().digest) is None


def test_of_several_the_last_one_admitted_serves(serving: World) -> None:
    challenger = beside(serving)
    challenger.decide(challenger.admit(), at=NOW + 6 * HOUR, passed=True)
    assert champion(serving, "ab" * 32) == challenger.digest
    # Each was a challenger of those before it alone.
    assert champion(serving, challenger.digest) == serving.digest
    assert champion(serving, serving.digest) is None


def test_asking_for_a_release_under_another_name_makes_it_no_champion_of_that_name(serving: World) -> None:
    poor = beside(serving, named="toy")
    poor.decide(poor.admit(), at=NOW + 6 * HOUR, passed=True)
    poor.pin(submitter="creator-2", name="loans", version="9")
    assert champion(serving, "ab" * 32) == serving.digest
    assert champion(serving, "ab" * 32, name="toy") == poor.digest


def test_a_release_that_serves_under_another_name_is_a_challenger_of_whoever_serves_now(serving: World) -> None:
    other = beside(serving, named="toy")
    other.decide(other.admit(), at=NOW + 3 * HOUR, passed=True)
    other.pin(submitter="creator-2", name="loans", version="9")
    assert champion(serving, other.digest) == serving.digest


@pytest.mark.parametrize(("policy", "tier"), [("0" * 64, "high"), (None, "critical")])
def test_a_decision_under_another_policy_or_tier_than_the_pin_s_makes_no_champion(
    policy: str | None, tier: str
) -> None:
    world = approved_world()
    summary = summary_of(
        world.digest, environment="prod", policy=policy or world.policy.digest, tier=tier,
        inputs=world.admit().rests_on, passed=True, now=NOW + 4 * HOUR, version="0.1.0",
    )  # fmt: skip
    world.write(Predicate.VERIFICATION, dict(summary_statement(world.digest, summary).predicate), KEYS["deployer"])
    assert champion(world, "ab" * 32) is None


def test_a_refusal_makes_no_champion() -> None:
    world = approved_world()
    world.decide(world.admit(), passed=False)
    assert champion(world, "ab" * 32) is None


def test_a_decision_under_another_duty_s_key_makes_no_champion() -> None:
    world = approved_world()
    verdict = world.admit()
    summary = summary_of(
        world.digest, environment="prod", policy=world.policy.digest, tier="high", inputs=verdict.rests_on,
        passed=True, now=NOW + 4 * HOUR, version="0.1.0",
    )  # fmt: skip
    statement = summary_statement(world.digest, summary)
    world.write(Predicate.VERIFICATION, dict(statement.predicate), KEYS["builder"])
    assert champion(world, "ab" * 32) is None


@pytest.mark.parametrize("end", ["revoke", "retire"])
def test_what_was_revoked_or_retired_is_no_champion_any_more(serving: World, end: str) -> None:
    challenger = beside(serving)
    getattr(serving, end)("approver-4")
    assert champion(serving, challenger.digest) is None


def test_whoever_verifies_is_told_whom_it_was_compared_with_and_who_serves(serving: World) -> None:
    challenger = beside(serving)
    record = challenger.record()
    found = compared(serving.vault, serving.trust(NOW), record, challenger.admit(now=NOW + timedelta(hours=5)))
    assert found is not None
    assert (found.compared, found.serving, found.holds) == ((), serving.digest, False)
    assert str(found) == f"compared with no champion; serving is {serving.digest}"


def test_a_first_release_is_said_to_have_had_no_champion() -> None:
    world = approved_world()
    found = compared(world.vault, world.trust(NOW), world.record(), world.admit())
    assert found is not None
    assert (found.holds, str(found)) == (True, "compared with no champion: none of its name served before it")


def test_of_evidence_beside_several_champions_that_of_the_pin_s_own_counts(serving: World) -> None:
    challenger = beside(serving)
    challenger.show("performance", data={"champion": serving.digest}, inputs="2" * 64)
    record, trust = challenger.record(), challenger.trust(NOW)
    (pin,) = [one.what for one in read(record, trust.root).pins]
    evidence = [one.what for one in read(record, trust.root).evidence]
    assert pin.request is not None
    asked = pin.request.document.model_copy(update={"name": "fresh"})
    fresh = pin.model_copy(update={"request": pin.request.model_copy(update={"document": asked})})

    def told(of: PinPredicate, *shown: Evidence) -> tuple[bool, str]:
        found = comparison(challenger.vault, trust, challenger.digest, of, shown)
        assert found is not None
        return found.holds, str(found)

    assert told(pin, *evidence) == (True, f"compared with {serving.digest}, which served before it")
    assert told(fresh, *evidence) == (True, "compared with no champion: none of its name served before it")
    alone = [one for one in evidence if "champion" not in one.data]
    assert told(pin, *alone) == (False, f"compared with no champion; serving is {serving.digest}")


@pytest.mark.parametrize("last", [True, False])
def test_the_passport_shows_the_measures_beside_the_champion_of_its_pin(serving: World, last: bool) -> None:
    challenger = beside(serving)
    moment = NOW + (2 * MINUTE if last else timedelta(0))
    measured = challenger.show(
        "performance", data={"champion": serving.digest}, inputs="2" * 64, ended_at=moment.isoformat()
    )
    challenger.sequence(NOW + HOUR)
    record, verdict, trust = challenger.record(), challenger.admit(), challenger.trust(NOW)
    opened = passport_from(challenger.vault, trust, record, verdict, now=NOW + 5 * HOUR)
    assert opened.champion is not None
    assert opened.champion.digest == serving.digest
    (performance,) = [one for one in opened.gates if one.name == "performance"]
    assert performance.payload == measured


def decisions_of(world: World) -> list[str]:
    return [key for key in world.vault.objects if key.startswith(f"decisions/{world.digest}/")]


@pytest.mark.parametrize(("written", "stands"), [(4 * HOUR, True), (6 * HOUR, False), (None, False)])
def test_a_champion_stays_one_whose_deployer_s_key_was_distrusted_after_the_store_took_the_decision(
    serving: World, written: timedelta | None, stands: bool
) -> None:
    if written is not None:
        serving.vault.written = dict.fromkeys(decisions_of(serving), NOW + written)
    serving.change_root(distrusted="deployer", since=NOW + 5 * HOUR)
    assert champion(serving, "ab" * 32) == (serving.digest if stands else None)


def test_a_decision_that_is_dated_ahead_makes_no_champion_for_longer_than_the_store_says(serving: World) -> None:
    challenger = beside(serving)
    earlier = challenger.decide(challenger.admit(), at=NOW + 500 * HOUR, passed=True)
    (ahead,) = [key for key in decisions_of(challenger) if earlier in key]
    serving.vault.written = {**dict.fromkeys(decisions_of(serving), NOW + 4 * HOUR), ahead: NOW + 3 * HOUR}
    assert champion(serving, "ab" * 32) == serving.digest


@pytest.mark.parametrize("stated", [-24 * HOUR, 3 * HOUR, 500 * HOUR])
def test_no_date_that_a_decision_on_a_challenger_gives_itself_takes_its_champion_away(
    serving: World, stated: timedelta
) -> None:
    challenger = beside(serving)
    challenger.decide(challenger.admit(), at=NOW + stated, passed=True)
    serving.vault.written = dict.fromkeys(decisions_of(serving), NOW + 4 * HOUR)
    serving.vault.written |= dict.fromkeys(decisions_of(challenger), NOW + 6 * HOUR)
    assert champion(serving, challenger.digest) == serving.digest
    assert champion(serving, serving.digest) is None
    assert champion(serving, "ab" * 32) == challenger.digest, "the store took it last"


def test_only_what_was_decided_on_since_the_champion_is_read(serving: World, monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = (beside(serving, named="toy", weights=text) for text in (b"older", b"newer"))
    for world, at in ((older, NOW + 3 * HOUR), (newer, NOW + 6 * HOUR)):
        world.decide(world.admit(), at=at, passed=True)
        serving.vault.written |= dict.fromkeys(decisions_of(world), at)
    serving.vault.written |= dict.fromkeys(decisions_of(serving), NOW + 4 * HOUR)
    seen: list[str] = []
    versions = serving.vault.versions

    def listed(prefix: str) -> Iterator[ObjectVersion]:
        seen.append(prefix)
        return versions(prefix)

    monkeypatch.setattr(serving.vault, "versions", listed)
    assert champion(serving, "ab" * 32) == serving.digest
    assert any(newer.digest in prefix for prefix in seen)
    assert not any(older.digest in prefix for prefix in seen)
