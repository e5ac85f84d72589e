"""Ways by which names that look harmless run something as a pickle is loaded; each is refused."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from interlock.release.gates.files.pickle_machine import Name
from interlock.release.gates.files.pickles import problems_of, strange_names
from policy.model_classes.__main__ import LIST
from policy.model_classes.defined import ROOTS, defined_in, written

FAMILIES = ("sklearn", "scipy.sparse", "numpy")
IMPORTED = (
    *("sklearn.ensemble", "sklearn.pipeline", "sklearn.utils.parallel", "sklearn.utils.fixes", "sklearn.datasets"),
    *("sklearn.utils._show_versions", "sklearn.inspection", "sklearn.feature_extraction.text", "sklearn.callback"),
    *("sklearn.utils._testing", "scipy.sparse.linalg"),
)
OWN = ("sklearn", "scipy", "numpy", "builtins", "collections", "copyreg", "_codecs", "datetime", "decimal", "functools")


def of_families() -> Iterator[tuple[str, ModuleType]]:
    for one in IMPORTED:
        importlib.import_module(one)
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and name.startswith(tuple(f"{one}." for one in FAMILIES)):
            yield name, module


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"\x8c" + bytes([len(encoded)]) + encoded


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def filled(made: bytes, **state: bytes) -> bytes:
    return made + b"}(" + b"".join(text(key) + value for key, value in state.items()) + b"ub"


PIPELINE = name("sklearn.pipeline", "Pipeline")
EMPTY = PIPELINE + b")\x81"
CALLER = name("functools", "partial") + name("functools", "partial") + b"\x85R"


def test_what_a_module_only_lends_on_is_not_on_the_list() -> None:
    listed = {
        f"{value.__module__}.{value.__qualname__}"
        for module, found in of_families()
        for attribute, value in list(vars(found).items())
        if isinstance(value, type) and not list(strange_names(frozenset([Name(module, attribute)])))
    }
    assert "sklearn.pipeline.Pipeline" in listed
    assert [one for one in sorted(listed) if one.partition(".")[0] not in OWN] == []


def test_no_path_through_a_module_leads_to_another_library() -> None:
    modules = dict(of_families())
    steps = [
        Name(module, f"{attribute}.{inner}")
        for module, found in modules.items()
        for attribute, value in list(vars(found).items())
        if isinstance(value, ModuleType)
        for inner in list(vars(value))
    ]
    assert len(steps) > 10_000
    assert list(strange_names(frozenset(steps))) == sorted(set(steps))


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("sklearn.base", "np.f2py.subprocess.Popen"),
        ("sklearn.base.np.f2py.subprocess", "Popen"),
        ("sklearn.callback._transport", "Client"),
        ("sklearn.utils.parallel", "Parallel"),
        ("sklearn.datasets._base", "Path"),
        ("sklearn.datasets._openml", "NamedTemporaryFile"),
        ("sklearn.pipeline", "Pipeline.predict"),
        ("sklearn.pipeline", "Pipeline.__init__.__globals__"),
        ("numpy", "ndarray.tofile"),
        ("builtins", "object.__subclasses__"),
        ("pandas.core.frame", "DataFrame.eval"),
        ("statsmodels.base.data", "PandasData"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_name_that_is_not_listed_as_it_stands_is_refused(module: str, attribute: str, protocol: int) -> None:
    looked_up = f"c{module}\n{attribute}\n".encode() if protocol == 2 else name(module, attribute)
    (problem,) = problems_of(bytes([0x80, protocol]) + looked_up + b".")
    assert f"{module}.{attribute}" in problem


def test_a_pickle_that_starts_a_program_by_a_path_through_modules_is_refused(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    arguments = b"((" + text("sh") + text("-c") + text(f"echo ran > {trace}") + b"lt"
    content = b"\x80\x04" + name("sklearn.base", "np.f2py.subprocess.Popen") + arguments + b"R."
    assert list(problems_of(content)) != []
    # That it would run is why it has to be refused.
    pickle.loads(content).wait()
    assert trace.exists()


@pytest.mark.parametrize(
    ("program", "what"),
    [
        (PIPELINE + b")R", "calls sklearn.pipeline.Pipeline with arguments"),
        (PIPELINE + text("x") + b"\x85R", "calls sklearn.pipeline.Pipeline with arguments"),
        (EMPTY + b")R", "calls what it put together itself"),
        (CALLER + b")R", "calls what it put together itself"),
        (filled(filled(EMPTY, __setstate__=CALLER), x=text("y")), "fills an object of sklearn.pipeline.Pipeline twice"),
        (filled(EMPTY, append=CALLER) + text("x") + b"a", "with a member"),
        (EMPTY + b"(}}" + text("theta") + b"]stb", "sets attributes of an object of sklearn.pipeline.Pipeline"),
        (name("functools", "partial") + EMPTY + b"\x85R", "makes a function of what it put together itself"),
        (filled(EMPTY, _build_f=CALLER), "gives a value to _build_f"),
        (CALLER + b"(" + EMPTY + b")}Ntb", "makes a function of what it put together itself"),
        (filled(EMPTY, extend=CALLER) + b"(" + text("x") + b"e", "with a member"),
        (filled(EMPTY, add=CALLER) + b"(" + text("x") + b"\x90", "with a element"),
        (EMPTY + text("a") + text("b") + b"s", "with a item"),
        (name("builtins", "dict") + filled(EMPTY, keys=CALLER) + b"\x85R", "calls builtins.dict with arguments"),
        (name("builtins", "str") + EMPTY + b"\x85R", "calls builtins.str with arguments"),
        (name("collections", "OrderedDict") + filled(EMPTY, keys=CALLER) + b"\x85R", "gives an object of sklearn"),
        (name("collections", "OrderedDict") + b"]" + EMPTY + b"a\x85R", "gives an object of sklearn"),
        (name("numpy", "dtype") + filled(EMPTY, dtype=CALLER) + b"\x85R", "gives an object of sklearn"),
        (filled(name("collections", "OrderedDict") + b")R", keys=CALLER), "fills an object of collections.OrderedDict"),
        (PIPELINE + b"}(" + text("predict") + CALLER + b"ub", "changes what it did not"),
        (EMPTY + EMPTY + b"b", "from an object instead of a dictionary"),
        (
            name("copyreg", "_reconstructor") + PIPELINE * 2 + text("x") + b"\x87R",
            "calls sklearn.pipeline.Pipeline as it is loaded, by way of",
        ),
        (
            name("numpy.random._pickle", "__randomstate_ctor") + text("x") + PIPELINE + b"\x86R",
            "gives sklearn.pipeline.Pipeline to numpy.random._pickle.__randomstate_ctor",
        ),
        (b"(" + PIPELINE + text("x") + b"o", "calls sklearn.pipeline.Pipeline with"),
        (b"(" + text("x") + b"isklearn.pipeline\nPipeline\n", "calls sklearn.pipeline.Pipeline with"),
        (PIPELINE + EMPTY + b"\x85\x81", "calls sklearn.pipeline.Pipeline with"),
        (PIPELINE + b"\x97\x81", "refers to objects outside"),
    ],
)
def test_what_could_run_a_method_that_the_pickle_chose_is_refused(program: bytes, what: str) -> None:
    problems = list(problems_of(b"\x80\x05" + program + b"."))
    assert any(what in one for one in problems), problems


def test_the_list_is_what_the_locked_libraries_define() -> None:
    assert LIST.read_text() == written({one for root in ROOTS for one in defined_in(root)})
