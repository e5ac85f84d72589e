"""What runs although it should not: the releases on a stack's endpoints, beside what was said of them since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from interlock.aws.endpoint_state import VariantState
from interlock.clients import StackClients
from interlock.release.record import gather
from interlock.release.vault import VaultReader
from interlock.release.verification import standing
from interlock.release.verification.belief import BeliefByLedger
from interlock.release.verification.readings import read
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.trust import Trust


@dataclass(frozen=True)
class Running:
    """What a variant runs, other than the holding model."""

    endpoint: str
    variant: str
    release: str
    """Empty where it is no release of the vault."""
    share: float
    """Of the endpoint's traffic, between 0 and 1."""
    reasons: tuple[Reason, ...]
    """Why it should not run: its revocation, rejections that stand, faults of its record, and a model that is not what
    the stack makes of it."""
    notes: tuple[Reason, ...]
    """That it was retired, or runs on an image that the template had before, which asks nobody to hurry."""


def running_releases(clients: StackClients, trust: Trust) -> Iterator[Running]:
    """Yield what the endpoints of the stack run, with or without traffic. Raises OutsideFailure."""
    for name in sorted(clients.manifest.endpoints):
        state = clients.endpoint(name, trust.root).state()
        shares = state.shares()
        for variant, one in sorted(state.variants.items()):
            if one.is_holding:
                continue
            against, notes = said_against(clients.vault_reader, trust, one.release) if one.release else ((), ())
            strange = _strange(one)
            notes = (*notes, *_on_an_earlier_image(one))
            yield Running(state.name, variant, one.release or "", shares[variant], (*strange, *against), notes)


def _strange(one: VariantState) -> tuple[Reason, ...]:
    """Return why a variant's model is not one that this stack makes."""
    if one.release is None:
        text = f"its model {one.model_name} is of no release of the vault"
        return (Reason(ReasonCode.NOT_ADMITTED, text, one.model_name),)
    texts = [f"its model is not what this stack makes of the release: {fault}" for fault in one.faults]
    return tuple(Reason(ReasonCode.NOT_ADMITTED, text, one.model_name) for text in texts)


def _on_an_earlier_image(one: VariantState) -> tuple[Reason, ...]:
    if not one.earlier_image or one.faults:
        return ()
    text = f"its model has an earlier image, {one.earlier_image}, until it is deployed again"
    return (Reason(ReasonCode.EARLIER_IMAGE, text, one.model_name),)


def said_against(vault: VaultReader, trust: Trust, digest: str) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """Return why a release should not run, and what need only be known; its files' bytes are not read."""
    record = gather(vault, digest, trust.public_keys())
    readings = read(record, trust.root)
    # Whether the ledger has an objection yet makes no difference to who has to hear of it.
    belief = BeliefByLedger({})
    reasons = (
        *record.problems,
        *readings.forgeries,
        *standing.revocations(readings, belief),
        *standing.rejections(readings, belief),
    )
    return reasons, tuple(standing.retirements(readings, belief))
