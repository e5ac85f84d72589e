"""The stack manifest: what is provisioned, as one typed and versioned document.

It says where things are and proves nothing: what is trusted comes from the trust root, never from here.
Readers of older versions live in `READERS`; a document of a newer version is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from interlock.duties.duty import SigningDuty
from interlock.manifest_parts import (
    AccountsPart,
    ApproverKeyPart,
    ArtifactStorePart,
    EndpointPart,
    ImageRepositoryPart,
    LiveStatePart,
    NetworkPart,
    Part,
    RecoveryPart,
    RunnerPart,
    SigningKeyPart,
    TrackingPart,
    VaultPart,
)
from interlock.rules import shown

SCHEMA_VERSION: Final = 2


class ManifestError(ValueError):
    """A stack manifest that cannot be read; its text names every wrong field, its value and what is accepted."""


class FoundationManifest(Part):
    """What a script needs to know of a layer foundation, which stands before there is a platform."""

    region: str
    vault: VaultPart
    signing_keys: Mapping[SigningDuty, SigningKeyPart]
    images: Mapping[str, ImageRepositoryPart] = Field(default_factory=dict)


class StackManifest(Part):
    """Everything that a script needs to know of one provisioned stack; what it has not is None or empty."""

    schema_version: Literal[2] = SCHEMA_VERSION
    stack: str
    environment: str
    account_id: str = Field(pattern=r"^\d{12}$")
    """The workload account."""
    region: str
    """The primary region, as are all parts that `recovery` does not hold."""
    accounts: AccountsPart
    vault: VaultPart
    signing_keys: Mapping[SigningDuty, SigningKeyPart]
    approver_keys: Mapping[str, ApproverKeyPart] = Field(default_factory=dict)
    """By the approver's name."""
    images: Mapping[str, ImageRepositoryPart] = Field(default_factory=dict)
    """By what the images are for: `mlflow`, `serving`, `runner`, `rotation`, `controller`."""
    network: NetworkPart
    data_key_arn: str | None = None
    """Encrypts what the platform keeps in the primary region."""
    artifact_store: ArtifactStorePart | None = None
    """None with an MLflow server that was there already, whose artifacts are its own business."""
    tracking: TrackingPart
    live_state: LiveStatePart | None = None
    runner: RunnerPart | None = None
    endpoints: Mapping[str, EndpointPart]
    recovery: RecoveryPart | None = None

    @property
    def vaults(self) -> Mapping[str, VaultPart]:
        """Return the vault's part in each region that has one."""
        return {self.region: self.vault, **({self.recovery.region: self.recovery.vault} if self.recovery else {})}

    @model_validator(mode="after")
    def _every_duty_has_its_key(self) -> StackManifest:
        missing = [duty.value for duty in SigningDuty if duty not in self.signing_keys]
        if missing:
            raise ValueError(f"no signing key for {', '.join(missing)}")
        return self

    @property
    def foundation(self) -> FoundationManifest:
        """What the platform stands on."""
        return FoundationManifest(
            region=self.region, vault=self.vault, signing_keys=self.signing_keys, images=self.images
        )

    def to_json(self) -> str:
        """Return the document as stored: sorted keys, no white space, so that equal manifests are equal bytes."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_foundation(document: object) -> FoundationManifest:
    """Return what `document`, the output `foundation` of a stack as parsed JSON, says. Raises ManifestError."""
    if not isinstance(document, Mapping):
        raise ManifestError(f"the output foundation is a JSON object, not {type(document).__name__}")
    parts = {name: document[name] for name in ("vault", "signing_keys", "images") if name in document}
    try:
        # A key's ARN tells the region: arn:<partition>:kms:<region>:<account>:key/<id>.
        region = str(document["vault"]["encryption_key_arn"]).split(":")[3]
        return FoundationManifest.model_validate({**parts, "region": region})
    except (KeyError, TypeError, IndexError) as error:
        raise ManifestError("the output foundation names no vault.encryption_key_arn") from error
    except ValidationError as error:
        raise ManifestError("the output foundation is wrong: " + "; ".join(_lines(error))) from None


def _from_version_1(document: Mapping[str, Any]) -> StackManifest:
    # One account was all there was; what came later is absent, and a document of then that has it is wrong.
    account = document.get("account_id")
    return StackManifest.model_validate(
        {
            **{f"{name} (of schema version 2)" if name in _SINCE_2 else name: one for name, one in document.items()},
            "schema_version": SCHEMA_VERSION,
            "accounts": {"workload": account, "evidence": account, "audit": account},
        }
    )


_SINCE_2: Final = frozenset({"accounts", "approver_keys", "images", "data_key_arn", "live_state", "runner", "recovery"})

READERS: Final[Mapping[int, Callable[[Mapping[str, Any]], StackManifest]]] = {
    1: _from_version_1,
    2: StackManifest.model_validate,
}
"""By schema version: how a document of that version becomes today's."""


_MOST_TOLD: Final = 20
"""How many wrong fields are named: another document than a manifest has hundreds."""


def read_manifest(document: object) -> StackManifest:
    """Return the manifest that `document`, parsed JSON of any known schema version, holds.

    Raises ManifestError naming each wrong field.
    """
    if not isinstance(document, Mapping):
        raise ManifestError(f"the stack manifest is a JSON object, not {type(document).__name__}")
    version = document.get("schema_version")
    reader = READERS.get(version) if isinstance(version, int) else None
    if reader is None:
        known = ", ".join(map(str, sorted(READERS)))
        raise ManifestError(f"schema_version: {version!r} is not known; this version of interlock reads {known}")
    try:
        return reader(document)
    except ValidationError as error:
        lines = _lines(error)
        more = [f"and {len(lines) - _MOST_TOLD} more"] if len(lines) > _MOST_TOLD else []
        raise ManifestError("the stack manifest is wrong: " + "; ".join([*lines[:_MOST_TOLD], *more])) from None


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for one in error.errors(include_url=False):
        told = one["type"] != "missing" and not isinstance(one["input"], Mapping)
        received = f" (received {shown(one['input'])})" if told else ""
        lines.append(f"{'.'.join(map(str, one['loc'])) or 'manifest'}: {one['msg']}{received}")
    return lines
