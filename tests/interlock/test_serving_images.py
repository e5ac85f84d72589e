"""Which images of before a model goes on with, once the serving template has another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock import deploying
from interlock.admission import Anchor
from interlock.aws.endpoint import EndpointClient
from interlock.aws.serving import EarlierImages, model_request, strangeness
from interlock.cli.main import app
from interlock.clients import StackClients
from interlock.deploying import shift_traffic
from interlock.duties.duty import SigningDuty
from interlock.failures import Refusal
from interlock.manifest import StackManifest
from interlock.manifest_parts import EndpointPart
from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.image import ImageReference, ImageSource, envelope_key, image_statement
from interlock.release.signing import Signer
from interlock.release.trust.document import Distrust, TrustRoot
from interlock.running import running_releases
from interlock.serving_images import SignedImages
from tests.interlock.manifests import manifest_document
from tests.interlock.release.memory import MemoryVault
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import HOUR, KEYS, World, approved_world

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/serving"
REPLICA = REPOSITORY.replace("eu-west-1", "eu-central-1")
EARLIER, PRESENT = "a" * 64, "b" * 64
FILES = {"entrypoint.py": "1" * 64, "environment": "2" * 64, "trust-root.fingerprint": "3" * 64}
LATER = NOW + 5 * HOUR
APPROVED = approved_world()
ROOT = APPROVED.trust(LATER).root


def sign_for(
    vault: MemoryVault,
    digest: str,
    files: Mapping[str, str] = FILES,
    signer: Signer = KEYS["builder"],
    *,
    repository: str = REPOSITORY,
    name: str = "serving",
    under: str | None = None,
) -> None:
    """Put an image's envelope where the builder does, or under another image's digest."""
    statement = image_statement(ImageReference(repository, digest), ImageSource(name, files))
    content = seal(statement, signer).content
    vault.put(envelope_key("serving", under or digest, statement), content, sha256(content).hex())


def at(digest: str, repository: str = REPOSITORY) -> str:
    return f"{repository}@sha256:{digest}"


def reasons(vault: MemoryVault, root: TrustRoot = ROOT, image: str = at(EARLIER), now: str = at(PRESENT)) -> str:
    return "; ".join(SignedImages(vault, root, REPOSITORY).reasons_against(image, now))


@pytest.fixture
def vault() -> MemoryVault:
    made = MemoryVault()
    sign_for(made, PRESENT, {**FILES, "entrypoint.py": "9" * 64})
    return made


def test_an_earlier_image_for_the_same_environment_and_root_goes_on_in_each_region(vault: MemoryVault) -> None:
    sign_for(vault, EARLIER)
    assert reasons(vault) == ""
    assert reasons(vault, image=at(EARLIER, REPLICA), now=at(PRESENT, REPLICA)) == ""


@pytest.mark.parametrize("name", ["environment", "trust-root.fingerprint"])
@pytest.mark.parametrize("has", [None, "f" * 64])
def test_an_earlier_image_for_another_environment_or_root_does_not(
    vault: MemoryVault, name: str, has: str | None
) -> None:
    files = {path: digest for path, digest in FILES.items() if path != name}
    sign_for(vault, EARLIER, {**files, name: has} if has else files)
    assert reasons(vault) == f"its file {name} is not the one of the image that the template has now"


def test_two_images_that_say_nothing_of_environment_and_root_say_the_same_for_nobody() -> None:
    vault = MemoryVault()
    for digest in (EARLIER, PRESENT):
        sign_for(vault, digest, {"entrypoint.py": "1" * 64})
    assert "its file environment" in reasons(vault)
    assert "its file trust-root.fingerprint" in reasons(vault)


def test_an_image_that_nobody_who_may_signed_for_does_not_go_on(vault: MemoryVault) -> None:
    assert "nobody who may has signed" in reasons(vault)
    sign_for(vault, EARLIER, signer=KEYS["deployer"])
    assert "nobody who may has signed" in reasons(vault)


def test_a_template_whose_own_image_nobody_signed_for_lets_no_other_go_on() -> None:
    vault = MemoryVault()
    sign_for(vault, EARLIER)
    assert f"nobody who may has signed for {at(PRESENT)}" in reasons(vault)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"under": EARLIER, "digest": "c" * 64}, "is about another image"),
        ({"repository": f"{REPOSITORY}-of-others"}, "is about another image"),
        ({"name": "runner"}, "it is an image of 'runner'"),
    ],
)
def test_a_statement_about_something_else_lets_no_image_go_on(
    vault: MemoryVault, changes: dict[str, Any], said: str
) -> None:
    digest = changes.pop("digest", EARLIER)
    sign_for(vault, digest, **changes)
    assert said in reasons(vault)


def test_a_distrusted_builders_word_counts_for_nothing_and_an_ended_ones_counts(vault: MemoryVault) -> None:
    sign_for(vault, EARLIER)
    root, builder = ROOT, KEYS["builder"].key_id
    ended = root.keys[builder].model_copy(update={"valid_until": root.keys[builder].valid_from + timedelta(minutes=1)})
    assert reasons(vault, root.model_copy(update={"keys": {**root.keys, builder: ended}})) == ""
    distrusted = ended.model_copy(update={"distrusted": Distrust(since=LATER, reason="stolen")})
    assert "nobody who may has signed" in reasons(
        vault, root.model_copy(update={"keys": {**root.keys, builder: distrusted}})
    )


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (f"{REPOSITORY}:latest", "accepted is <registry>/<repository>@sha256"),
        (at(EARLIER, "elsewhere.example/interlock/serving"), "it is of another repository"),
    ],
)
def test_an_image_by_a_tag_or_from_elsewhere_does_not_go_on(vault: MemoryVault, image: str, said: str) -> None:
    sign_for(vault, EARLIER)
    assert said in reasons(vault, image=image)


class SageMaker:
    """Describes one endpoint: green without traffic, its model as it was made with the earlier image."""

    def __init__(self, part: EndpointPart, model: Mapping[str, Any]) -> None:
        self.part, self.model, self.shares = part, model, {"blue": 1.0, "green": 0.0}

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        weights = {"CurrentInstanceCount": 1, "DesiredInstanceCount": 1}
        variants = [
            {"VariantName": name, "CurrentWeight": share, "DesiredWeight": share, **weights}
            for name, share in self.shares.items()
        ]
        return {"EndpointStatus": "InService", "EndpointConfigName": "c", "ProductionVariants": variants}

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        models = {"blue": self.part.holding_model_name, "green": self.model["ModelName"]}
        return {"ProductionVariants": [{"VariantName": name, "ModelName": one} for name, one in models.items()]}

    def describe_model(self, ModelName: str) -> Mapping[str, Any]:
        assert ModelName == self.model["ModelName"]
        return self.model

    def update_endpoint_weights_and_capacities(self, **wanted: Any) -> None:
        self.shares = {one["VariantName"]: one["DesiredWeight"] for one in wanted["DesiredWeightsAndCapacities"]}


class Site:
    """A stack whose serving image changed since a release was deployed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world: World = APPROVED.spoiled()
        self.anchor = Anchor(self.world.roots[0].fingerprint)
        document = manifest_document()
        document["environment"] = "prod"
        document["images"] = {"serving": {"name": "interlock/serving", "arn": "arn:aws:ecr:x", "url": REPOSITORY}}
        (part,) = document["endpoints"].values()
        part["serving_template"]["image"] = at(PRESENT)
        self.manifest = StackManifest.model_validate(document)
        (self.part,) = self.manifest.endpoints.values()
        old = self.part.serving_template.model_copy(update={"image": at(EARLIER)})
        self.model: dict[str, Any] = dict(
            model_request(
                self.manifest.stack,
                self.part.model_copy(update={"serving_template": old}),
                self.world.digest,
                with_record=True,
            )
        )
        self.sagemaker = SageMaker(self.part, self.model)
        monkeypatch.setattr("interlock.admission.read_logs", lambda *_: ([self.world.view(LATER)], []))
        monkeypatch.setattr(deploying, "datetime", SimpleNamespace(now=lambda _: LATER))

    @property
    def clients(self) -> StackClients:
        found: Any = StackClients(self.manifest)
        found.__dict__ |= {
            "sagemaker": self.sagemaker,
            "vault_reader": self.world.vault,
            "vault_writer": self.world.vault,
            "signer": lambda duty: KEYS[duty.value] if duty is SigningDuty.DEPLOYER else None,
        }
        clients: StackClients = found
        return clients

    def shift(self, green: float) -> None:
        shift_traffic(self.clients, None, {"blue": 1 - green, "green": green}, anchor=self.anchor)

    def found(self) -> tuple[list[str], list[str]]:
        (one,) = [one for one in running_releases(self.clients, self.world.trust(LATER)) if one.variant == "green"]
        return [str(reason) for reason in one.reasons], [str(note) for note in one.notes]

    @property
    def served(self) -> list[str]:
        return [key for key in self.world.vault.objects if key.startswith("decisions/")]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(monkeypatch)


