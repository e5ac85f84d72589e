"""The deployer's steps: nothing gets more traffic that is not admitted at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from interlock.admission import Anchor, is_governed, judge, refusal, trust_from
from interlock.aws.endpoint_state import EndpointState, growing
from interlock.clients import StackClients, require_verified
from interlock.duties.duty import SigningDuty
from interlock.failures import Refusal
from interlock.release.acting import write_summary
from interlock.release.reading_once import ReadingOnce
from interlock.release.record import Record
from interlock.release.trust.document import TrustRoot
from interlock.release.verification.admitted import Admitted
from interlock.release.verification.approvals import CLOCKS_DIFFER_BY
from interlock.release.verification.dating import WRITTEN_WITHIN
from interlock.release.verification.readings import read
from interlock.release.verification.summary import summary_of
from interlock.release.verification.trust import Trust
from interlock.release.verification.verdict import Verdict
from interlock.serving_record import record_served

JUDGED_ANEW_AFTER: Final = timedelta(minutes=1)
"""How old a verdict may be before what can have changed since is judged anew: a checkpoint may come each minute."""

SIGNED_WITHIN: Final = WRITTEN_WITHIN - CLOCKS_DIFFER_BY
"""How old the verdict may be that is signed: a summary that lies in the vault too late counts as dated back for good,
whosever clock is ahead."""


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
    governed = is_governed(clients.vault_reader)
    client = clients.endpoint(endpoint, _root(clients, anchor, governed), progress=progress)
    if weights is not None:
        client.check(weights, slot)
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
    governed = is_governed(clients.vault_reader)
    client = clients.endpoint(endpoint, _root(clients, anchor, governed), progress=progress)
    client.check(weights)
    grown = _growing(clients, client.state(), weights, anchor, governed, None)
    state = client.shift(weights, grown)
    if governed:
        record_served(clients, state, grown)
    return state


def _root(clients: StackClients, anchor: Anchor | None, governed: bool) -> TrustRoot | None:
    """Return the trust root by which images are judged; None where none governs, or is to be believed.

    Then a model on an earlier image is none of this stack's. What gets less traffic needs nobody's leave.
    """
    if not governed or anchor is None:
        return None
    try:
        return trust_from(anchor, clients.vault_reader, now=_now()).root
    except Refusal:
        return None


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
    environment = clients.manifest.environment
    now, trust, record, verdict = _judged(clients, digest, environment, anchor)
    if not verdict.verifies:
        raise refusal(verdict, f"interlock passport {digest}   shows the record")
    if _now() - now > SIGNED_WITHIN:
        raise Refusal(
            f"the verdict on the release {digest} is older than {SIGNED_WITHIN.total_seconds() / 60:g} minutes, and "
            "what is signed too late counts as dated back",
            next_step="run it again",
        )
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
        verdict=verdict,
    )
    return Admitted(verdict, decision)


def _judged(
    clients: StackClients, digest: str, environment: str, anchor: Anchor
) -> tuple[datetime, Trust, Record, Verdict]:
    """Return a verdict, when (UTC) it was reached, and what on.

    Reading the bytes may take long, and what people say meanwhile counts: everything else is then judged once more.
    """
    vault = ReadingOnce(clients.vault_reader)

    def once() -> tuple[datetime, Trust, Record, Verdict]:
        now = _now()
        trust = trust_from(anchor, vault, now=now)
        return now, trust, *judge(vault, trust, digest, environment, now=now)

    found = once()
    return once() if found[-1].verifies and _now() - found[0] > JUDGED_ANEW_AFTER else found


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _version() -> str:
    try:
        return version("interlock")
    except PackageNotFoundError:
        return "unknown"
