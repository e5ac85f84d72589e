"""Finds what a model version's bytes are, and downloads exactly those."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlock.failures import BadInput, Failure, OutsideFailure, Refusal
from interlock.mlflow.artifacts import withheld
from interlock.mlflow.origin import Prompt, UnreadablePrompt, origin_of, prompt_of
from interlock.release.pin_statement import Origin
from interlock.release.pinning import ModelSource


class Withheld(Refusal):
    """A version whose files cannot be those of a release, so that its server does not even hand them out."""


_LOGGED_MODEL = re.compile(r"models:/(m-[0-9a-f]+)/?")
_REFUSED_STATUSES = (401, 403)


@dataclass(frozen=True)
class Credentials:
    """A user of the MLflow server."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class ModelReference:
    """A model version as a person names it: by number, or by an alias that points to one now."""

    name: str
    version: str | None = None
    alias: str | None = None

    @classmethod
    def parse(cls, text: str) -> ModelReference:
        """Read `NAME/VERSION` or `NAME@ALIAS`. Raises BadInput."""
        name, at, alias = text.rpartition("@")
        if at and name and alias and "/" not in alias:
            return cls(name=name, alias=alias)
        name, slash, version = text.rpartition("/")
        if slash and name and version.isascii() and version.isdigit():
            return cls(name=name, version=version)
        raise BadInput(f"model version: received {text!r}; accepted is NAME/VERSION or NAME@ALIAS, like credit/3")

    def __str__(self) -> str:
        return f"{self.name}@{self.alias}" if self.alias else f"{self.name}/{self.version}"


class Registry:
    """One MLflow server; without credentials, those of MLflow's own environment variables are used."""

    def __init__(self, uri: str, credentials: Credentials | None = None) -> None:
        self.uri = uri
        self._credentials = credentials

    def resolve(self, reference: ModelReference) -> ModelSource:
        """Return which logged model a reference stands for now.

        Raises BadInput if there is none, Refusal without permission, OutsideFailure if the server does not answer.
        """
        with self._session(f"look up {reference}"):
            client = self._client()
            found = (
                client.get_model_version_by_alias(reference.name, reference.alias)
                if reference.alias
                else client.get_model_version(reference.name, reference.version)
            )
            # The SQL store leaves `model_id` empty, so the source is the only place that names the logged model.
            logged_model = _LOGGED_MODEL.fullmatch(found.source or "")
            if logged_model is None:
                raise Refusal(
                    f"{reference} cannot be pinned: its source {found.source!r} is not a logged model",
                    next_step="log it with MLflow 3 (log_model(name=…)) and register that",
                )
            return ModelSource(
                registry="mlflow",
                name=found.name,
                version=str(found.version),
                logged_model_id=logged_model.group(1),
                run_id=found.run_id or "",
            )

    def download(self, source: ModelSource, folder: Path) -> Path:
        """Download the logged model's files, and nothing that a client adds to them, into the new folder `folder`.

        Raises as `resolve` does, and Withheld.
        """
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        folder.mkdir(parents=True)
        with self._session(f"download {source.logged_model_id}"):
            location = self._client().get_logged_model(source.logged_model_id).artifact_location
            try:
                # By location and not by `models:/…`, for which MLflow's client writes a file of its own beside them.
                return Path(download_artifacts(artifact_uri=location, dst_path=str(folder), tracking_uri=self.uri))
            except MlflowException as error:
                reasons = withheld(location, self.uri, error.message)
                if not reasons:
                    raise
                raise Withheld(f"{source.name}/{source.version} cannot be a release", reasons=reasons) from error

    def origin(self, source: ModelSource) -> Origin:
        """Return what the registry and the training run tell of where a model comes from. Raises as `resolve` does.

        A run that was deleted is said by its absence.
        """
        with self._session(f"look up the run {source.run_id} of {source.logged_model_id}"):
            client = self._client()
            run_id = client.get_logged_model(source.logged_model_id).source_run_id or source.run_id
            try:
                run = client.get_run(run_id) if run_id else None
            except Exception as error:
                if getattr(error, "error_code", "") != "RESOURCE_DOES_NOT_EXIST":
                    raise
                run = None
            return origin_of(source, run)

    def prompt(self, name: str, version: str) -> Prompt:
        """Return a prompt version of the prompt registry. Raises as `resolve` does, and Refusal for unreadable ones."""
        with self._session(f"look up the prompt {name}/{version}"):
            found = self._client().get_prompt_version(name, version)
        if found is None:
            raise BadInput(f"could not look up the prompt {name}/{version}: there is none")
        try:
            return prompt_of(found)
        except UnreadablePrompt as error:
            raise Refusal(f"the prompt {name}/{version} cannot be a release", reasons=[str(error)]) from error

    @contextlib.contextmanager
    def asking(self, attempt: str) -> Iterator[Any]:
        """Give MLflow's client to a block that makes an attempt. Raises as `resolve` does."""
        with self._session(attempt):
            yield self._client()

    def _client(self) -> Any:
        # Imported when needed: it takes seconds, and most commands do without.
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @contextlib.contextmanager
    def _session(self, attempt: str) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        with _environment(self._variables()):
            try:
                yield
            except MlflowException as error:
                raise _failure(attempt, self.uri, error) from error

    def _variables(self) -> dict[str, str]:
        variables = {
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3"),
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        }
        if self._credentials is not None:
            variables["MLFLOW_TRACKING_USERNAME"] = self._credentials.username
            variables["MLFLOW_TRACKING_PASSWORD"] = self._credentials.password
        return variables


def _failure(attempt: str, uri: str, error: Any) -> Failure:
    status = getattr(error, "get_http_status_code", lambda: 500)()
    message = f"could not {attempt}: {error.message}"
    if status in _REFUSED_STATUSES or any(f"error code {refused}" in error.message for refused in _REFUSED_STATUSES):
        return Refusal(f"{uri} refused to {attempt}", reasons=[error.message])
    if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
        return BadInput(message)
    return OutsideFailure(message)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for the time of a call: MLflow's client takes credentials from nowhere else."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
