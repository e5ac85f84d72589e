from __future__ import annotations

import os
from pathlib import Path

import pytest

from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.mlflow.registry import Credentials, ModelReference, Registry
from interlock.release.manifest import manifest_of
from tests.interlock.mlflow_server import RunningServer


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("credit/3", ModelReference("credit", version="3")),
        ("team/credit/12", ModelReference("team/credit", version="12")),
        ("credit@champion", ModelReference("credit", alias="champion")),
    ],
)
def test_a_reference_names_a_version_or_an_alias(text: str, reference: ModelReference) -> None:
    assert ModelReference.parse(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize("text", ["", "credit", "credit/", "/3", "credit/latest", "credit@", "@champion", "credit/-1"])
def test_anything_else_is_refused_with_what_would_be_accepted(text: str) -> None:
    with pytest.raises(BadInput, match="NAME/VERSION or NAME@ALIAS"):
        ModelReference.parse(text)


def test_a_version_and_its_alias_stand_for_the_same_logged_model(mlflow: RunningServer, registered: str) -> None:
    registry = Registry(mlflow.uri, mlflow.admin)
    source = registry.resolve(ModelReference(registered, version="1"))
    assert source == registry.resolve(ModelReference(registered, alias="candidate"))
    assert source.logged_model_id.startswith("m-")
    assert source.run_id


def test_what_is_downloaded_is_what_the_server_stores_and_nothing_more(
    mlflow: RunningServer, registered: str, tmp_path: Path
) -> None:
    registry = Registry(mlflow.uri, mlflow.admin)
    source = registry.resolve(ModelReference(registered, version="1"))
    folder = registry.download(source, tmp_path / "files")
    stored = next(found.parent for found in mlflow.artifacts.rglob("MLmodel") if source.logged_model_id in found.parts)
    assert manifest_of(folder) == manifest_of(stored)
    assert manifest_of(registry.download(source, tmp_path / "again")) == manifest_of(folder)


@pytest.mark.parametrize(
    "reference",
    [
        ModelReference("credit", version="99"),
        ModelReference("nobody", version="1"),
        ModelReference("credit", alias="none"),
    ],
)
def test_an_unknown_version_is_bad_input(mlflow: RunningServer, registered: str, reference: ModelReference) -> None:
    with pytest.raises(BadInput):
        Registry(mlflow.uri, mlflow.admin).resolve(reference)


def test_a_wrong_password_is_a_refusal_and_stands_in_no_message(mlflow: RunningServer, registered: str) -> None:
    credentials = Credentials("admin", "not-the-password")
    with pytest.raises(Refusal) as refused:
        Registry(mlflow.uri, credentials).resolve(ModelReference(registered, version="1"))
    assert "not-the-password" not in str(refused.value) + repr(credentials)


def test_credentials_leave_the_environment_as_it_was(mlflow: RunningServer, registered: str) -> None:
    before = dict(os.environ)
    Registry(mlflow.uri, mlflow.admin).resolve(ModelReference(registered, version="1"))
    assert dict(os.environ) == before


def test_a_server_that_does_not_answer_is_an_outside_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OutsideFailure):
        Registry("http://127.0.0.1:9", Credentials("a", "b")).resolve(ModelReference("credit", version="1"))


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        ("hollow", {}, "it holds no files"),
        ("lines", {"MLmodel": b"x", "a\nb": b"x"}, "does not hand out a file under the name that it lists"),
        ("escapes", {"sub/a\x1b[31mb": b"x"}, "does not hand out a file under the name that it lists"),
        ("queries", {"a#?b": b"x"}, "does not hand out a file under the name that it lists"),
    ],
)
def test_files_under_names_that_no_release_has_are_refused_in_one_message(
    mlflow: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    files: dict[str, bytes],
    said: str,
) -> None:
    import mlflow as client

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", mlflow.admin.username)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", mlflow.admin.password)
    client.set_tracking_uri(mlflow.uri)
    client.set_registry_uri(mlflow.uri)
    asked, model = client.MlflowClient(), client.initialize_logged_model(name="model")
    client.finalize_logged_model(model.model_id, "READY")
    asked.create_registered_model(name)
    asked.create_model_version(name, source=f"models:/{model.model_id}", model_id=model.model_id)
    folder = mlflow.artifacts / model.artifact_location.removeprefix("mlflow-artifacts:/")
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = Registry(mlflow.uri, mlflow.admin)
    with pytest.raises(Refusal, match="cannot be a release") as refused:
        registry.download(registry.resolve(ModelReference(name, version="1")), tmp_path / "files")
    assert any(said in reason for reason in refused.value.reasons), refused.value.reasons
