"""Watching a stack's registry, with the clients of whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.mlflow.registry import Credentials
from interlock.mlflow.watching import MlflowEye
from interlock.release.signing import PublicKey
from interlock.release.trust.document import KeyDuty, TrustRoot
from interlock.release.watching import Watched, pinned_releases, pinned_versions, watch


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

    What changed is recorded under the observer's key before it is yielded. Raises whatever registry, vault and KMS
    raise.
    """
    reader, writer = clients.vault_reader, clients.vault_writer
    eye, signer = MlflowEye(clients.registry(credentials)), clients.signer(SigningDuty.OBSERVER)
    builders, observers = (_keys_of(root, duty) for duty in (KeyDuty.BUILDER, KeyDuty.OBSERVER))
    for digest in releases or pinned_releases(reader):
        for pinned in pinned_versions(digest, reader, builders):
            progress(f"{pinned.source.name}/{pinned.source.version}, release {digest[:12]}")
            yield watch(pinned, eye, reader=reader, writer=writer, signer=signer, observers=observers, now=now())


def _keys_of(root: TrustRoot, duty: KeyDuty) -> Mapping[str, PublicKey]:
    return {name: PublicKey.from_pem(key.public_key.encode()) for name, key in root.keys.items() if key.duty is duty}
