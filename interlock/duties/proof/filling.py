"""Questions in which a policy fills in the name of whoever asks, while that name is open: one for each sort of name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from interlock.duties.evaluator.policy import Condition, Policy
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof.patterns import Unfilled
from interlock.duties.proof.selecting import about

if TYPE_CHECKING:
    from interlock.duties.proof.permission import Question

NAME: Final = "aws:sourceidentity"
NOBODY_WE_KNOW: Final = "nobody-we-know"
"""A name that no document has and no question is about."""
_TELLING: Final = frozenset({"StringEquals", "StringNotEquals", "Null"})
"""Operators that tell one name from all others, or a name from none."""


def cases_of(question: Question, unfilled: Unfilled) -> Iterator[Question]:
    """Yield the question of each name that could make a difference, of any other, and of a session that bears none.

    A source identity has no slash, so that where the question names a thing it is one of the parts of its name.
    Raises the Unfilled for another variable, for a name that is settled, and where a document tells names apart by
    more than that they are equal.
    """
    if unfilled.key != NAME or NAME in question.known:
        raise unfilled
    names = dict.fromkeys(one for one in question.resource.split("/")[1:] if one and not {"*", "?"} & set(one))
    for condition in _conditions(question):
        if condition.operator not in _TELLING:
            raise unfilled
        if condition.operator != "Null":
            names |= dict.fromkeys(value.written for value in condition.values if not value.variables)
    for values in ((NOBODY_WE_KNOW,), *((one,) for one in names), None):
        yield replace(question, known={**question.known, NAME: values})


def _conditions(question: Question) -> Iterable[Condition]:
    action = question.action.lower()
    for layers in (question.layers, question.beyond):
        for policy in _policies(layers) if layers is not None else ():
            for statement in chain(*about(policy, action)):
                yield from (one for one in statement.condition if one.key == NAME)


def _policies(layers: Layers) -> Iterator[Policy]:
    yield from (*layers.identity, *layers.session)
    yield from (one for one in (layers.boundary, layers.resource) if one is not None)
    yield from (one for levels in (layers.scps, layers.rcps) for level in levels for one in level)
