"""Looks at MLflow's registry for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from interlock.mlflow.origin import PROMPT_FILE, UnreadablePrompt, prompt_of
from interlock.mlflow.registry import Registry, Withheld
from interlock.release.finding import Fact, named_facts, told
from interlock.release.manifest import UnfitFolder
from interlock.release.pin_statement import Source
from interlock.release.pinning import ModelSource
from interlock.release.request import SubjectKind


class MlflowEye:
    """Looks at the versions of one MLflow server; only what the server says is not there is gone."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def facts(self, source: Source) -> Mapping[str, str]:
        """Return what the server shows of a version.

        Raises Refusal without permission, OutsideFailure if the server does not answer.
        """
        with self._registry.asking(f"look at {source.name}/{source.version}") as client:
            if source.kind is SubjectKind.PROMPT:
                prompt = _unless_gone(lambda: client.get_prompt_version(source.name, source.version))
                return _of_prompt(prompt) if prompt is not None else {Fact.VERSION: ""}
            version = _unless_gone(lambda: client.get_model_version(source.name, source.version))
            if version is None:
                version = _renamed(client, source)
            if version is None:
                model = _unless_gone(lambda: client.get_registered_model(source.name))
                return {Fact.VERSION: "", **(_of_model(model) if model else {})}
            return {**_of_version(version), **_of_model(client.get_registered_model(version.name))}

    def files(self, source: Source, folder: Path) -> Path | None:
        """Download the logged model's files into the new folder `folder`; None if it is gone.

        Raises as `facts`, and UnfitFolder for files that the server does not hand out.
        """
        if source.kind is SubjectKind.PROMPT:
            return self._prompt_file(source, folder)
        with self._registry.asking(f"look at {source.logged_model_id}") as client:
            found = _unless_gone(lambda: client.get_logged_model(source.logged_model_id))
        if found is None:
            return None
        model = ModelSource(source.registry, source.name, source.version, source.logged_model_id, source.run_id)
        try:
            return self._registry.download(model, folder)
        except Withheld as error:
            raise UnfitFolder(error.reasons) from error

    def _prompt_file(self, source: Source, folder: Path) -> Path | None:
        with self._registry.asking(f"look at {source.name}/{source.version}") as client:
            found = _unless_gone(lambda: client.get_prompt_version(source.name, source.version))
        if found is None:
            return None
        folder.mkdir(parents=True)
        try:
            content = prompt_of(found).content
        except UnreadablePrompt as error:
            # Whatever was pinned could be read: these are other bytes, and stop nobody from looking at the rest.
            content = f"unreadable: {error}".encode()
        (folder / PROMPT_FILE).write_bytes(content)
        return folder


def _of_prompt(prompt: Any) -> dict[str, str]:
    return {
        Fact.NAME: told(prompt.name),
        Fact.VERSION: str(prompt.version),
        Fact.CREATED: str(prompt.creation_timestamp),
        # A prompt has neither; a pin says so with empty texts.
        Fact.LOGGED_MODEL: "",
        Fact.RUN: "",
        Fact.DESCRIPTION: told(prompt.commit_message or ""),
        **named_facts(Fact.TAG, {name: str(value) for name, value in prompt.tags.items()}),
        **named_facts(Fact.ALIAS, {alias: str(prompt.version) for alias in prompt.aliases}),
    }


def _of_version(version: Any) -> dict[str, str]:
    return {
        Fact.NAME: told(version.name),
        Fact.VERSION: str(version.version),
        Fact.CREATED: str(version.creation_timestamp),
        Fact.LOGGED_MODEL: told((version.source or "").removeprefix("models:/").rstrip("/")),
        Fact.RUN: version.run_id or "",
        Fact.STATUS: str(version.status),
        Fact.DESCRIPTION: told(version.description or ""),
        **named_facts(Fact.TAG, version.tags),
    }


def _of_model(model: Any) -> dict[str, str]:
    return {
        Fact.MODEL_DESCRIPTION: told(model.description or ""),
        **named_facts(Fact.MODEL_TAG, model.tags),
        **named_facts(Fact.ALIAS, {alias: str(version) for alias, version in model.aliases.items()}),
    }


def _renamed(client: Any, source: Source) -> Any:
    """Return the version under the name that its registered model has now, or None.

    A model that is renamed takes its versions and their numbers along; a copy is a version of another model beside it.
    """
    if not source.logged_model_id or _unless_gone(lambda: client.get_registered_model(source.name)) is not None:
        return None
    found = client.search_model_versions(f"source_path = 'models:/{source.logged_model_id}'")
    return next((one for one in found if str(one.version) == source.version), None)


def _unless_gone(ask: Callable[[], Any]) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
