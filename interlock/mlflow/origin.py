"""What MLflow recorded of where a subject comes from, in the words of a pin statement.

MLflow believes whatever its clients say, so all of it is shortened and kept to one line, and none of it is trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from interlock.release.digests import canonical_json
from interlock.release.gates.text import plain
from interlock.release.pin_statement import Code, Dataset, Origin, Source, Training
from interlock.release.pinning import ModelSource
from interlock.release.request import SubjectKind

_LONGEST: Final = 2000

_REPOSITORY: Final = "mlflow.source.git.repoURL"
_REVISION: Final = "mlflow.source.git.commit"
_CONTEXT: Final = "mlflow.data.context"

PROMPT_FILE: Final = "prompt.json"
"""What a prompt's one file is called in its release."""

_PLACES: Final = ("uri", "url", "path", "delta_table_name", "table", "name")
"""Where the sources of MLflow's kinds of datasets name themselves.

Source: mlflow/data/*_dataset_source.py, `to_dict`.
"""


@dataclass(frozen=True)
class Prompt:
    """A prompt version as the one file that is released of it."""

    content: bytes
    origin: Origin


def origin_of(source: ModelSource, run: Any | None) -> Origin:
    """Return what an MLflow run says of the model that it logged; None is a run that is gone."""
    named = Source(
        registry=source.registry,
        name=_text(source.name),
        version=_text(source.version),
        logged_model_id=source.logged_model_id,
        run_id=_text(source.run_id),
    )
    if run is None:
        return Origin(source=named)
    tags: Mapping[str, str] = run.data.tags
    data = tuple(sorted(_datasets(run), key=lambda one: (one.context, one.name, one.digest, one.source)))
    return Origin(
        source=named,
        code=Code(repository=_text(tags.get(_REPOSITORY)), revision=_text(tags.get(_REVISION))),
        training=Training(
            run_id=_text(run.info.run_id),
            experiment_id=_text(run.info.experiment_id),
            user=_text(run.info.user_id),
            started_at=_moment(run.info.start_time),
            ended_at=_moment(run.info.end_time),
        ),
        data=data,
        sources=tuple(sorted({one.source for one in data if one.source})),
    )


class UnreadablePrompt(ValueError):
    """A prompt version that holds what no release can: its server lets others write anything into its tags."""


def prompt_of(version: Any) -> Prompt:
    """Return the file of an MLflow prompt version: what a model would be given, and nothing that may change.

    Raises UnreadablePrompt.
    """
    source = Source(
        kind=SubjectKind.PROMPT, registry="mlflow", name=_text(version.name), version=_text(version.version)
    )
    try:
        # MLflow reads what others wrote only when it is asked for.
        document = {
            "schema_version": 1,
            "template": version.template,
            "response_format": version.response_format,
            "model_config": getattr(version, "model_config", None),
        }
        # Through JSON, because MLflow hands out objects of its own.
        plainly = json.loads(json.dumps(document, default=_fields))
        return Prompt(canonical_json(plainly), Origin(source=source))
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadablePrompt(plain(str(error), _LONGEST)) from error


def _fields(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else vars(value)


def _datasets(run: Any) -> Iterator[Dataset]:
    for one in run.inputs.dataset_inputs if run.inputs else ():
        tags = {tag.key: tag.value for tag in one.tags}
        yield Dataset(
            name=_text(one.dataset.name),
            context=_text(tags.get(_CONTEXT)),
            source_type=_text(one.dataset.source_type),
            source=_text(_place(one.dataset.source)),
            digest=_text(one.dataset.digest),
        )


def _place(source: str) -> str:
    """Return the URI in the description of a dataset's source, or all of it where none is found."""
    try:
        described = json.loads(source)
    except (ValueError, RecursionError):
        return source
    if not isinstance(described, dict):
        return source
    return next((str(described[name]) for name in _PLACES if described.get(name)), source)


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def _text(value: object) -> str:
    return "" if value is None else plain(str(value), _LONGEST)
