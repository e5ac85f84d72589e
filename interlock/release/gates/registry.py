"""Where gates come from: ours by name, others' by the entry point group `interlock.gates`."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from interlock.release.gates.gate import Gate, GateParameters

GROUP: Final = "interlock.gates"

BUILT_IN: Final[Mapping[str, str]] = {
    "explainability": "interlock.release.gates.explainability:ExplainabilityGate",
    "documents": "interlock.release.gates.documents:DocumentsGate",
    "text-format": "interlock.release.gates.text_format:TextFormatGate",
    "groundedness": "interlock.release.gates.groundedness:GroundednessGate",
    "text-safety": "interlock.release.gates.text_safety:TextSafetyGate",
    "sbom": "interlock.release.gates.sbom:SbomGate",
    "privacy": "interlock.release.gates.privacy:PrivacyGate",
    "file-safety": "interlock.release.gates.file_safety:FileSafetyGate",
    "fairness": "interlock.release.gates.fairness:FairnessGate",
    "contract-tests": "interlock.release.gates.contract_tests:ContractGate",
    "data-validation": "interlock.release.gates.data_validation:ValidationGate",
    "drift-reference": "interlock.release.gates.drift_reference:DriftReferenceGate",
    "latency": "interlock.release.gates.latency:LatencyGate",
    "lineage": "interlock.release.gates.lineage:LineageGate",
    "robustness": "interlock.release.gates.robustness:RobustnessGate",
    "training-serving-skew": "interlock.release.gates.skew:SkewGate",
    "performance": "interlock.release.gates.performance:PerformanceGate",
}
"""Our gates, by name. pyproject.toml names the same ones for whoever lists entry points; here they are found in a
checkout that is not installed as well, and no other distribution can take their names.
"""


class UnknownGate(LookupError):
    """No gate goes by that name, or what does cannot be used; the message says which and why."""


def find_gate(name: str, plugged_in: Iterable[EntryPoint] | None = None) -> Gate:
    """Return the gate of that name. Raises UnknownGate.

    `plugged_in` are the entry points of other distributions; without it, those of the installed ones.
    """
    if name in BUILT_IN:
        return _loaded(name, BUILT_IN[name])
    found = entry_points(group=GROUP) if plugged_in is None else plugged_in
    others = {one.value for one in found if one.name == name}
    if not others:
        known = ", ".join(gate_names(plugged_in))
        raise UnknownGate(f"no gate is called {name!r}; known are {known or 'none'}")
    if len(others) > 1:
        raise UnknownGate(f"several distributions have a gate {name!r}: {', '.join(sorted(others))}")
    return _loaded(name, others.pop())


def gate_names(plugged_in: Iterable[EntryPoint] | None = None) -> list[str]:
    """Return the names of all gates that are installed, sorted."""
    found = entry_points(group=GROUP) if plugged_in is None else plugged_in
    return sorted({*BUILT_IN, *(one.name for one in found)})


def _loaded(name: str, place: str) -> Gate:
    module, _, attribute = place.partition(":")
    try:
        made = getattr(importlib.import_module(module), attribute)()
    # A plug-in's module may raise anything as it is imported.
    except Exception as error:
        raise UnknownGate(f"the gate {name!r} ({place}) does not load: {type(error).__name__}: {error}") from error
    lacking = [one for one in ("needs", "measure") if not callable(getattr(made, one, None))]
    lacking += [one for one in ("name", "version") if not isinstance(getattr(made, one, None), str)]
    kind = getattr(made, "Parameters", None)
    lacking += [] if isinstance(kind, type) and issubclass(kind, GateParameters) else ["Parameters"]
    if lacking:
        raise UnknownGate(f"{place} is no gate: it lacks {', '.join(lacking)}")
    if not 0 < len(made.version) <= 100:
        raise UnknownGate(f"the version of {place} has {len(made.version)} characters; accepted are 1 to 100")
    if made.name != name:
        raise UnknownGate(f"the gate {name!r} ({place}) calls itself {made.name!r}")
    gate: Gate = made
    return gate
