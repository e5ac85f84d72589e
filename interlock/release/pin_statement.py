"""What a builder signs of a release when its bytes are locked: where they came from, who asked, under which policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interlock.release.digests import HexDigest, canonical_json, sha256
from interlock.release.request import ReleaseRequest, SubjectKind, submission_key
from interlock.release.signed_documents import VersionOne
from interlock.release.times import Moment

_Text = Annotated[str, Field(max_length=2000)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Model):
    """What was pinned, as its registry named it then; what a kind of subject has not is empty."""

    kind: SubjectKind = SubjectKind.MODEL
    registry: _Text
    name: _Text
    version: _Text
    logged_model_id: _Text = ""
    run_id: _Text = ""


class PinnedRequest(_Model):
    """The creator's request as it lay in the staging bucket."""

    document: ReleaseRequest
    key: _Text
    version_id: _Text
    sha256: HexDigest
    submitter: Annotated[str, Field(min_length=1, max_length=64)]
    """Whose prefix it lay under: IAM lets nobody else write there."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if sha256(self.document.content).hex() != self.sha256:
            raise ValueError("the digest is not the request's")
        if submission_key(self.submitter, self.document) != self.key:
            raise ValueError("the request lay elsewhere than where its submitter writes")
        return self


class Code(_Model):
    """What the model was made by, as the training run's tags name it."""

    repository: _Text = ""
    revision: _Text = ""


class Training(_Model):
    """The run that made the model."""

    run_id: _Text
    experiment_id: _Text = ""
    user: _Text = ""
    """As the tracking server recorded it, which believes whatever its client says."""
    started_at: Moment | None = None
    ended_at: Moment | None = None


class Dataset(_Model):
    """A snapshot of data that the training run recorded as an input."""

    name: _Text
    context: _Text = ""
    """What it was used for, such as training."""
    source_type: _Text = ""
    source: _Text = ""
    """Its URI, or the description that the run recorded."""
    digest: _Text
    """As the run recorded it; MLflow's own are no cryptographic digests."""


class Signature(_Model):
    """The schema that the model's author declared, as MLflow's MLmodel file writes it."""

    inputs: tuple[Mapping[str, Any], ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()


class Origin(_Model):
    """Where a release's bytes come from, as far as registry and training run tell; nobody vouches for it but they."""

    source: Source
    code: Code = Code()
    training: Training | None = None
    data: tuple[Dataset, ...] = ()
    sources: tuple[_Text, ...] = ()
    """The URIs that the recorded data came from, sorted, each once."""
    signature: Signature | None = None

    @property
    def content(self) -> bytes:
        """The document in canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


class PinPredicate(Origin):
    """The predicate of a pin statement."""

    schema_version: VersionOne = 1
    objects: Mapping[str, str]
    """By key of the vault, the VersionId of each file and of the manifest."""
    request: PinnedRequest | None = None
    """None where nobody submitted the release: such a pin locks bytes, and admits nothing."""
    tier: _Text = ""
    environment: _Text = ""
    policy: HexDigest | Literal[""] = ""
    """The digest of the tiers policy that the release is opened under."""
    builder: _Text = ""
    """The session name of whoever pinned."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.request is not None:
            asked = self.request.document
            if (self.tier, self.environment) != (asked.tier, asked.environment):
                raise ValueError("tier and environment are not those that were asked for")
            if not self.policy:
                raise ValueError("a release that was asked for is opened under a policy")
        return self
