"""What changed of a pinned version between two looks at its registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from interlock.release.finding import Change, ChangeKind, Fact
from interlock.release.manifest import Manifest, ManifestFile
from interlock.release.pin_statement import Source

MOST_FILES: Final = 20
"""How many files are told one by one."""

_OWN: Final = (Fact.RUN, Fact.STATUS, Fact.DESCRIPTION)
_IDENTITY: Final = (Fact.CREATED, Fact.LOGGED_MODEL)


class Version(Protocol):
    """A version that a release was pinned from."""

    @property
    def digest(self) -> str: ...

    @property
    def source(self) -> Source: ...


def changes_between(
    pinned: Version, before: Mapping[str, str] | None, now: Mapping[str, str], files: tuple[str, ...] = ()
) -> list[Change]:
    """Return what changed from `before` to `now`, both by fact; without `before`, what is not as it was pinned.

    `files` says which files differ from the release.
    """
    if before is None:
        # A pin tells of no descriptions, tags and aliases.
        expected = _pinned_facts(pinned)
        return [*_of_files(pinned.digest, expected, now, files), *_of_version(expected, now)]
    return [
        *_of_files(pinned.digest, before, now, files),
        *_of_version(before, now),
        *_of_annotations(before, now),
        *_of_model(before, now),
        *_of_aliases(pinned.source.version, before, now),
    ]


def _pinned_facts(pinned: Version) -> dict[str, str]:
    source = pinned.source
    return {
        Fact.NAME: source.name,
        Fact.VERSION: source.version,
        Fact.LOGGED_MODEL: source.logged_model_id,
        Fact.RUN: source.run_id,
        Fact.FILES: pinned.digest,
    }


def file_changes(pinned: Manifest, found: Manifest) -> Iterator[str]:
    """Yield a sentence for each file that differs, MOST_FILES at most and then how many more."""
    old, new = ({one.path: one for one in each.files} for each in (pinned, found))
    differing = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
    for path in differing[:MOST_FILES]:
        yield _of_file(path, old.get(path), new.get(path))
    if len(differing) > MOST_FILES:
        yield f"and {len(differing) - MOST_FILES} more"


def _of_file(path: str, old: ManifestFile | None, new: ManifestFile | None) -> str:
    if old is None:
        return f"{path} was added"
    if new is None:
        return f"{path} is missing"
    return f"{path} holds {new.size} bytes with SHA-256 {new.sha256}; pinned were {old.size} with {old.sha256}"


def _of_files(
    digest: str, before: Mapping[str, str], now: Mapping[str, str], files: tuple[str, ...]
) -> Iterator[Change]:
    old, new = before.get(Fact.FILES), now.get(Fact.FILES)
    if old is None or new is None or old == new:
        return
    if not new:
        kind = ChangeKind.FILES_GONE
    else:
        kind = ChangeKind.FILES_RESTORED if new == digest else ChangeKind.FILES_OVERWRITTEN
    yield Change(kind=kind, what=Fact.FILES, before=old, after=new, details=files)


def _of_version(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    if not now.get(Fact.VERSION):
        if before.get(Fact.VERSION):
            yield _changed(ChangeKind.VERSION_DELETED, Fact.VERSION, before, now)
    elif _is_another(before, now):
        kind = ChangeKind.VERSION_RECREATED
        yield Change(kind=kind, what=Fact.VERSION, before=_identity(before), after=_identity(now))
    elif before.get(Fact.NAME) != now.get(Fact.NAME):
        yield _changed(ChangeKind.MODEL_RENAMED, Fact.NAME, before, now)


def _of_annotations(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    if not now.get(Fact.VERSION) or _is_another(before, now):
        return
    for fact in (*_OWN, *_named(Fact.TAG, before, now)):
        if before.get(fact) != now.get(fact):
            yield _changed(ChangeKind.VERSION_EDITED, fact, before, now)


def _is_another(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Say whether another version has the number that one had before."""
    return not before.get(Fact.VERSION) or any(one in before and before[one] != now.get(one) for one in _IDENTITY)


def _of_model(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    # A model that is gone was not edited.
    if Fact.MODEL_DESCRIPTION not in before or Fact.MODEL_DESCRIPTION not in now:
        return
    for fact in (Fact.MODEL_DESCRIPTION, *_named(Fact.MODEL_TAG, before, now)):
        if before.get(fact) != now.get(fact):
            yield _changed(ChangeKind.MODEL_EDITED, fact, before, now)


def _of_aliases(version: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    for fact in _named(Fact.ALIAS, before, now):
        old, new = before.get(fact), now.get(fact)
        # Aliases move between versions all the time; it is told of those that come here or leave.
        if old != new and version in (old, new):
            yield _changed(ChangeKind.ALIAS_MOVED, fact, before, now)


def _named(fact: Fact, *facts: Mapping[str, str]) -> list[str]:
    return sorted({name for each in facts for name in each if name.startswith((f"{fact} ", f"{fact},"))})


def _identity(facts: Mapping[str, str]) -> str:
    parts = [facts.get(Fact.VERSION) or "gone", *(facts[one] for one in _IDENTITY if facts.get(one))]
    return ", ".join(parts)


def _changed(kind: ChangeKind, fact: str, before: Mapping[str, str], now: Mapping[str, str]) -> Change:
    return Change(kind=kind, what=fact, before=before.get(fact, ""), after=now.get(fact, ""))
