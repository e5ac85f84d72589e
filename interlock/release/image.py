"""Container images: which sources a digest in a registry was built from, and who signed for that. Pure.

An image's envelopes lie in the vault under `images/<name>/<digest>/`, each named after its payload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from interlock.release.digests import canonical_json, sha256
from interlock.release.envelope import InvalidEnvelope, open_envelope, payload_digest
from interlock.release.signing import PublicKey
from interlock.release.statement import DigestSet, Statement, Subject
from interlock.rules import CONTENT_TAG

IMAGE_PREDICATE: Final = "urn:interlock:predicate:image:v1"
IMAGES: Final = "images/"
SERVING: Final = "serving"
"""The name of the image that serves."""
STARTS_FROM: Final = ("environment", "trust-root.fingerprint")
"""The files of the serving image that say which environment it is for, and from where its trust starts."""
_PINNED: Final = re.compile(r"(?P<repository>[^@\s]+)@sha256:(?P<digest>[0-9a-f]{64})")
_TAG_DIGITS: Final = 40


@dataclass(frozen=True)
class ImageReference:
    """An image by its digest: `<registry>/<repository>@sha256:<64 hexadecimal digits>`."""

    repository: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Read a reference. Raises ValueError for one without a digest: a tag names no bytes."""
        found = _PINNED.fullmatch(text)
        if found is None:
            raise ValueError(f"received {text!r}; accepted is <registry>/<repository>@sha256:<64 hexadecimal digits>")
        return cls(found["repository"], found["digest"])

    def __str__(self) -> str:
        return f"{self.repository}@sha256:{self.digest}"


@dataclass(frozen=True)
class ImageSource:
    """What an image was built from: every file of its folder by path, with its SHA-256 in hexadecimal digits."""

    name: str
    files: Mapping[str, str]
    bases: Mapping[str, str] = field(default_factory=dict)
    """By reference: the digest of each base image and download, as `interlock.release.bases` has them."""

    @property
    def digest(self) -> str:
        """One digest of all files and their names, and of what they are built on."""
        return sha256(canonical_json(self._content)).hex()

    @property
    def _content(self) -> dict[str, object]:
        bases = {"bases": dict(self.bases)} if self.bases else {}
        return {"name": self.name, "files": dict(self.files), **bases}

    @property
    def tag(self) -> str:
        """The tag of an image built from these files: the same files, the same tag."""
        return f"{CONTENT_TAG}{self.digest[:_TAG_DIGITS]}"


def image_statement(reference: ImageReference, source: ImageSource) -> Statement:
    """Return the statement that the image `reference` was built from `source`."""
    subject = Subject(name=reference.repository, digest=DigestSet(sha256=reference.digest))
    predicate = {
        "name": source.name,
        "source_digest": source.digest,
        "files": dict(source.files),
        "bases": dict(source.bases),
    }
    return Statement(subject=(subject,), predicate_type=IMAGE_PREDICATE, predicate=predicate)


def envelopes_prefix(name: str, digest: str) -> str:
    """Return the prefix under which the envelopes about an image lie in the vault."""
    return f"{IMAGES}{name}/{digest}/"


def envelope_key(name: str, digest: str, statement: Statement) -> str:
    """Return the key of the envelope around `statement`: one key a payload, because signatures differ each time."""
    return f"{envelopes_prefix(name, digest)}{sha256(statement.content).hex()}.dsse.json"


def reasons_against(
    reference: ImageReference, envelopes: Mapping[str, bytes], keys: Mapping[str, PublicKey]
) -> tuple[Sequence[str], Sequence[Statement]]:
    """Return why the image may not be trusted, and what was signed for it.

    `envelopes` are contents by key, `keys` those of whoever may sign. One good statement about exactly this image is
    enough, and one envelope that is not good is a reason whatever the others say.
    """
    reasons: list[str] = []
    good: list[Statement] = []
    for key, content in sorted(envelopes.items()):
        try:
            statement, _ = open_envelope(content, keys)
            expected = f"{payload_digest(content)}.dsse.json"
        except InvalidEnvelope as error:
            reasons.append(f"{key}: {error}")
            continue
        if not key.endswith(f"/{expected}"):
            reasons.append(f"{key} lies under a name that is not its payload's digest")
        elif statement.predicate_type != IMAGE_PREDICATE:
            reasons.append(f"{key} is of type {statement.predicate_type}, not {IMAGE_PREDICATE}")
        elif [(one.name, one.digest.sha256) for one in statement.subject] != [(reference.repository, reference.digest)]:
            reasons.append(f"{key} is about another image")
        else:
            good.append(statement)
    if not good:
        reasons.append(f"nobody who may has signed for {reference}")
    return reasons, good


def reasons_against_earlier(earlier: Sequence[Statement], present: Sequence[Statement]) -> Sequence[str]:
    """Return why a serving image may not go on beside the present one, by what was signed for each of them.

    Both are for the same environment and start from the same trust root, by the digests of the files that say so.
    """
    wanted = {name: {_file(one, name) for one in present} for name in STARTS_FROM}
    found = {name: {_file(one, name) for one in earlier} for name in STARTS_FROM}
    return [
        f"its file {name} is not the one of the image that the template has now"
        for name in STARTS_FROM
        # Statements about one image that differ here contradict each other; two without the file say nothing.
        if not (len(wanted[name]) == 1 and None not in wanted[name] and found[name] == wanted[name])
    ] + [f"it is an image of {name!r}" for name in sorted({_name(one) for one in earlier} - {SERVING})]


def _file(statement: Statement, path: str) -> str | None:
    files = statement.predicate.get("files")
    digest = files.get(path) if isinstance(files, Mapping) else None
    return digest if isinstance(digest, str) else None


def _name(statement: Statement) -> str:
    return str(statement.predicate.get("name"))