def test_a_release_on_an_earlier_image_gets_traffic_is_said_to_serve_and_is_only_noted(site: Site) -> None:
    for digest in (EARLIER, PRESENT):
        sign_for(site.world.vault, digest)
    site.shift(1.0)
    assert site.sagemaker.shares == {"blue": 0.0, "green": 1.0}
    assert len(site.served) == 2
    reasons, notes = site.found()
    assert reasons == []
    assert [at(EARLIER) in one for one in notes] == [True]


def test_a_release_on_an_image_that_nobody_signed_for_gets_no_traffic_and_is_found(site: Site) -> None:
    sign_for(site.world.vault, PRESENT)
    with pytest.raises(Refusal, match="keeps the traffic as it is") as refused:
        site.shift(1.0)
    assert f"nobody who may has signed for {at(EARLIER)}" in refused.value.reasons[0]
    assert site.sagemaker.shares == {"blue": 1.0, "green": 0.0}
    reasons, notes = site.found()
    assert ([f"nobody who may has signed for {at(EARLIER)}" in one for one in reasons], notes) == ([True], [])


def test_an_earlier_image_excuses_nothing_else_of_a_model(site: Site) -> None:
    for digest in (EARLIER, PRESENT):
        sign_for(site.world.vault, digest)
    site.model["PrimaryContainer"]["Environment"]["PYTHONPATH"] = "/opt/ml"
    with pytest.raises(Refusal, match="keeps the traffic as it is") as refused:
        site.shift(1.0)
    assert refused.value.reasons[0].endswith("PrimaryContainer.Environment has PYTHONPATH as well")


