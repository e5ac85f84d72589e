"""What the deployer does, and what is found running, over a release in memory and an endpoint that only remembers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from threading import RLock
from types import SimpleNamespace
from typing import Any

import pytest

from interlock import deploying
from interlock.admission import Anchor, is_governed
from interlock.aws.endpoint_state import EndpointState, VariantState, growing, unfit_to_grow
from interlock.deploying import deploy_release, shift_traffic
from interlock.duties.duty import SigningDuty
from interlock.failures import OutsideFailure, Refusal
from interlock.ledger.believing import Witnessed
from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.view import LedgerView
from interlock.release.acting import Written
from interlock.release.digests import sha256
from interlock.release.predicates import Predicate
from interlock.release.vault import Lock, StoredObject
from interlock.release.verification.admitted import Admitted
from interlock.release.verification.reason import ReasonCode
from interlock.release.verification.stored import Verification
from interlock.running import running_releases
from tests.interlock.release.memory import MemoryVault
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import HOUR, KEYS, World, admitted_world, approved_world, shown_world

APPROVED = approved_world()
LATER = NOW + 5 * HOUR
UNGOVERNED = Verification("a" * 64, (), None, (), None)


class Endpoint:
    """Two variants; blue has all the traffic."""

    def __init__(self) -> None:
        idle = VariantState("m", None, 0.0, 0.0, 1, 1, is_holding=True)
        variants = {"blue": replace(idle, current_weight=1.0, desired_weight=1.0), "green": idle}
        self.now = EndpointState("credit", "InService", "c", "", variants)
        self.asked: list[tuple[Any, ...]] = []
        self.broken = False

    def state(self) -> EndpointState:
        return self.now

    def put(self, variant: str, release: str) -> None:
        self.now = replace(
            self.now,
            variants={
                **self.now.variants,
                variant: replace(self.now.variants[variant], release=release, is_holding=False),
            },
        )

    def check(self, weights: Mapping[str, float], slot: str | None = None) -> None:
        assert slot in (None, "green")
        assert set(weights) == {"blue", "green"}

    def deploy(
        self, slot: str, admitted: Admitted, weights: Mapping[str, float] | None, *, others: Collection[Admitted]
    ) -> EndpointState:
        self.asked.append((slot, admitted.digest, weights, admitted.is_governed, [one.digest for one in others]))
        self.put(slot, admitted.digest)
        return self.settle(weights)

    def shift(self, weights: Mapping[str, float], admitted: Collection[Admitted]) -> EndpointState:
        self.asked.append(("shift", dict(weights), [one.digest for one in admitted]))
        return self.settle(weights)

    def settle(self, weights: Mapping[str, float] | None) -> EndpointState:
        if self.broken:
            raise OutsideFailure("credit did not become what was asked for")
        given = weights or {name: one.current_weight for name, one in self.now.variants.items()}
        variants = {name: replace(one, current_weight=given[name]) for name, one in self.now.variants.items()}
        self.now = replace(self.now, variants=variants)
        return self.now


class Site:
    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.endpoint = world, Endpoint()
        self.anchor = Anchor(world.roots[0].fingerprint)
        monkeypatch.setattr("interlock.admission.read_logs", lambda *_: ([world.view(LATER)], []))
        monkeypatch.setattr(deploying, "datetime", SimpleNamespace(now=lambda _: LATER))

    @property
    def clients(self) -> Any:
        return SimpleNamespace(
            vault_reader=self.world.vault,
            vault_writer=self.world.vault,
            endpoint=lambda *_, **__: self.endpoint,
            signer=lambda duty: KEYS[duty.value] if duty is SigningDuty.DEPLOYER else None,
            manifest=SimpleNamespace(environment="prod", endpoints={"credit": None}),
        )

    def deploy(self, weights: Mapping[str, float] | None = None) -> EndpointState:
        return deploy_release(self.clients, None, "green", self.world.digest, weights, anchor=self.anchor)

    @property
    def decisions(self) -> list[str]:
        """The deployer's summaries and what it says of serving, by key."""
        return [key for key in self.world.vault.objects if key.startswith("decisions/")]

    @property
    def served(self) -> list[tuple[str, str]]:
        """In which environment by which variant the deployer says that the release served."""
        said = (one.statement.predicate for one in self.world.record().of(Predicate.SERVED))
        return sorted((one["environment"], one["variant"]) for one in said)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(APPROVED.spoiled(), monkeypatch)


