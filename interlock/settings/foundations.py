"""What a stack's settings take from the foundations of its accounts: the outputs of `infra/bootstrap`.

Source of the format: Terraform, "Command: output", section "JSON output".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlock import rules
from interlock.rules import Problem, Rule, shown
from interlock.settings.pulumi_yaml import dumped, loaded
from interlock.settings.section import PREFIX

OUTPUT: Final = "settings"
_SECRETS: Final = rules.text(
    r"awskms:///arn:\S+", "awskms:///<ARN of a key>, from the account that holds the state (holds_state)"
)


class FoundationsError(ValueError):
    """Outputs that are not those of `infra/bootstrap`; `problems` name each value and what would be accepted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Foundations:
    """Where one layer's stack lives: accounts, the role in the evidence account, and what encrypts its secrets."""

    account_id: str
    region: str
    evidence: Mapping[str, str] | None
    """`account_id` of the evidence account, if it is another; `role_arn` where the layer has a way into it."""
    secrets_provider: str


def read_foundations(text: str, layer: str) -> Foundations:
    """Read what `terraform output -json`, or `terraform output -json settings`, printed. Raises FoundationsError."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        received = f"no JSON (line {error.lineno}: {error.msg})"
        raise FoundationsError([Problem("outputs", received, "what `terraform output -json` prints")]) from None
    except RecursionError:
        received = "more nested objects than can be read"
        raise FoundationsError([Problem("outputs", received, "what `terraform output -json` prints")]) from None
    whole = document.get(OUTPUT) if isinstance(document, Mapping) else None
    layers = whole["value"] if isinstance(whole, Mapping) and "value" in whole else document
    found = layers.get(layer) if isinstance(layers, Mapping) else None
    if not isinstance(found, Mapping):
        received = (
            f"outputs named {', '.join(map(str, layers)) or 'nothing'}" if isinstance(layers, Mapping) else "none"
        )
        raise FoundationsError([Problem(f"{OUTPUT}.{layer}", received, f"the output {OUTPUT} of infra/bootstrap")])
    return _checked(found, f"{OUTPUT}.{layer}")


def _checked(found: Mapping[str, Any], where: str) -> Foundations:
    evidence = found.get("evidence")
    within = evidence if isinstance(evidence, Mapping) else {}
    wanted: list[tuple[str, Any, Rule]] = [
        ("account_id", found.get("account_id"), rules.account_id),
        ("region", found.get("region"), rules.region),
        ("secrets_provider", found.get("secrets_provider"), _SECRETS),
    ]
    if evidence is not None:
        wanted += [
            ("evidence.account_id", within.get("account_id"), rules.account_id),
        ]
        # The platform publishes across accounts, and has no way into the other one.
        if within.get("role_arn") is not None or where.endswith(".foundation"):
            wanted.append(("evidence.role_arn", within["role_arn"], rules.role_arn))
    problems = [
        Problem(f"{where}.{name}", shown(value), rule.told(value))
        for name, value, rule in wanted
        if not rule.holds(value)
    ]
    if problems:
        raise FoundationsError(problems)
    other = within if within.get("account_id") not in (None, found["account_id"]) else None
    return Foundations(
        found["account_id"],
        found["region"],
        {name: other[name] for name in ("account_id", "role_arn") if other.get(name)} if other else None,
        found["secrets_provider"],
    )


def with_foundations(text: str, foundations: Foundations) -> str:
    """Return a stack's file that takes its places from `foundations`; all else stays as it is written, comments too."""
    document = loaded(text) or {}
    config = document.get("config") or {}
    accounts = dict(config.get(f"{PREFIX}accounts") or {})
    if foundations.evidence is not None:
        accounts["evidence"] = dict(foundations.evidence)
    else:
        accounts.pop("evidence", None)
    text = _set(text, "", "secretsprovider", foundations.secrets_provider)
    if not re.search(r"^config:[ \t]*(#.*)?$", text, re.MULTILINE):
        text = re.sub(r"^config:.*\n?", "", text, flags=re.MULTILINE).rstrip("\n") + "\nconfig:\n"
    text = _set(text, "  ", f"{PREFIX}account_id", foundations.account_id)
    text = _set(text, "  ", f"{PREFIX}region", foundations.region)
    return _set(text, "  ", f"{PREFIX}accounts", accounts) if accounts else text


def _set(text: str, indent: str, key: str, value: Any) -> str:
    """Replace one key's block, or put it at the beginning of its mapping."""
    block = "".join(f"{indent}{line}\n" for line in dumped({key: value}).splitlines())
    deeper = rf"(?:{indent}[ \t-].*\n|[ \t]*\n(?={indent}[ \t-]))*"
    present = re.compile(rf"^{indent}['\"]?{re.escape(key)}['\"]?:.*\n{deeper}", re.MULTILINE)
    text = text if text.endswith("\n") or not text else f"{text}\n"
    if present.search(text):
        return present.sub(lambda _: block, text, count=1)
    if not indent:
        return block + text
    return re.sub(r"^(config:[ \t]*(?:#.*)?\n)", lambda found: found[1] + block, text, count=1, flags=re.MULTILINE)
