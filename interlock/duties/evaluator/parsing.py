"""From a policy's JSON to typed statements, or one message that says where it is not a policy.

Source: IAM User Guide, "Grammar of the IAM JSON policy language",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from interlock.duties.evaluator.grammar import check_statement, complete, refuse
from interlock.duties.evaluator.operators import read_condition
from interlock.duties.evaluator.policy import (
    Condition,
    Effect,
    NamedPrincipal,
    NotModelled,
    Policy,
    PolicyKind,
    PolicyStatement,
    PrincipalType,
    Template,
)
from interlock.duties.evaluator.templates import plain, template

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_WITH_VARIABLES: Final = "2012-10-17"
_VERSIONED: Final = (PolicyKind.SCP, PolicyKind.RCP)
_WITH_ID: Final = (PolicyKind.RESOURCE, PolicyKind.TRUST)
_TOP: Final = ("Version", "Id", "Statement")
_ELEMENTS: Final = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip


def parse(document: str | bytes | Mapping[str, Any], kind: PolicyKind, name: str) -> Policy:
    """Return a document as a policy of one kind; `name` is what messages call it.

    Raises PolicyError if it is not JSON or breaks the grammar of its kind, NotModelled for a condition operator or a
    variable that the evaluator does not know.
    """
    content = _loaded(document, name)
    for key in content:
        if key not in _TOP:
            refuse(name, key, content[key], f"no such element; accepted here are {', '.join(_TOP)}")
    # AWS takes a document without a version for one of 2008-10-17.
    version = content.get("Version", _VERSIONS[-1])
    if version not in _VERSIONS:
        refuse(name, "Version", version, f"accepted are {' and '.join(_VERSIONS)}")
    if kind in _VERSIONED and version != _WITH_VARIABLES:
        refuse(name, "Version", content.get("Version"), f"a {kind} requires {_WITH_VARIABLES}")
    if "Id" in content and kind not in _WITH_ID:
        refuse(name, "Id", content["Id"], f"a {kind} has no Id")
    statements = content.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    if not listed or not all(isinstance(statement, Mapping) for statement in listed):
        refuse(name, "Statement", statements, "accepted is a statement or a list of at least one")
    parsed = tuple(
        _statement(statement, index, kind, name, version == _WITH_VARIABLES) for index, statement in enumerate(listed)
    )
    _refuse_same_sids(parsed, name)
    return Policy(name, kind, parsed, str(version))


def _loaded(document: str | bytes | Mapping[str, Any], name: str) -> Mapping[str, Any]:
    content: Any = document
    if isinstance(document, str | bytes):
        try:
            content = json.loads(document, object_pairs_hook=lambda pairs: _once(pairs, name))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            refuse(name, "document", document, f"not JSON: {error}; accepted is a JSON object with a Statement")
    if not isinstance(content, Mapping):
        refuse(name, "document", content, "accepted is a JSON object with a Statement")
    return dict(content)


def _once(pairs: Sequence[tuple[str, Any]], name: str) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key, value in pairs:
        if keys.count(key) > 1:
            refuse(name, key, value, "the element is written twice; accepted is once")
    return dict(pairs)


def _statement(
    written: Mapping[str, Any], index: int, kind: PolicyKind, name: str, with_variables: bool
) -> PolicyStatement:
    path = f"Statement[{index}]"
    for key in written:
        if key not in _ELEMENTS:
            refuse(name, f"{path}.{key}", written[key], f"no such element; accepted are {', '.join(_ELEMENTS)}")
    effect = written.get("Effect")
    if effect not in tuple(Effect):
        refuse(name, f"{path}.Effect", effect, "accepted are Allow and Deny")
    sid = written.get("Sid", "")
    if not isinstance(sid, str):
        refuse(name, f"{path}.Sid", sid, "accepted is a text")

    def texts(element: str) -> tuple[str, ...]:
        return _texts(written[element], f"{path}.{element}", name) if element in written else ()

    def templates(element: str) -> tuple[Template, ...]:
        return tuple(
            complete(_template(text, f"{name}: {path}.{element}", with_variables), kind, f"{path}.{element}", name)
            for text in texts(element)
        )

    def principals(element: str) -> tuple[NamedPrincipal, ...]:
        return _principals(written[element], f"{path}.{element}", name) if element in written else ()

    statement = PolicyStatement(
        index=index,
        effect=Effect(effect),
        sid=sid,
        principal=principals("Principal"),
        not_principal=principals("NotPrincipal"),
        action=texts("Action"),
        not_action=texts("NotAction"),
        resource=templates("Resource"),
        not_resource=templates("NotResource"),
        condition=_conditions(written.get("Condition", {}), path, name, with_variables),
    )
    check_statement(statement, kind, path, name)
    return statement


def _texts(written: Any, path: str, name: str) -> tuple[str, ...]:
    listed = written if isinstance(written, list) else [written]
    if not listed or not all(isinstance(text, str) and text for text in listed):
        refuse(name, path, written, "accepted is a text or a list of at least one")
    return tuple(listed)


def _principals(written: Any, path: str, name: str) -> tuple[NamedPrincipal, ...]:
    if written == "*":
        return (NamedPrincipal(PrincipalType.AWS, "*"),)
    if not isinstance(written, Mapping) or not written:
        refuse(name, path, written, 'accepted is "*" or an object of AWS, Service or Federated')
    found = []
    for key, value in written.items():
        if key == "CanonicalUser":
            raise NotModelled(
                f"{name}: {path}.{key}: canonical user ids are not modelled; accepted is an account under AWS"
            )
        if key not in tuple(PrincipalType):
            refuse(name, f"{path}.{key}", value, "accepted are AWS, Service and Federated")
        found += [NamedPrincipal(PrincipalType(key), text) for text in _texts(value, f"{path}.{key}", name)]
    return tuple(found)


def _conditions(written: Any, path: str, name: str, with_variables: bool) -> tuple[Condition, ...]:
    if not isinstance(written, Mapping) or not all(isinstance(keys, Mapping) for keys in written.values()):
        refuse(name, f"{path}.Condition", written, "accepted is an object of operators, each an object of keys")
    return tuple(
        read_condition(operator, key, _values(values, f"{path}.Condition.{operator}.{key}", name, with_variables),
                       f"{path}.Condition.{operator}", name)
        for operator, keys in written.items()
        for key, values in keys.items()
    )  # fmt: skip


def _values(written: Any, path: str, name: str, with_variables: bool) -> tuple[Template, ...]:
    listed = written if isinstance(written, list) else [written]
    if not listed or not all(isinstance(value, str | bool | int | float) for value in listed):
        refuse(name, path, written, "accepted is a text, a number or a Boolean, or a list of at least one")
    texts = [json.dumps(value) if isinstance(value, bool | int | float) else value for value in listed]
    return tuple(_template(text, f"{name}: {path}", with_variables) for text in texts)


def _template(text: str, where: str, with_variables: bool) -> Template:
    return template(text, where) if with_variables else plain(text)


def _refuse_same_sids(statements: Sequence[PolicyStatement], name: str) -> None:
    seen: set[str] = set()
    for statement in statements:
        if statement.sid and statement.sid in seen:
            path = f"Statement[{statement.index}].Sid"
            refuse(name, path, statement.sid, "an earlier statement has it; accepted is a Sid that is unique")
        seen.add(statement.sid)