def test_what_is_admitted_is_deployed_with_its_record_and_the_deployer_signs_for_it_once(site: Site) -> None:
    site.deploy()
    assert site.served == []
    site.deploy({"blue": 0.0, "green": 1.0})
    assert site.endpoint.asked[0] == ("green", site.world.digest, None, True, [])
    assert len(site.endpoint.asked) == 2
    assert site.served == [("prod", "green")]
    assert len(site.decisions) == 2
    (one,) = site.world.record().decisions
    assert one.signers == {KEYS["deployer"].key_id}
    assert one.statement.predicate["verificationResult"] == "PASSED"
    assert one.statement.predicate["resourceUri"] == f"interlock:{site.world.digest}/prod"
    named = {descriptor["uri"] for descriptor in one.statement.predicate["inputAttestations"]}
    signed = {key for key in site.world.vault.objects if key.endswith(".dsse.json")}
    assert named == signed - set(site.decisions)


@pytest.mark.parametrize("objection", ["revoke", "reject", "retire"])
def test_what_was_said_against_a_release_stops_its_deployment_and_its_growth(site: Site, objection: str) -> None:
    getattr(site.world, objection)("approver-4")
    with pytest.raises(Refusal, match="does not verify for prod"):
        site.deploy()
    site.endpoint.put("green", site.world.digest)
    with pytest.raises(Refusal, match="does not verify for prod"):
        shift_traffic(site.clients, None, {"blue": 0.9, "green": 0.1}, anchor=site.anchor)
    assert (site.endpoint.asked, site.decisions) == ([], [])


def test_traffic_leaves_a_revoked_release_without_anybodys_leave(site: Site) -> None:
    site.world.revoke("approver-4")
    site.endpoint.put("blue", site.world.digest)
    shift_traffic(site.clients, None, {"blue": 0.0, "green": 1.0}, anchor=site.anchor)
    assert site.endpoint.asked == [("shift", {"blue": 0.0, "green": 1.0}, [])]


def test_a_governed_vault_admits_nothing_without_a_fingerprint(site: Site) -> None:
    with pytest.raises(Refusal, match="which root is to be believed"):
        deploy_release(site.clients, None, "green", site.world.digest)
    with pytest.raises(Refusal, match="is not to be believed"):
        deploy_release(site.clients, None, "green", site.world.digest, anchor=Anchor("0" * 64))
    assert site.endpoint.asked == []


def test_a_deployment_that_lets_another_variant_grow_asks_for_that_one_too(site: Site) -> None:
    site.endpoint.put("blue", "0" * 64)
    site.endpoint.now = replace(
        site.endpoint.now,
        variants={name: replace(one, current_weight=0.5) for name, one in site.endpoint.now.variants.items()},
    )
    with pytest.raises(Refusal, match=f"the release {'0' * 64} does not verify"):
        site.deploy({"blue": 0.8, "green": 0.2})


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"blue": 1.0, "green": 0.0}, []),
        ({"blue": 95.0, "green": 5.0}, ["green"]),
        ({"blue": 2.0, "green": 0.0}, []),
        ({"blue": 0.0, "green": 0.0}, []),
    ],
)
def test_what_grows_is_told_by_shares_and_not_by_weights(weights: dict[str, float], expected: list[str]) -> None:
    assert growing(Endpoint().state(), weights) == expected


def test_what_is_admitted_is_handed_to_the_endpoint_with_the_weights_that_let_it_grow(site: Site) -> None:
    site.endpoint.put("green", site.world.digest)
    shift_traffic(site.clients, None, {"blue": 0.9, "green": 0.1}, anchor=site.anchor)
    assert site.endpoint.asked == [("shift", {"blue": 0.9, "green": 0.1}, [site.world.digest])]


