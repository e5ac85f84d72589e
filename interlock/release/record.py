"""A release's whole record as it lies in the vault: what was found, who signed it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from interlock.release.digests import sha256
from interlock.release.envelope import InvalidEnvelope, Sealed, read_sealed
from interlock.release.manifest import InvalidManifest, Manifest, parse_manifest
from interlock.release.predicates import APPROVALS, DECISIONS, FINDINGS, PLACES, Predicate
from interlock.release.signing import PublicKey
from interlock.release.statement import PAYLOAD_TYPE, InvalidStatement, Statement, parse_statement
from interlock.release.vault import ObjectVersion, VaultReader, manifest_key, release_prefix, statements_prefix
from interlock.release.verification.reason import Reason, ReasonCode

ACTS: Final = frozenset(kind for kind, place in PLACES.items() if place.prefix == APPROVALS)
"""What people say of a release under their own keys."""


@dataclass(frozen=True)
class RecordedStatement:
    """A statement in the vault that at least one known key signed; whose that key is, is for its reader to judge."""

    key: str
    version_id: str
    sha256: str
    """Of the envelope's bytes, in hexadecimal digits."""
    payload: str
    """SHA-256 of the signed payload: the statement's name."""
    predicate_type: str
    statement: Statement
    signers: frozenset[str]
    """The names of the keys that signed it."""


@dataclass(frozen=True)
class Record:
    """What the vault holds about one release; `problems` are faults of what lies there, whatever a policy says."""

    digest: str
    manifest: Manifest | None
    statements: tuple[RecordedStatement, ...]
    """Sorted by key."""
    versions: Mapping[str, tuple[ObjectVersion, ...]]
    """Every version and delete marker of every key about the release, the files' included."""
    problems: tuple[Reason, ...]

    def of(self, *kinds: Predicate) -> tuple[RecordedStatement, ...]:
        """Return the statements of these kinds."""
        return tuple(one for one in self.statements if one.predicate_type in kinds)

    @property
    def pins(self) -> tuple[RecordedStatement, ...]:
        return self.of(Predicate.PIN)

    @property
    def evidence(self) -> tuple[RecordedStatement, ...]:
        return self.of(Predicate.EVIDENCE)

    @property
    def acts(self) -> tuple[RecordedStatement, ...]:
        """Approvals, rejections, withdrawals, revocations and retirements."""
        return self.of(*ACTS)

    @property
    def decisions(self) -> tuple[RecordedStatement, ...]:
        return self.of(Predicate.VERIFICATION)

    def only_version(self, key: str) -> str | None:
        """Return the one version that a key has, or None where it has none or several."""
        return only_version(self.versions.get(key, ()))


def only_version(versions: Sequence[ObjectVersion]) -> str | None:
    """Return the one version among `versions`, or None where there is none or several."""
    found = [one for one in versions if not one.is_delete_marker]
    return found[0].version_id if len(found) == 1 else None


def record_prefixes(digest: str) -> tuple[str, ...]:
    """Return the prefixes of the vault under which all that is about a release lies."""
    return (release_prefix(digest), *(f"{prefix}{digest}/" for prefix in (APPROVALS, DECISIONS, FINDINGS)))


def envelope_key(kind: Predicate, digest: str, payload: str) -> str:
    """Return where the envelope of a statement of a kind about the release `digest` lies."""
    return f"{_folder(kind, digest)}{payload}.dsse.json"


def gather(reader: VaultReader, digest: str, keys: Mapping[str, PublicKey]) -> Record:
    """Read everything about the release `digest` but its files' bytes; `keys` by the names that signers are to have.

    What cannot be read as what it should be is a problem and no statement. Raises what `reader` raises.
    """
    return _Gathering(reader, digest, keys, record_prefixes(digest)).record()


def gather_built(reader: VaultReader, digest: str, keys: Mapping[str, PublicKey]) -> Record:
    """Read what builders have written about a release, which is all that a builder may read. Raises as `gather`."""
    return _Gathering(reader, digest, keys, (release_prefix(digest),)).record()


def gather_decided(reader: VaultReader, digest: str, keys: Mapping[str, PublicKey]) -> Record:
    """Read what deployers and approvers have written about a release. Raises as `gather`."""
    return _Gathering(reader, digest, keys, tuple(f"{prefix}{digest}/" for prefix in (APPROVALS, DECISIONS))).record()


