"""The logs that a trust root names, as they lie in the vault."""

from __future__ import annotations

from interlock.ledger.believing import Believer
from interlock.ledger.faults import FaultKind, LedgerRefused
from interlock.ledger.layout import log_prefix, witnessed_prefix
from interlock.ledger.ledger import joined
from interlock.ledger.loading import open_ledger
from interlock.ledger.view import LedgerView
from interlock.release.trust.document import TrustRoot
from interlock.release.vault import VaultReader
from interlock.release.verification.reason import Reason, ReasonCode


def read_logs(reader: VaultReader, root: TrustRoot, about: str | None = None) -> tuple[list[LedgerView], list[Reason]]:
    """Return the logs of `root` that are to be believed, and why the others are not.

    With the digest of a release in `about`, they tell as well which of its statements are dated back. A log that
    nobody has begun, as another region's before a failover, is none. Raises what `reader` raises.
    """
    views: list[LedgerView] = []
    reasons: list[Reason] = []
    for log, origin in Believer(root).logs.items():
        if not any(True for prefix in (log_prefix(log), witnessed_prefix(log)) for _ in reader.versions(prefix)):
            continue
        try:
            views.append(open_ledger(reader, root, origin, about=about))
        except LedgerRefused as refused:
            reasons += [Reason(_code_of(fault.kind), str(fault), origin) for fault in refused.faults]
    if not reasons:
        try:
            joined(views)
        except LedgerRefused as refused:
            reasons += [Reason(ReasonCode.LEDGER_REFUSED, str(fault), fault.where) for fault in refused.faults]
    return views, reasons


def _code_of(kind: FaultKind) -> ReasonCode:
    unknown = kind is FaultKind.UNKNOWN_ORIGIN
    return ReasonCode.LEDGER_OF_UNKNOWN_ORIGIN if unknown else ReasonCode.LEDGER_REFUSED
