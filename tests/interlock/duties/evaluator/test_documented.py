"""What AWS's documentation states of its own examples is what the evaluator answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import NotModelled, Policy, PolicyError, PolicyKind
from interlock.duties.evaluator.request import (
    Grant,
    Layers,
    Principal,
    Request,
    anonymous,
    federated_user,
    identity_provider,
    role_session,
    root,
    service,
    user,
)

TABLE = Path(__file__).parent / "documented"
KINDS = {
    "identity": PolicyKind.IDENTITY, "resource": PolicyKind.RESOURCE, "trust": PolicyKind.TRUST,
    "boundary": PolicyKind.BOUNDARY, "session": PolicyKind.SESSION, "scp": PolicyKind.SCP, "rcp": PolicyKind.RCP,
}  # fmt: skip
WORDS = {(True, False): "allow", (False, False): "deny", (False, True): "explicit deny"}


class Example:
    """One row: what a page says of its policies and of one request."""

    def __init__(self, page: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        self.row = row
        self.url = row.get("url", page["url"])
        self._policies = page.get("policies", {})
        self._principals = page.get("principals", {})

    def _policy(self, name: str, kind: str) -> Policy:
        return parse(self._policies[name], KINDS[kind], name)

    def _one(self, kind: str) -> Policy | None:
        return self._policy(self.row[kind], kind) if kind in self.row else None

    def _several(self, key: str, kind: str) -> tuple[Policy, ...]:
        return tuple(self._policy(name, kind) for name in self.row.get(key, ()))

    def _levels(self, key: str, kind: str) -> tuple[tuple[Policy, ...], ...]:
        return tuple(tuple(self._policy(name, kind) for name in level) for level in self.row.get(key, ()))

    @property
    def layers(self) -> Layers:
        return Layers(
            identity=self._several("identity", "identity"),
            resource=self._one("resource") or self._one("trust"),
            boundary=self._one("boundary"),
            session=self._several("session", "session"),
            scps=self._levels("scps", "scp"),
            rcps=self._levels("rcps", "rcp"),
            grants=tuple(_grant(grant) for grant in self.row.get("grants", ())),
            management_account=self.row.get("management", ""),
        )

    @property
    def request(self) -> Request:
        row = self.row
        context: Mapping[str, str | Sequence[str]] = row.get("context", {})
        principal = self._principals.get(row["by"]) or {"anonymous": ""}
        return Request(_principal(principal), row["action"], row["on"], context, resource_account=row.get("owner", ""))


def _grant(row: Mapping[str, Any]) -> Grant:
    return Grant(
        row["key"],
        row["grantee"],
        frozenset(row["operations"]),
        tuple(row.get("equals", {}).items()),
        tuple(row.get("subset", {}).items()),
    )


def _principal(row: Mapping[str, str]) -> Principal:
    match row:
        case {"user": arn}:
            return user(arn, row.get("id", ""))
        case {"role": arn, "session": name}:
            return role_session(arn, name)
        case {"federated": arn, "issuer": issuer}:
            return federated_user(arn, issuer)
        case {"root": account}:
            return root(account)
        case {"service": name}:
            return service(name)
        case {"provider": name}:
            return identity_provider(name)
        case {"anonymous": _}:
            return anonymous()
    raise AssertionError(f"no such principal: {row}")


PAGES = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(TABLE.glob("*.yaml"))]
ROWS = [Example(page, row) for page in PAGES for row in page["examples"]]
DECIDED = [example for example in ROWS if "action" in example.row]
REFUSED = [example for example in ROWS if "refused" in example.row]


def test_the_table_has_at_least_150_rows_each_cited() -> None:
    assert len(DECIDED) + len(REFUSED) == len(ROWS) >= 150
    assert all(example.url.startswith("https://docs.aws.amazon.com/") and example.row["says"] for example in ROWS)


@pytest.mark.parametrize("example", DECIDED, ids=lambda example: example.row["says"])
def test_the_evaluator_answers_as_documented(example: Example) -> None:
    decision = decide(example.request, example.layers)
    assert not decision.unknown, decision.reason
    answer = WORDS[decision.allowed, decision.explicit]
    expected = example.row["expected"]
    assert answer == expected or (expected == "deny" and not decision.allowed), f"{example.url}: {decision.reason}"


@pytest.mark.parametrize("example", REFUSED, ids=lambda example: example.row["says"])
def test_what_the_grammar_forbids_is_refused(example: Example) -> None:
    with pytest.raises((PolicyError, NotModelled)):
        parse(example.row["refused"], KINDS[example.row["kind"]], "policy")