@dataclass
class _Gathering:
    reader: VaultReader
    digest: str
    keys: Mapping[str, PublicKey]
    prefixes: Sequence[str]
    problems: list[Reason] = field(default_factory=list)
    versions: dict[str, tuple[ObjectVersion, ...]] = field(default_factory=dict)

    def record(self) -> Record:
        for prefix in self.prefixes:
            for version in self.reader.versions(prefix):
                self.versions[version.key] = (*self.versions.get(version.key, ()), version)
        self._look_for_second_versions()
        return Record(self.digest, self._manifest(), tuple(self._statements()), self.versions, tuple(self.problems))

    def _found(self, code: ReasonCode, where: str, text: str) -> None:
        self.problems.append(Reason(code, f"{where} {text}", where))

    def _look_for_second_versions(self) -> None:
        for key, versions in sorted(self.versions.items()):
            count = sum(not version.is_delete_marker for version in versions)
            if count < len(versions):
                self._found(ReasonCode.OBJECT_HIDDEN, key, "is hidden by a delete marker")
            if count > 1:
                text = f"was overwritten: it has {count} versions, and a release has one of each"
                self._found(ReasonCode.OBJECT_OVERWRITTEN, key, text)

    def _manifest(self) -> Manifest | None:
        key = manifest_key(self.digest)
        version_id = only_version(self.versions.get(key, ()))
        if version_id is None:
            if key not in self.versions:
                self._found(ReasonCode.MANIFEST_MISSING, key, "is missing")
            return None
        try:
            manifest = parse_manifest(self.reader.read(key, version_id))
        except InvalidManifest as error:
            self._found(ReasonCode.MANIFEST_MALFORMED, key, f"is no manifest: {error}")
            return None
        if manifest.subject_digest != self.digest:
            text = f"is the manifest of another release, {manifest.subject_digest}"
            self._found(ReasonCode.MANIFEST_OF_ANOTHER_RELEASE, key, text)
            return None
        return manifest

    def _statements(self) -> Iterator[RecordedStatement]:
        folders = {_folder(kind, self.digest) for kind in Predicate}
        for key in sorted(self.versions):
            if key.startswith(f"{release_prefix(self.digest)}") and not key.startswith(statements_prefix(self.digest)):
                continue
            version_id = only_version(self.versions.get(key, ()))
            if version_id is None:
                continue
            folder, _, name = key.rpartition("/")
            if f"{folder}/" not in folders or not name.endswith(".dsse.json"):
                self._found(ReasonCode.OBJECT_ADDED, key, "is nothing that belongs there")
                continue
            statement = self._statement(key, version_id)
            if statement is not None:
                yield statement

    def _statement(self, key: str, version_id: str) -> RecordedStatement | None:
        content = self.reader.read(key, version_id)
        try:
            sealed = read_sealed(content)
            statement = _statement_in(sealed)
        except (InvalidEnvelope, InvalidStatement) as error:
            self._found(ReasonCode.STATEMENT_MALFORMED, key, f"is no signed statement: {error}")
            return None
        payload = sha256(sealed.payload).hex()
        signers = sealed.signers(self.keys)
        fault = self._fault(key, payload, statement, signers)
        if fault is not None:
            self._found(fault[0], key, fault[1])
            return None
        return RecordedStatement(
            key, version_id, sha256(content).hex(), payload, statement.predicate_type, statement, signers
        )

    def _fault(
        self, key: str, payload: str, statement: Statement, signers: frozenset[str]
    ) -> tuple[ReasonCode, str] | None:
        named = key.endswith(f"/{payload}.dsse.json")
        if not named and not signers:
            return ReasonCode.STATEMENT_ALTERED, "holds another payload than its name says, which no known key signed"
        if not named:
            return ReasonCode.STATEMENT_MISNAMED, "lies under a name that is not its payload's digest"
        if not signers:
            return ReasonCode.KEY_UNKNOWN, "bears no signature that was made by a known key"
        if not statement.is_about(self.digest):
            return ReasonCode.STATEMENT_OF_ANOTHER_RELEASE, "is about another release"
        kind = next((one for one in Predicate if one == statement.predicate_type), None)
        if kind is None:
            return (
                ReasonCode.STATEMENT_OF_UNKNOWN_KIND,
                f"is of a kind that we do not know, {statement.predicate_type!r}",
            )
        if key != envelope_key(kind, self.digest, payload):
            return ReasonCode.STATEMENT_MISPLACED, f"is of a kind that does not belong there, {kind.value}"
        return None


def _statement_in(sealed: Sealed) -> Statement:
    if sealed.payload_type != PAYLOAD_TYPE:
        raise InvalidStatement(f"the payload is of type {sealed.payload_type!r}, not {PAYLOAD_TYPE!r}")
    return parse_statement(sealed.payload)


def _folder(kind: Predicate, digest: str) -> str:
    prefix = PLACES[kind].prefix
    return statements_prefix(digest) if prefix not in (APPROVALS, DECISIONS, FINDINGS) else f"{prefix}{digest}/"
