"""Watching a stack's registry, with the clients of whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import Failure, OutsideFailure, Refusal
from interlock.mlflow.registry import Credentials
from interlock.mlflow.watching import MlflowEye
from interlock.release.signing import PublicKey
from interlock.release.trust.document import KeyDuty, TrustRoot
from interlock.release.watching import Pinned, Watched, pinned_releases, pinned_versions, watch


def watch_registry(
    clients: StackClients,
    root: TrustRoot,
    credentials: Credentials | None,
    now: Callable[[], datetime],
    releases: Sequence[str] = (),
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Watched]:
    """Look once at the versions that `releases` (all in the vault unless given) were pinned from; yield each.

    What changed is recorded under the observer's key before it is yielded. Where a version cannot be looked at, the
    others are all the same, and then it is raised: OutsideFailure, or Refusal. Raises what the vault raises.
    """
    missed: list[tuple[Pinned, Failure]] = []
    reader, writer = clients.vault_reader, clients.vault_writer
    eye, signer = MlflowEye(clients.registry(credentials)), clients.signer(SigningDuty.OBSERVER)
    builders, observers = (_keys_of(root, duty) for duty in (KeyDuty.BUILDER, KeyDuty.OBSERVER))
    for digest in releases or pinned_releases(reader):
        for pinned in pinned_versions(digest, reader, builders):
            progress(f"{pinned.source.name}/{pinned.source.version}, release {digest[:12]}")
            try:
                seen = watch(pinned, eye, reader=reader, writer=writer, signer=signer, observers=observers, now=now())
            except Failure as failure:
                # Whoever makes one version unreadable must not hide what was done to the others.
                missed.append((pinned, failure))
                continue
            yield seen
    if missed:
        raise _not_seen(missed)


def _not_seen(missed: Sequence[tuple[Pinned, Failure]]) -> Failure:
    reasons = [
        f"{pinned.source.name}/{pinned.source.version}, release {pinned.digest[:12]}: {' '.join(str(failure).split())}"
        for pinned, failure in missed
    ]
    kind = OutsideFailure if any(isinstance(failure, OutsideFailure) for _, failure in missed) else Refusal
    count = f"{len(missed)} pinned version{'s' if len(missed) > 1 else ''}"
    return kind(f"{count} could not be looked at", reasons=reasons)


def _keys_of(root: TrustRoot, duty: KeyDuty) -> Mapping[str, PublicKey]:
    return {name: PublicKey.from_pem(key.public_key.encode()) for name, key in root.keys.items() if key.duty is duty}