def test_where_nobody_signs_for_images_a_model_has_the_templates_own(site: Site) -> None:
    state = EndpointClient(site.sagemaker, site.manifest.stack, site.part).state()  # type: ignore[arg-type]
    (fault,) = state.variants["green"].faults
    assert "without a trust root" in fault


def test_traffic_leaves_for_the_holding_variant_whatever_the_root_and_the_image(site: Site) -> None:
    site.sagemaker.shares = {"blue": 0.5, "green": 0.5}
    shift_traffic(site.clients, None, {"blue": 1.0, "green": 0.0}, anchor=Anchor("0" * 64))
    assert site.sagemaker.shares == {"blue": 1.0, "green": 0.0}


def test_a_model_without_an_image_is_strange_whoever_signs(site: Site) -> None:
    class Everything:
        def reasons_against(self, image: str, present: str) -> list[str]:
            return [] if image and present else ["asked about nothing"]

    every: EarlierImages = Everything()
    container = {name: value for name, value in site.model["PrimaryContainer"].items() if name != "Image"}
    described = {**site.model, "PrimaryContainer": container}
    (fault,) = strangeness(site.manifest.stack, site.part, site.world.digest, described, every)
    assert fault.startswith("PrimaryContainer.Image is None")


def test_the_status_tells_a_model_on_another_image_from_one_that_is_none_of_the_stacks(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.cli.endpoint.load_clients", lambda _: site.clients)
    monkeypatch.setenv("COLUMNS", "300")
    assert (
        ", on another image than the serving template has now" in CliRunner().invoke(app, ["endpoint", "status"]).output
    )
    container = site.model["PrimaryContainer"]
    site.model["PrimaryContainer"] = {**container, "Image": at(PRESENT), "Environment": {}}
    assert ", not as this stack makes it" in CliRunner().invoke(app, ["endpoint", "status"]).output
