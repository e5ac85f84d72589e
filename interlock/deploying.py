"""The deployer's steps: nothing gets more traffic that is not admitted at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from interlock.admission import Anchor, is_governed, judge, refusal, trust_from
from interlock.aws.endpoint_state import EndpointState, growing
from interlock.clients import StackClients, require_verified
from interlock.duties.duty import SigningDuty
from interlock.failures import Refusal
from interlock.release.acting import write_summary
from interlock.release.verification.admitted import Admitted
from interlock.release.verification.readings import read
from interlock.release.verification.summary import summary_of
from interlock.serving_record import record_served


def _quiet(_: str) -> None:
    return None


def deploy_release(
    clients: StackClients,
    endpoint: str | None,
    slot: str,
    digest: str,
    weights: Mapping[str, float] | None = None,
    *,
    anchor: Anchor | None = None,
    progress: Callable[[str], None] = _quiet,
) -> EndpointState:
    """Serve a release from one variant if it is admitted, and let no other variant grow whose release is not.

    Where the vault's trust root names a tiers policy, `anchor` says from where trust starts, and the verdict is signed
    and recorded; elsewhere the release's bytes are verified alone. Raises Refusal with the reasons, and whatever
    `EndpointClient.deploy` raises.
    """
    client = clients.endpoint(endpoint, progress=progress)
    if weights is not None:
        client.check(weights, slot)
    governed = is_governed(clients.vault_reader)
    progress(f"verify {digest}")
    admitted = _admitted(clients, digest, anchor, governed)
    others = [] if weights is None else _growing(clients, client.state(), weights, anchor, governed, slot)
    state = client.deploy(slot, admitted, weights, others=others)
    if governed:
        record_served(clients, state, [admitted, *others])
    return state


def shift_traffic(
    clients: StackClients,
    endpoint: str | None,
    weights: Mapping[str, float],
    *,
    anchor: Anchor | None = None,
    progress: Callable[[str], None] = _quiet,
) -> EndpointState:
    """Give every variant its weight, if what gets a larger share is admitted now. Raises as `deploy_release` does."""
    client = clients.endpoint(endpoint, progress=progress)
    client.check(weights)
    governed = is_governed(clients.vault_reader)
    grown = _growing(clients, client.state(), weights, anchor, governed, None)
    state = client.shift(weights, grown)
    if governed:
        record_served(clients, state, grown)
    return state


def _growing(
    clients: StackClients,
    state: EndpointState,
    weights: Mapping[str, float],
    anchor: Anchor | None,
    governed: bool,
    apart_from: str | None,
) -> list[Admitted]:
    """Return what gets a larger share, admitted; the endpoint refuses the rest, such as what is no release."""
    found = {
        state.variants[name].release
        for name in growing(state, weights)
        if name != apart_from and name in state.variants
    }
    return [_admitted(clients, one, anchor, governed) for one in sorted(filter(None, found))]


def _admitted(clients: StackClients, digest: str, anchor: Anchor | None, governed: bool) -> Admitted:
    if governed:
        return require_admitted(clients, digest, anchor)
    return Admitted(require_verified(clients, digest))


def require_admitted(clients: StackClients, digest: str, anchor: Anchor | None) -> Admitted:
    """Return a release that is admitted now, once the deployer has signed and recorded the verdict.

    Raises Refusal for any other, and without an anchor; whatever vault and KMS raise.
    """
    if anchor is None:
        raise Refusal(
            "the vault's trust root names a tiers policy, and nothing says which root is to be believed",
            next_step="give the fingerprint of the root: --fingerprint HEX",
        )
    now = datetime.now(UTC).replace(microsecond=0)
    environment = clients.manifest.environment
    trust = trust_from(anchor, clients.vault_reader, now=now)
    record, verdict = judge(clients.vault_reader, trust, digest, environment, now=now)
    if not verdict.verifies:
        raise refusal(verdict, f"interlock passport {digest}   shows the record")
    assert verdict.policy is not None
    assert verdict.tier is not None
    summary = summary_of(
        digest,
        environment=environment,
        policy=verdict.policy,
        tier=verdict.tier,
        inputs=verdict.rests_on,
        passed=True,
        now=now,
        version=_version(),
    )
    decision = write_summary(
        digest,
        summary,
        read(record, trust.root),
        writer=clients.vault_writer,
        reader=clients.vault_reader,
        signer=clients.signer(SigningDuty.DEPLOYER),
    )
    return Admitted(verdict, decision)


def _version() -> str:
    try:
        return version("interlock")
    except PackageNotFoundError:
        return "unknown"
