from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlock.failures import OutsideFailure, Refusal
from interlock.mlflow.registry import Credentials, ModelReference, Registry
from interlock.mlflow.watching import MlflowEye
from interlock.release.finding import ChangeKind
from interlock.release.manifest import manifest_of
from interlock.release.pinning import pin
from interlock.release.watching import Pinned, pinned_versions, watch
from tests.interlock.mlflow_server import RunningServer
from tests.interlock.release.memory import LocalSigner, MemoryVault


@dataclass(frozen=True)
class Watching:
    """A registered model with a pinned version, somebody who may change it, and an observer."""

    name: str
    logged_model: str
    client: Any
    eye: MlflowEye
    digest: str
    vault: MemoryVault
    builder: LocalSigner
    observer: LocalSigner

    def kinds(self) -> list[ChangeKind]:
        (pinned,) = pinned_versions(self.digest, self.vault, {"builder": self.builder.public_key})
        seen = watch(
            pinned,
            self.eye,
            reader=self.vault,
            writer=self.vault,
            signer=self.observer,
            observers={"observer": self.observer.public_key},
            now=datetime.now(UTC),
        )
        return [] if seen.finding is None else [one.kind for one in seen.finding.changes]


@pytest.fixture
def client(mlflow: RunningServer, registered: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", mlflow.admin.username)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", mlflow.admin.password)
    return MlflowClient(mlflow.uri, mlflow.uri)


@pytest.fixture
def watching(mlflow: RunningServer, client: Any, registered: str, tmp_path: Path) -> Watching:
    first = client.get_model_version(registered, "1")
    name = f"watched-{uuid.uuid4().hex[:8]}"
    client.create_registered_model(name)
    # A logged model of its own, because a test may change its files.
    made = client.create_logged_model(experiment_id="0", name="model")
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "weights.bin").write_bytes(b"weights")
    client.log_model_artifacts(made.model_id, str(folder))
    client.finalize_logged_model(made.model_id, "READY")
    client.create_model_version(name, f"models:/{made.model_id}", run_id=first.run_id, model_id=made.model_id)
    registry = Registry(mlflow.uri, mlflow.admin)
    source = registry.resolve(ModelReference(name, "1"))
    vault, builder = MemoryVault(), LocalSigner()
    pinned = pin(registry.download(source, tmp_path / "pinned"), source, writer=vault, reader=vault, signer=builder)
    eye = MlflowEye(registry)
    found = Watching(name, made.model_id, client, eye, pinned.digest, vault, builder, LocalSigner("observer"))
    assert found.kinds() == []
    return found


def test_an_artifact_that_is_logged_over_a_ready_model_is_found(watching: Watching, tmp_path: Path) -> None:
    evil = tmp_path / "weights.bin"
    evil.write_bytes(b"weighTs")
    watching.client.log_model_artifact(watching.logged_model, str(evil))
    assert watching.kinds() == [ChangeKind.FILES_OVERWRITTEN]
    assert watching.kinds() == []


def test_a_logged_model_that_is_deleted_is_found(watching: Watching) -> None:
    watching.client.delete_logged_model(watching.logged_model)
    assert watching.kinds() == [ChangeKind.FILES_GONE]


def test_edits_and_aliases_are_found(watching: Watching) -> None:
    client, name = watching.client, watching.name
    client.set_registered_model_alias(name, "champion", "1")
    assert watching.kinds() == [ChangeKind.ALIAS_MOVED]
    client.set_model_version_tag(name, "1", "approved", "yes")
    assert watching.kinds() == [ChangeKind.VERSION_EDITED]
    client.update_model_version(name, "1", "quite \x1b[31msafe")
    assert watching.kinds() == [ChangeKind.VERSION_EDITED]
    client.update_registered_model(name, "for everybody")
    client.set_registered_model_tag(name, "owner", "somebody")
    assert watching.kinds() == [ChangeKind.MODEL_EDITED, ChangeKind.MODEL_EDITED]
    client.delete_model_version_tag(name, "1", "approved")
    client.delete_registered_model_alias(name, "champion")
    assert watching.kinds() == [ChangeKind.VERSION_EDITED, ChangeKind.ALIAS_MOVED]


def test_a_model_that_is_renamed_is_found_under_its_new_name(watching: Watching) -> None:
    watching.client.rename_registered_model(watching.name, f"{watching.name}-2")
    assert watching.kinds() == [ChangeKind.MODEL_RENAMED]
    watching.client.rename_registered_model(f"{watching.name}-2", watching.name)
    assert watching.kinds() == [ChangeKind.MODEL_RENAMED]


