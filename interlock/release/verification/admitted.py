"""A release that may get traffic: a value that there is only where a verdict on it was reached."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.release.acting import Written
from interlock.release.verification.judging import Profile, Verdict
from interlock.release.verification.stored import Verification


@dataclass(frozen=True)
class Admitted:
    """What an endpoint is handed instead of a digest, so that nothing serves whose admission somebody forgot.

    Raises ValueError for a verdict that refuses, or that was reached for another purpose than traffic.
    """

    found: Verdict | Verification
    """The verdict of the profile *admit*; where no tiers policy governs, that the bytes are those signed for."""
    decision: Written | None = None
    """The deployer's summary of the verdict, as it lies in the vault."""

    def __post_init__(self) -> None:
        if not self.found.verifies:
            raise ValueError(f"the release {self.digest} does not verify")
        if isinstance(self.found, Verdict) and (self.found.profile is not Profile.ADMIT or self.decision is None):
            raise ValueError(f"the release {self.digest} was not admitted, and signed for")

    @property
    def digest(self) -> str:
        return self.found.digest

    @property
    def is_governed(self) -> bool:
        """Say whether it was admitted under a tiers policy, so that its record has to travel with it."""
        return isinstance(self.found, Verdict)
