"""The folder that a trust root lies in: `N.root.json` is a signed version, `N.draft.json` one that nobody has signed.

The names are those of a TUF repository, so that a reader knows which version a file holds before opening it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Final

from interlock.failures import BadInput, Refusal
from interlock.release.envelope import Envelope, InvalidEnvelope, enclose, parse_envelope, sign_payload
from interlock.release.signing import Signer
from interlock.release.trust.chain import RootRefused, SignedRoot, read_signed
from interlock.release.trust.document import PAYLOAD_TYPE, InvalidRoot, TrustRoot, parse_draft

_NAME: Final = re.compile(r"([1-9]\d{0,8})\.(root|draft)\.json")


class RootFolder:
    """The versions of one trust root, oldest first, without a gap."""

    def __init__(self, path: Path) -> None:
        """Look into the folder `path`. Raises BadInput if it cannot be read, or lacks a version."""
        self.path = path
        self._files: dict[int, Path] = {}
        try:
            found = sorted(path.iterdir()) if path.exists() else []
        except OSError as error:
            raise BadInput(
                f"the root's folder: received {str(path)!r}, which cannot be read: {error.strerror}"
            ) from error
        for file in found:
            match = _NAME.fullmatch(file.name)
            if match is None:
                continue
            number = int(match[1])
            if number in self._files:
                raise BadInput(f"{path} holds version {number} twice, drafted and signed; accepted is one of them")
            self._files[number] = file
        numbers = sorted(self._files)
        if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise BadInput(f"{path} holds the versions {numbers}; accepted are versions without a gap")
        drafts = [number for number in numbers if self._is_draft(number)]
        if drafts and drafts != numbers[-1:]:
            raise BadInput(f"{path} holds drafts of {drafts}; accepted is a draft of the newest version alone")

    @property
    def newest(self) -> int:
        """The newest version's number. Raises BadInput if there is none."""
        if not self._files:
            raise BadInput(
                f"the root's folder: {str(self.path)!r} holds no N.root.json", next_step="interlock root init makes one"
            )
        return max(self._files)

    @property
    def is_empty(self) -> bool:
        return not self._files

    def draft(self) -> TrustRoot | None:
        """Return the newest version if it is a draft. Raises BadInput if that file holds no root."""
        if not self._is_draft(self.newest):
            return None
        file = self._files[self.newest]
        try:
            return parse_draft(file.read_text(encoding="utf-8"))
        except InvalidRoot as error:
            raise BadInput(f"{file} is no trust root", reasons=[str(one) for one in error.problems]) from error
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{file} cannot be read: {error}") from error

    def signed(self) -> list[bytes]:
        """Return the signed versions as they lie there, oldest first. Raises BadInput for a file that holds none."""
        numbers = [number for number in sorted(self._files) if not self._is_draft(number)]
        for number in numbers:
            self._read(number)
        return [self._content(number) for number in numbers]

    def newest_root(self) -> TrustRoot:
        """Return what the newest version says, signed or not. Raises BadInput."""
        draft = self.draft()
        if draft is not None:
            return draft
        return self._read(self.newest).root

    def write_draft(self, root: TrustRoot) -> Path:
        """Write a new version, for people to read before they sign it. Raises Refusal if it is there already."""
        if root.version in self._files:
            raise Refusal(f"{self._files[root.version]} is there already")
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / f"{root.version}.draft.json"
        _write(file, json.dumps(json.loads(root.content), indent=2).encode() + b"\n")
        self._files[root.version] = file
        return file

    def add_signature(self, signer: Signer, key_id: str) -> Path:
        """Sign the newest version with the key `key_id` of it; signing twice with one key changes nothing.

        Raises Refusal if the key is not one that may sign it, BadInput if the file is not what it should be.
        """
        root, number = self.newest_root(), self.newest
        before = self._read(number - 1).root if number - 1 in self._files else root
        own, theirs = root.guardians(root.issued_at), before.guardians(root.issued_at)
        # What the new version distrusts signs no more, although the version before still counts it.
        may_sign = {**own, **{name: key for name, key in theirs.items() if not root.keys[name].distrusted}}
        if key_id not in may_sign:
            people = sorted({str(key.person) for key in may_sign.values()})
            raise Refusal(
                f"the key {key_id[:12]}… is no foundation person's of version {number} or of the one before",
                reasons=[f"could sign: {', '.join(people)}"],
            )
        envelope = None if self._is_draft(number) else self._envelope(number)
        known = envelope.signatures if envelope else ()
        if envelope and may_sign[key_id].person in self._read(number).people({key_id: may_sign[key_id]}):
            return self._files[number]
        made = sign_payload(PAYLOAD_TYPE, root.content, signer).model_copy(update={"keyid": key_id})
        file = self.path / f"{number}.root.json"
        _write(file, enclose(PAYLOAD_TYPE, root.content, [*known, made]).content + b"\n")
        if self._is_draft(number):
            self._files[number].unlink()
            self._files[number] = file
        return file

    def _is_draft(self, number: int) -> bool:
        return self._files[number].name.endswith(".draft.json")

    def _envelope(self, number: int) -> Envelope:
        try:
            return parse_envelope(self._content(number))
        except InvalidEnvelope as error:
            raise BadInput(f"{self._files[number]} is no signed root: {error}") from error

    def _read(self, number: int) -> SignedRoot:
        try:
            return read_signed(self._content(number))
        except RootRefused as error:
            raise BadInput(f"{self._files[number]} is no trust root", reasons=error.reasons) from error

    def _content(self, number: int) -> bytes:
        file = self._files[number]
        try:
            return file.read_bytes()
        except OSError as error:
            raise BadInput(f"{file} cannot be read: {error.strerror}") from error


def _write(file: Path, content: bytes) -> None:
    # Whole or not at all: an interruption must not leave half a root.
    beside = file.with_suffix(f".{os.getpid()}.new")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