def test_what_an_endpoint_did_not_take_has_not_served_and_what_broke_off_is_completed(site: Site) -> None:
    site.endpoint.broken = True
    with pytest.raises(OutsideFailure):
        site.deploy({"blue": 0.0, "green": 1.0})
    assert (len(site.decisions), site.served) == (1, [])
    site.endpoint.broken = False
    site.world.vault.writes_left = 0
    with pytest.raises(ConnectionError):
        site.deploy({"blue": 0.0, "green": 1.0})
    assert site.served == []
    site.world.vault.writes_left = 10
    shift_traffic(site.clients, None, {"blue": 0.0, "green": 1.0}, anchor=site.anchor)
    assert site.served == [("prod", "green")]
    before = dict(site.world.vault.objects)
    site.deploy({"blue": 0.0, "green": 1.0})
    shift_traffic(site.clients, None, {"blue": 0.0, "green": 1.0})
    assert site.world.vault.objects == before
    (said,) = site.world.record().of(Predicate.SERVED)
    (decision,) = site.world.record().decisions
    assert said.statement.predicate["decision"] == decision.payload


def test_what_was_deployed_before_it_was_said_is_said_to_serve_by_the_next_shift_while_it_has_traffic(
    site: Site,
) -> None:
    site.deploy({"blue": 0.5, "green": 0.5})
    (said,) = [one.key for one in site.world.record().of(Predicate.SERVED)]
    del site.world.vault.objects[said]
    idle = {"blue": 1.0, "green": 0.0}
    site.endpoint.settle(idle)
    shift_traffic(site.clients, None, idle, anchor=site.anchor)
    assert site.served == []
    site.endpoint.settle({"blue": 0.5, "green": 0.5})
    shift_traffic(site.clients, None, {"blue": 0.5, "green": 0.5}, anchor=site.anchor)
    assert site.served == [("prod", "green")]


