"""Names are read from pickles as the interpreter would import them, in every protocol, and nothing is unpickled."""

from __future__ import annotations

import collections
import datetime
import decimal
import pickle
import pickletools
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from interlock.release.gates.files.pickles import imports_of, problems_of

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ROWS = pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20})
TARGET = np.array([0, 1] * 20)


class Payload:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self._called = (function, arguments)

    def __reduce__(self) -> Any:
        return self._called


def strange(content: bytes, *also: str) -> list[str]:
    said = problems_of(content, also)
    return [one.removeprefix("imports '").removesuffix("' as it is loaded, which is not on the list") for one in said]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(3),
        HistGradientBoostingClassifier(max_iter=3),
        GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_pipeline_of_scikit_learn_names_nothing_strange(estimator: Any, protocol: int) -> None:
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a"]), (OneHotEncoder(), ["b"])
    )
    model = make_pipeline(columns, estimator).fit(ROWS, TARGET)
    assert strange(pickle.dumps(model, protocol)) == []
    assert strange(cloudpickle.dumps(model, protocol)) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_name_nothing_strange(protocol: int) -> None:
    values = [
        *(np.arange(3.0), np.float32(1), np.array(["a", None], dtype=object), np.random.default_rng(1)),
        *(collections.OrderedDict(a=1), datetime.datetime(2026, 1, 1), decimal.Decimal("1.5"), {1, 2}, 1j, b"x"),
    ]
    assert strange(pickle.dumps(values, protocol)) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (Payload(eval, "1"), "eval"),
        (Payload(exec, "1"), "exec"),
        (Payload(getattr, "a", "b"), "getattr"),
        (Payload(__import__, "os"), "__import__"),
        (Payload(__import__("os").system, "true"), "system"),
        (Payload(__import__("subprocess").run, ["true"]), "run"),
        (Payload(pickle.loads, "x"), "loads"),
        (Payload(pd.read_pickle, "x"), "read_pickle"),
        (Payload(np.load, "x"), "load"),
        (Payload(open, "x"), "open"),
        (Payload(__import__("runpy").run_path, "x"), "run_path"),
        (Payload(__import__("importlib").import_module, "x"), "import_module"),
        (Payload(__import__("operator").attrgetter, "x"), "attrgetter"),
        (Payload(__import__("ctypes").CDLL, "x"), "CDLL"),
        (Payload(__import__("mlflow").pyfunc.load_model, "x"), "load_model"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_could_act_is_named(payload: Payload, name: str, protocol: int) -> None:
    (found,) = strange(pickle.dumps(payload, protocol))
    assert name in found


def test_a_function_that_is_carried_along_as_code_is_named() -> None:
    assert "cloudpickle.cloudpickle._make_function" in strange(cloudpickle.dumps(lambda rows: rows))


def test_a_name_put_together_as_it_runs_is_refused() -> None:
    # The module's name is what a call returned, so that no string says it.
    content = b"\x80\x04c_codecs\nencode\n\x8c\x02os\x85R\x8c\x06system\x93."
    assert pickletools.genops(content)
    assert strange(content) == ["it puts together what it imports only as it runs"]


def test_a_name_that_went_through_the_memo_is_told() -> None:
    content = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94000h\x00h\x01\x93."
    # Three are thrown away of the two there are: no interpreter would run it, and nothing is told of it.
    assert strange(content) != []
    assert strange(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x9400h\x00h\x01\x93.") == ["os.system"]


@pytest.mark.parametrize(
    "content",
    [b"c__builtin__\nset.__init__.__globals__\n.", b"\x80\x04\x8c\x05numpy\x8c\x0ddtype.__class_\x93."],
)
def test_an_attribute_of_what_is_listed_is_not_listed(content: bytes) -> None:
    assert len(strange(content)) == 1


def test_a_second_pickle_behind_the_first_is_read_too() -> None:
    assert strange(pickle.dumps(1) + pickle.dumps(Payload(eval, "1"))) == ["builtins.eval"]


@pytest.mark.parametrize("content", [b"\x82\x01.", b"P1\n.", b"\x80\x04K\x01Q."])
def test_what_only_the_running_interpreter_would_know_is_refused(content: bytes) -> None:
    assert len(strange(content)) == 1


def test_a_pickle_that_is_cut_short_or_is_none_is_refused() -> None:
    content = pickle.dumps(ROWS)
    for part in (content[:-1], content[: len(content) // 2], b"no pickle at all", content + b"\x00rest"):
        assert any("cannot be read as a pickle" in one for one in strange(part))


def test_the_policy_may_list_more() -> None:
    content = pickle.dumps([Payload(eval, "1"), np.load])
    assert strange(content, "builtins.eval", "numpy.*") == []
    assert strange(content, "builtins.*") == ["numpy.load"]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    imports_of(content)


TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner), st.tuples(inner, inner)),
    max_leaves=20,
)


@given(TREES, st.sampled_from(PROTOCOLS), st.booleans())
def test_a_payload_anywhere_among_values_is_found(tree: Any, protocol: int, first: bool) -> None:
    values = [Payload(eval, "1"), tree] if first else [tree, {"deep": [tree, Payload(eval, "1")]}]
    assert [one.rpartition(".")[2] for one in strange(pickle.dumps(values, protocol))] == ["eval"]
    assert strange(pickle.dumps(tree, protocol)) == []
