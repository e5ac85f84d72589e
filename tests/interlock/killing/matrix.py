"""Kills a step at its writes, runs it again, and says what is then not as if nothing had happened."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from tests.interlock.killing.front import Death
from tests.interlock.killing.world import World, next_second

TRUSTED_BEFORE = frozenset({"revoke"})
"""The steps before which the release verifies."""


class Killing:
    """One step, to be killed again and again from the state before it."""

    def __init__(self, name: str, world: World) -> None:
        """Let the step run unbroken: what it leaves is what each run that was broken off must come to."""
        self.name, self.world = name, world
        self._before = world.state()
        done = world.perform(name)
        assert done.code == 0, done.said
        self.writes = tuple(world.front.writes)
        self._recorded()
        self._after, self._lying, self._verifies = world.state(), world.lying(), world.verifies()

    def deaths(self) -> list[Death]:
        return [Death(number, arrives) for number in range(1, len(self.writes) + 1) for arrives in (False, True)]

    def wrong_again(self) -> list[str]:
        """Return what another run of the unbroken step changes."""
        next_second()
        return list(self._wrong_in_the_end())

    def wrong_after(self, death: Death, plant: str | None = None) -> list[str]:
        """Return what is wrong after a death and another run; nothing, if all is well."""
        self._before.put_back()
        broken = self.world.perform(self.name, death, plant)
        wrong = []
        if broken.code != -signal.SIGKILL:
            wrong.append(f"it was not killed, and ended with {broken.code}: {broken.said[-300:]}")
        if self.name not in TRUSTED_BEFORE and self.world.verifies():
            wrong.append("it verifies although the step was broken off")
        next_second()
        wrong += self._wrong_in_the_end(plant)
        self._after.put_back()
        return [f"{self.name}, {death}: {one}" for one in wrong]

    def _wrong_in_the_end(self, plant: str | None = None) -> Iterator[str]:
        done = self.world.perform(self.name, plant=plant)
        if done.code != 0:
            yield f"run again it ended with {done.code}: {done.said[-300:]}"
        self._recorded()
        found = self.world.lying()
        for key in sorted((found | self._lying).keys()):
            if found[key] != self._lying[key]:
                yield f"{key} lies there {found[key]} times, not {self._lying[key]}"
        if self.world.verifies() != self._verifies:
            yield f"it {'does not verify' if self._verifies else 'verifies'} in the end"

    def _recorded(self) -> None:
        if self.name in ("check", "approve"):
            self.world.record()
