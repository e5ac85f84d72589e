"""The names that models of well-known libraries need, and what may be done with each as a pickle is loaded.

A class of an estimator is made empty and filled; only what is listed under `CALLED` is called with arguments. A
function of the libraries that is not there may be held by a model, and is not run by loading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from interlock.release.gates.files.pickle_machine import PARTIAL, RECONSTRUCTORS, Name


def _names(of: Mapping[str, str]) -> frozenset[Name]:
    return frozenset(Name(module, name) for module, names in of.items() for name in names.split())


_BUILTINS: Final = "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"
_NUMBERS: Final = (
    "dtype ndarray bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 str_ bytes_"
    " object_ datetime64 timedelta64 float_ int_"
)
_CONTAINERS: Final = _names({"collections": "OrderedDict defaultdict deque Counter"})

INERT: Final = (
    _CONTAINERS
    | RECONSTRUCTORS
    | _names(
        {
            "builtins": _BUILTINS,
            "__builtin__": f"{_BUILTINS} xrange",
            "_codecs": "encode",
            "datetime": "date datetime time timedelta timezone",
            "decimal": "Decimal",
            "numpy": _NUMBERS,
            **dict.fromkeys(("numpy.core.multiarray", "numpy._core.multiarray"), "_reconstruct scalar"),
            **dict.fromkeys(("numpy.core.numeric", "numpy._core.numeric"), "_frombuffer"),
            "numpy.ma": "MaskedArray",
            "numpy.ma.core": "_mareconstruct MaskedArray",
            "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
            "numpy.random._mt19937": "MT19937",
            "numpy.random._pcg64": "PCG64 PCG64DXSM",
            "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
        }
    )
)
"""Of Python and NumPy; none of it, nor an object of it, acts on anything outside or calls what it is given."""

_BOOSTED: Final = _names(
    {
        "xgboost.core": "Booster",
        "xgboost.sklearn": "XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor",
        "lightgbm.basic": "Booster",
        "lightgbm.sklearn": "LGBMModel LGBMClassifier LGBMRegressor LGBMRanker",
        "catboost.core": "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker",
    }
)
"""Of libraries that a team may bring: what their own estimators are pickled as."""

_HELD: Final = _names(
    {
        "numpy": "mean median exp expm1 log log1p sqrt",
        "scipy.interpolate._bsplines": "BSpline",
        "sklearn.feature_selection._univariate_selection": "f_classif f_regression f_oneway r_regression chi2",
        "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
        "sklearn.cluster._kmeans": "_kmeans_single_lloyd _kmeans_single_elkan",
        "sklearn.metrics._classification": "accuracy_score balanced_accuracy_score f1_score log_loss brier_score_loss",
        "sklearn.metrics._ranking": "roc_auc_score average_precision_score",
        "sklearn.metrics._regression": "r2_score mean_squared_error mean_absolute_error",
    }
)
"""Functions, and one class, that estimators keep by their default settings, or commonly."""

_NEW_OBJECT: Final = _names(
    dict.fromkeys(
        ("sklearn.metrics._dist_metrics", "sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree"), "newObj"
    )
)
_SKLEARN_CALLED: Final = _NEW_OBJECT | _names(
    {
        "sklearn._loss._loss": (
            "CyHalfSquaredError CyAbsoluteError CyPinballLoss CyHuberLoss CyHalfPoissonLoss CyHalfGammaLoss"
            " CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHalfBinomialLoss CyHalfMultinomialLoss CyExponentialLoss"
            " __pyx_unpickle_CyHalfMultinomialLoss"
        ),
        "sklearn.linear_model._sgd_fast": (
            "Hinge SquaredHinge ModifiedHuber EpsilonInsensitive SquaredEpsilonInsensitive"
        ),
        "sklearn.tree._tree": "Tree",
    }
)
CALLED: Final = INERT | _SKLEARN_CALLED | {PARTIAL}
"""What may be called with arguments: what the libraries' own pickles call."""

_CALLED_BUILTINS: Final = frozenset(("bytearray", "bytes", "complex", "frozenset", "range", "set", "slice", "xrange"))
_PLAIN_BASES: Final = frozenset(("object", "dict", "list", "set", "frozenset", "tuple", "str", "bytes", "int", "float"))
_PYTHON: Final = ("builtins", "__builtin__")
_BUNCH: Final = Name("sklearn.utils._bunch", "Bunch")
_FILLED: Final[Mapping[str, frozenset[Name]]] = {
    "member": frozenset((Name("collections", "deque"),)),
    "item": frozenset((*(_CONTAINERS - {Name("collections", "deque")}), _BUNCH)),
}


RUN_AS_LOADED: Final = frozenset(("_build_f",))
"""Methods that a listed class of its own accord runs as it is filled: `IsotonicRegression`. No attribute takes one's
place, for then loading would run whatever lies there."""


@cache
def _estimators() -> frozenset[Name]:
    """Return the classes of scikit-learn and scipy.sparse, as `policy.model_classes` writes them."""
    text = files(__package__).joinpath("model_classes.txt").read_text("utf-8")
    return frozenset(_of_lines(text.splitlines()))


def _of_lines(lines: Iterable[str]) -> Iterable[Name]:
    for line in lines:
        if line and not line.startswith("#"):
            module, _, names = line.partition(": ")
            yield from (Name(module, one) for one in names.split())


def is_listed(name: Name) -> bool:
    """Return whether a pickle may look the name up. Compared whole: what another module lends is not on the list."""
    return name in CALLED or name in _BOOSTED or name in _HELD or name in _estimators()


def is_inert(name: Name) -> bool:
    return name in INERT


def may_be_called(name: Name) -> bool:
    """Return whether a pickle may call it with arguments. `str(x)`, `dict(x)` and the like run methods of `x`."""
    return name in CALLED and (name.module not in _PYTHON or name.name in _CALLED_BUILTINS)


def is_plain_base(name: Name) -> bool:
    """Return whether `copyreg._reconstructor` may make an object by it; of any other class it runs `__init__`."""
    return name.module in _PYTHON and name.name in _PLAIN_BASES


def takes_classes(callee: Name) -> bool:
    """Return whether it does nothing with a class or a function that it is given but make an empty one or keep it."""
    takes = callee == PARTIAL or callee in RECONSTRUCTORS or callee in _NEW_OBJECT
    return takes or callee.name.startswith("__pyx_unpickle_")


def takes_objects(callee: Name) -> bool:
    """Return whether it keeps objects that it is given without a look at their attributes."""
    return callee == PARTIAL


def may_be_filled(made_by: Name, how: str) -> bool:
    """Return whether an object may be filled so; of one that looks up how in its own attributes anything would run."""
    if how == "state":
        return made_by not in _CONTAINERS and made_by.module not in _PYTHON
    return made_by in _FILLED.get(how, frozenset())