class Slow:
    """A vault on whose clock each file, and each lock, takes a while to read."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch, *, file: timedelta, lock: timedelta) -> None:
        self.now, self.read, vault = LATER, list[str](), site.world.vault
        self.meanwhile: Callable[[], object] = lambda: None
        describe, first_lock, one_reader = vault.describe, min(vault.objects), RLock()

        def described(key: str, version_id: str) -> StoredObject:
            if "/files/" in key:
                with one_reader:
                    self.read.append(key)
                    self.now += file
                    self.meanwhile()
            return describe(key, version_id)

        def locked(key: str, version_id: str) -> Lock | None:
            with one_reader:
                self.now += lock if key == first_lock else timedelta(0)
            return Lock("COMPLIANCE", LATER + timedelta(days=400))

        monkeypatch.setattr(vault, "describe", described)
        monkeypatch.setattr(vault, "lock", locked)
        monkeypatch.setattr("interlock.admission.read_logs", lambda *_: ([site.world.view(self.now)], []))
        monkeypatch.setattr(deploying, "datetime", SimpleNamespace(now=lambda _: self.now))


def lacking(world: World, leaves: int, at: datetime) -> LedgerView:
    """Return the log as it ends, of which a checkpoint of `leaves` at a time was witnessed before."""
    view = world.view(at + HOUR)
    earlier = Checkpoint(view.checkpoint.origin, leaves, view.tree.root(leaves), 0, at)
    return replace(view, sightings=(Witnessed(earlier, at, b""), *view.sightings))


def test_whoever_reads_a_large_release_for_long_signs_when_it_was_read_and_reads_it_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(site, monkeypatch, file=timedelta(minutes=25), lock=timedelta(0))
    leaves = len(site.world.leaves)
    site.deploy()
    files = len({key for key in site.world.vault.objects if "/files/" in key})
    assert sorted(slow.read) == sorted(set(slow.read))
    assert len(slow.read) == files
    (one,) = site.world.record().decisions
    assert datetime.fromisoformat(one.statement.predicate["timeVerified"]) == slow.now
    site.world.sequence(slow.now + timedelta(minutes=2))
    logs = [lacking(site.world, leaves, slow.now + timedelta(minutes=1))]
    assert [str(reason) for reason in site.world.admit(now=slow.now + HOUR, logs=logs).reasons] == []


def test_an_objection_that_comes_while_the_bytes_are_read_stops_the_deployment(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(site, monkeypatch, file=timedelta(minutes=25), lock=timedelta(0))
    said: list[str] = []
    slow.meanwhile = lambda: said.append(site.world.reject("approver-4", slow.now)) if not said else None
    with pytest.raises(Refusal, match="does not verify for prod") as refused:
        site.deploy()
    assert len(refused.value.reasons) == 1
    assert "approver-4 rejected it" in refused.value.reasons[0]
    assert (site.endpoint.asked, site.decisions) == ([], [])


@pytest.mark.parametrize(("lasts", "signs"), [(deploying.SIGNED_WITHIN, True), (timedelta(minutes=11), False)])
def test_a_verdict_that_grew_old_is_not_signed(
    site: Site, monkeypatch: pytest.MonkeyPatch, lasts: timedelta, signs: bool
) -> None:
    Slow(site, monkeypatch, file=timedelta(0), lock=lasts)
    if signs:
        site.deploy()
    else:
        with pytest.raises(Refusal, match="is older than 10 minutes") as refused:
            site.deploy()
        assert refused.value.next_step == "run it again"
    assert (len(site.decisions), len(site.endpoint.asked)) == (signs, signs)


def test_no_value_stands_for_an_admission_that_did_not_take_place(site: Site) -> None:
    decision = site.clients.vault_writer.put("decisions/x", b"", sha256(b"").hex())
    refused = shown_world().admit()
    written = Written(decision, "0" * 64, anew=True)
    cases: list[tuple[Any, Written | None]] = [
        (refused, written),
        (site.world.admit(), None),
        (admitted_world().load(), written),
    ]
    for found, given in [*cases, (replace(UNGOVERNED, reasons=refused.reasons), None)]:
        with pytest.raises(ValueError, match=r"does not verify|was not admitted"):
            Admitted(found, given)
    assert not Admitted(UNGOVERNED).is_governed


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({}, None),
        ({"release": None}, "runs m, which is no release of this stack's"),
        ({"release": None, "is_holding": True}, None),
        ({"release": "b" * 64}, "was not admitted"),
        ({"faults": ("PrimaryContainer.Image is 'evil'",)}, "PrimaryContainer.Image is 'evil'"),
    ],
)
@pytest.mark.parametrize("weights", [{"blue": 0.9, "green": 0.1}, {"blue": 1.0, "green": float("nan")}])
def test_only_what_was_admitted_or_holds_may_grow(
    changes: dict[str, Any], complaint: str | None, weights: dict[str, float]
) -> None:
    endpoint = Endpoint()
    endpoint.put("green", "a" * 64)
    variants = {**endpoint.now.variants, "green": replace(endpoint.now.variants["green"], **changes)}
    found = list(unfit_to_grow(replace(endpoint.now, variants=variants), weights, {"a" * 64}))
    assert [complaint in one for one in found] == [True] if complaint else found == []
    assert list(unfit_to_grow(replace(endpoint.now, variants=variants), weights, set(), "green")) == []


def test_a_vault_is_governed_once_its_newest_root_names_a_tiers_policy(site: Site) -> None:
    assert is_governed(site.world.vault)
    assert not is_governed(MemoryVault())
    broken = site.world.spoiled()
    broken.vault.objects["trust/3.root.json"] = broken.vault.objects.pop("trust/1.root.json")
    assert is_governed(broken.vault), "what cannot be read might say so"


def test_a_release_that_runs_and_was_revoked_is_found(site: Site) -> None:
    site.endpoint.put("green", site.world.digest)
    trust = site.world.trust(LATER)
    (quiet,) = running_releases(site.clients, trust)
    assert (quiet.variant, quiet.release, quiet.reasons, quiet.notes) == ("green", site.world.digest, (), ())
    site.world.retire("approver-4")
    (retired,) = running_releases(site.clients, trust)
    assert ([one.code for one in retired.reasons], [one.code for one in retired.notes]) == ([], [ReasonCode.RETIRED])
    site.world.revoke("approver-4")
    (revoked,) = running_releases(site.clients, trust)
    assert [one.code for one in revoked.reasons] == [ReasonCode.REVOKED]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"release": None, "model_name": "somebody-elses"}, "its model somebody-elses is of no release"),
        ({"faults": ("PrimaryContainer.Image is 'evil'",)}, "not what this stack makes of the release"),
    ],
)
def test_a_model_that_this_stack_did_not_make_is_found_where_it_runs(
    site: Site, changes: dict[str, Any], said: str
) -> None:
    site.endpoint.put("green", site.world.digest)
    variants = {**site.endpoint.now.variants, "green": replace(site.endpoint.now.variants["green"], **changes)}
    site.endpoint.now = replace(site.endpoint.now, variants=variants)
    (found,) = running_releases(site.clients, site.world.trust(LATER))
    assert [said in str(one) for one in found.reasons] == [True]