def test_a_version_that_is_deleted_is_found(watching: Watching) -> None:
    watching.client.delete_model_version(watching.name, "1")
    assert watching.kinds() == [ChangeKind.VERSION_DELETED]


def test_a_model_that_is_deleted_and_made_again_under_the_same_name_and_number_is_found(watching: Watching) -> None:
    client, name = watching.client, watching.name
    source = client.get_model_version(name, "1").source
    client.delete_registered_model(name)
    client.create_registered_model(name)
    assert str(client.create_model_version(name, source, model_id=watching.logged_model).version) == "1"
    assert ChangeKind.VERSION_RECREATED in watching.kinds()


def test_a_prompt_whose_text_is_replaced_or_that_is_deleted_is_found(
    mlflow: RunningServer, client: Any, tmp_path: Path
) -> None:
    from mlflow.entities.model_registry import ModelVersionTag

    name = f"watched-{uuid.uuid4().hex[:8]}"
    client.register_prompt(name, "Answer {{question}} with the sources that you were given.")
    registry = Registry(mlflow.uri, mlflow.admin)
    eye, found = MlflowEye(registry), registry.prompt(name, "1")
    source = found.origin.source
    pinned = eye.files(source, tmp_path / "pinned")
    assert pinned is not None
    manifest = manifest_of(pinned)
    digest, vault, observer = manifest.subject_digest, MemoryVault(), LocalSigner("observer")

    def kinds() -> list[ChangeKind]:
        seen = watch(
            Pinned(digest, source, manifest), eye, reader=vault, writer=vault, signer=observer,
            observers={"observer": observer.public_key}, now=datetime.now(UTC),
        )  # fmt: skip
        return [] if seen.finding is None else [one.kind for one in seen.finding.changes]

    assert kinds() == []
    # MLflow's client refuses to touch a prompt's tags; its server does not.
    store = client._get_registry_client().store
    store.set_model_version_tag(name, "1", ModelVersionTag("mlflow.prompt.text", "Answer {{question}} as you like."))
    assert ChangeKind.FILES_OVERWRITTEN in kinds()
    assert kinds() == []
    client.delete_prompt_version(name, "1")
    assert kinds() == [ChangeKind.FILES_GONE, ChangeKind.VERSION_DELETED]


@pytest.mark.parametrize("written", ['{"temperature": NaN}', '{"max_tokens": 9007199254740993}', "{", "[" * 100_000])
def test_a_prompt_that_cannot_be_read_any_more_is_found_as_overwritten_and_refused_as_a_release(
    mlflow: RunningServer, client: Any, tmp_path: Path, written: str
) -> None:
    from mlflow.entities.model_registry import ModelVersionTag

    name = f"watched-{uuid.uuid4().hex[:8]}"
    client.register_prompt(name, "Answer {{question}}.")
    registry = Registry(mlflow.uri, mlflow.admin)
    eye, source = MlflowEye(registry), registry.prompt(name, "1").origin.source
    pinned = eye.files(source, tmp_path / "pinned")
    store = client._get_registry_client().store
    store.set_model_version_tag(name, "1", ModelVersionTag("_mlflow_prompt_model_config", written))
    there = eye.files(source, tmp_path / "there")
    assert pinned is not None
    assert there is not None
    assert manifest_of(there).subject_digest != manifest_of(pinned).subject_digest
    assert eye.facts(source)
    with pytest.raises(Refusal, match="cannot be a release"):
        registry.prompt(name, "1")


def test_a_file_that_the_server_does_not_hand_out_is_found(watching: Watching, mlflow: RunningServer) -> None:
    location = watching.client.get_logged_model(watching.logged_model).artifact_location
    folder = mlflow.artifacts / location.partition(":/")[2].lstrip("/")
    (folder / "%2e%2e").mkdir()
    (folder / "%2e%2e" / "x").write_text("x")
    assert watching.kinds() == [ChangeKind.FILES_OVERWRITTEN]
    assert watching.kinds() == []


def test_who_may_not_look_or_gets_no_answer_finds_nothing(
    mlflow: RunningServer, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pinned,) = pinned_versions(watching.digest, watching.vault, {"builder": watching.builder.public_key})
    with pytest.raises(Refusal):
        MlflowEye(Registry(mlflow.uri, Credentials("stranger", "wrong"))).facts(pinned.source)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OutsideFailure):
        MlflowEye(Registry("http://127.0.0.1:9", mlflow.admin)).facts(pinned.source)
    assert len([key for key in watching.vault.objects if key.startswith("findings/")]) == 1
