"""Submits: looks whether what is asked for exists, stages a folder's bytes, and writes the request."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from interlock.building.fetching import fit_manifest, written_prompt
from interlock.clients import StackClients
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.mlflow.registry import Credentials, ModelReference
from interlock.release.manifest import UnfitFolder
from interlock.release.request import Produces, ReleaseRequest, SubjectKind
from interlock.release.staging import stage, staged_since, submitted_folder
from interlock.release.submitting import RENEWED_AFTER, DatedAhead, NoSubmission, Submission, write_submission
from interlock.release.transfer import Renewal
from interlock.release.vault import Overwritten
from interlock.rules import shown

_PROMPT: Final = re.compile(r"prompt:(?P<name>.+)/(?P<version>[1-9]\d{0,9})", re.DOTALL)
_FOLDER: Final = "folder:"

_ACCEPTED: Final = {
    "tier": "one of low, medium, high, critical",
    "environment": "a small letter, then up to 39 small letters, digits and hyphens",
    "ticket": "a change ticket such as CHG-1234",
    "reason": "up to 2,000 characters",
    "name": "up to 250 characters",
}


@dataclass(frozen=True)
class Subject:
    """What a person asks to have released, as they name it."""

    kind: SubjectKind
    name: str
    version: str = ""
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read `NAME/VERSION`, `prompt:NAME/VERSION` or `folder:PATH`. Raises BadInput."""
        if text.startswith(_FOLDER) and len(text) > len(_FOLDER):
            folder = Path(text.removeprefix(_FOLDER))
            return cls(SubjectKind.FOLDER, os.path.basename(os.path.realpath(folder)), folder=folder)
        prompt = _PROMPT.fullmatch(text)
        if prompt is not None:
            return cls(SubjectKind.PROMPT, prompt["name"], prompt["version"])
        if text.startswith("prompt:"):
            raise BadInput(f"subject: received {text!r}; accepted is prompt:NAME/VERSION, like prompt:greeting/2")
        model = ModelReference.parse(text)
        if model.version is None:
            raise BadInput(
                f"subject: received {text!r}; accepted is NAME/VERSION, because an alias may point elsewhere tomorrow"
            )
        return cls(SubjectKind.MODEL, model.name, model.version)


def checked_request(**fields: Any) -> ReleaseRequest:
    """Return a request. Raises BadInput that names all fields that are wrong."""
    try:
        return ReleaseRequest.model_validate(fields)
    except ValidationError as error:
        problems = []
        for one in error.errors():
            field = str(one["loc"][0]) if one["loc"] else "request"
            problems.append(f"{field}: received {shown(one['input'])}; accepted is {_ACCEPTED.get(field, one['msg'])}")
        if len(problems) == 1:
            raise BadInput(problems[0]) from None
        raise BadInput("this is no request for release", reasons=problems) from None


def submit(
    clients: StackClients,
    subject: Subject,
    credentials: Callable[[], Credentials | None],
    *,
    now: datetime,
    progress: Callable[[str], None],
    **asked: Any,
) -> Submission:
    """Ask for a subject's release as the caller, and return the request as it lies in the staging bucket.

    `asked` are the request's other fields. Asking for the same once more changes nothing, but that what lies there
    since long is written again, and so waits on. Raises BadInput for a subject that does not exist and for fields that
    are wrong, Refusal for a folder that no release can be made of.
    """
    produces = Produces.TEXT if subject.kind is SubjectKind.PROMPT else asked.pop("produces", Produces.DECISIONS)
    asked.pop("produces", None)
    fields = {
        "kind": subject.kind, "name": subject.name, "version": subject.version or "0", "produces": produces,
        "submitted_at": now.replace(microsecond=0), **asked,
    }  # fmt: skip
    request = checked_request(**fields)
    if request.emergency and not request.reason.strip():
        raise BadInput("reason: none given; accepted is why this is an emergency, for whoever approves it")
    who = clients.session_name()
    writer, reader = clients.staging_writer, clients.staging_reader
    staged_at = None
    try:
        if subject.folder is not None:
            digest, staged_at = _stage_folder(clients, subject.folder, who, now, progress)
            request = request.model_copy(update={"version": digest})
        elif subject.kind is SubjectKind.PROMPT:
            progress(f"look up the prompt {subject.name}/{subject.version}")
            prompt = clients.registry(credentials()).prompt(subject.name, subject.version)
            request = request.model_copy(
                update={"subject_digest": _digest(subject.name, partial(written_prompt, prompt))}
            )
        else:
            progress(f"look up {subject.name}/{subject.version}")
            registry = clients.registry(credentials())
            found = registry.resolve(ModelReference(subject.name, subject.version))
            progress(f"take the digests of {found.logged_model_id}")
            named = {
                "logged_model_id": found.logged_model_id,
                "subject_digest": _digest(subject.name, partial(registry.download, found)),
            }
            request = request.model_copy(update=named)
        return replace(write_submission(request, who, writer=writer, reader=reader), staged_at=staged_at)
    except DatedAhead as error:
        raise Refusal(
            "the request lies there, and does not count yet",
            reasons=[str(error)],
            next_step="set the clock of this machine, and run it again",
        ) from error
    except (Overwritten, NoSubmission) as error:
        raise Refusal("the request was not submitted", reasons=[str(error)]) from error


def _digest(name: str, fetched: Callable[[Path], Path]) -> str:
    """Return the release's digest of what `fetched` writes into a new folder.

    A registry lets others exchange a version's bytes afterwards: what is asked for are these.
    """
    with tempfile.TemporaryDirectory(prefix="interlock-submit-") as scratch:
        try:
            return fit_manifest(fetched(Path(scratch) / "source")).subject_digest
        except UnfitFolder as error:
            raise Refusal(f"{name} cannot be a release", reasons=error.problems) from error
        except OSError as error:
            raise OutsideFailure(f"the files of {name} could not be written here: {error}") from error


def _stage_folder(
    clients: StackClients, folder: Path, who: str, now: datetime, progress: Callable[[str], None]
) -> tuple[str, datetime | None]:
    """Stage a folder; return its digest, and when (UTC) the store took the oldest of what is staged."""
    if not os.path.isdir(folder):
        raise BadInput(f"subject: received {str(folder)!r}; accepted is an existing folder")
    try:
        progress(f"take the digests of {folder}")
        manifest = fit_manifest(folder)
    except UnfitFolder as error:
        raise Refusal(f"{folder} cannot be a release", reasons=error.problems) from error
    except OSError as error:
        raise BadInput(f"subject: {error.filename} cannot be read: {error.strerror}") from error
    writer, reader = clients.staging_writer, clients.staging_reader
    prefix = submitted_folder(who, manifest.subject_digest)
    renewal = Renewal(now - RENEWED_AFTER, writer)
    stage(folder, manifest, prefix, writer=writer, reader=reader, progress=progress, renewal=renewal)
    return manifest.subject_digest, staged_since(manifest, prefix, reader)
