"""The rules of composite alarms: ALARM("a") AND NOT OK(b) (pure).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html (AlarmRule)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rehearsal.cloud.services.cloudwatch.errors import Refusal, validation_error

_STATES = {"ALARM": "ALARM", "OK": "OK", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}
_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^)\s]+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))"
)

Holds = Callable[[Mapping[str, str]], bool]


def read(rule: str) -> tuple[Holds, set[str]]:
    """Return whether a rule holds for given states by alarm name, and the alarms that it names.

    A rule names alarms by name or ARN; an alarm without a state satisfies nothing. Raises AWS's ValidationError.
    """
    reader = _Reader(rule)
    holds = reader.either()
    if reader.tokens:
        raise reader.problem()
    return holds, reader.named


class _Reader:
    def __init__(self, rule: str) -> None:
        self._rule = rule
        self.named: set[str] = set()
        self.tokens: list[re.Match[str]] = []
        place, text = 0, rule.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise validation_error(f"AlarmRule cannot be read at '{text[place : place + 20].strip()}'")
            self.tokens.append(match)
            place = match.end()

    def either(self) -> Holds:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return lambda states: any(part(states) for part in parts)

    def _both(self) -> Holds:
        parts = [self._one()]
        while self._take("AND"):
            parts.append(self._one())
        return lambda states: all(part(states) for part in parts)

    def _one(self) -> Holds:
        if self._take("NOT"):
            denied = self._one()
            return lambda states: not denied(states)
        if self._take("("):
            inside = self.either()
            if not self._take(")"):
                raise self.problem()
            return inside
        for word, value in (("TRUE", True), ("FALSE", False)):
            if self._take(word):
                return lambda _, value=value: value  # type: ignore[misc]
        if not self.tokens or not self.tokens[0]["state"]:
            raise self.problem()
        match = self.tokens.pop(0)
        name = (match["quoted"] or match["single"] or match["bare"]).rpartition(":alarm:")[2]
        self.named.add(name)
        return lambda states: states.get(name) == _STATES[match["state"]]

    def _take(self, word: str) -> bool:
        taken = bool(self.tokens) and self.tokens[0]["word"] == word
        if taken:
            self.tokens.pop(0)
        return taken

    def problem(self) -> Refusal:
        found = self.tokens[0][0].strip() if self.tokens else "its end"
        return validation_error(f"AlarmRule '{self._rule}' is not valid at {found}")
