"""The gate `fairness`: how differently groups of people are decided about, over every protected attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from interlock.monitoring import fairness
from interlock.monitoring.arrays import Flags, Floats, Integers
from interlock.monitoring.resampling import Figure
from interlock.release.evidence import Measure
from interlock.release.gates.gate import (
    OUR_VERSION,
    GateInputs,
    LabelledParameters,
    Measured,
    Needs,
    Table,
    UnfitInputs,
)
from interlock.release.gates.group_rates import Decisions, GroupRates, of_group
from interlock.release.gates.measuring import measure, share, slice_of, told, too_few
from interlock.release.gates.placing import answers_by_place, shuffled
from interlock.release.gates.predictions import (
    as_scores,
    column,
    given_scores,
    groups,
    model_rows,
    positive_rows,
    weights_of,
)
from interlock.release.gates.protection import copies, protected_inputs, thresholds_in, used_when_offered
from interlock.release.gates.text import point

if TYPE_CHECKING:
    import pandas as pd

EVERY_GROUP = "all groups"
SAME_IN_GROUP = "slice_same_decisions"
OF_TABLE = frozenset({"same_decisions", SAME_IN_GROUP, "suppressed_share"})
"""What tells of the table: its columns may be another model's, or a person's, and its groups too small."""
BY_ITSELF = ", decided by the model itself"
"""What follows an attribute's name where a measure is not of the table's predictions."""


class FairnessParameters(LabelledParameters):
    table: str = "out_of_fold"
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    """At which score and above everybody is decided positive, which is the outcome that people want."""
    positive: str | int | bool = 1
    """The label of those who deserved the positive outcome."""
    intersections: tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...] = ()
    """Attributes whose combinations are groups as well."""
    minimum_rows: Annotated[int, Field(ge=2)] = 30
    """A group of fewer rows is not told."""
    resamples: Annotated[int, Field(ge=100, le=20000)] = 1000


class FairnessGate:
    name = "fairness"
    version = OUR_VERSION
    Parameters = FairnessParameters

    def needs(self, parameters: FairnessParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, FairnessParameters)
        table = shuffled(inputs.labelled_table(parameters.table, parameters), inputs.seed)
        if not inputs.protected_attributes:
            raise UnfitInputs("the policy names no protected attributes")
        attributes = {one: table.frame[one] for one in inputs.protected_attributes if one in table.frame.columns}
        unfit = [
            f"the protected attribute {one!r} is not in the table {parameters.table!r}, so it cannot be measured"
            for one in inputs.protected_attributes
            if one not in attributes
        ]
        reasons = [*protected_inputs(inputs), *thresholds_in(inputs)]
        rows = model_rows(inputs, table)
        answered = inputs.model().predict(rows)
        reasons += copies(rows, attributes)
        reasons += used_when_offered(inputs.model(), rows, list(attributes.values()), answered)
        own = as_scores(answered, len(rows))
        reasons += answers_by_place(inputs.model(), rows, own, inputs.seed)
        scores = _scores(table, answered)
        decided = _decided(table, scores, parameters.threshold)
        unfit += _other_threshold(scores, decided, parameters.threshold)
        decisions = Decisions(decided, positive_rows(table, parameters.positive), weights_of(table))
        every = attributes | _crossed(attributes, parameters)
        measures, unmeasurable = _over(every, decisions, inputs.seed, parameters)
        own_decisions = own >= parameters.threshold
        if table.prediction is not None:
            # Whatever the column says, this is how the release decides about these people.
            by_itself = {f"{one}{BY_ITSELF}": values for one, values in every.items()}
            found, doubts = _over(by_itself, replace(decisions, decided=own_decisions), inputs.seed, parameters)
            measures += found
            unmeasurable += doubts
        measures += _agreement(every, own_decisions == decided, parameters.minimum_rows)
        return Measured(
            measures,
            reasons,
            unfit=[*unfit, *unmeasurable],
            unchecked=list(_unchecked(table)),
            details={"threshold": point(parameters.threshold), "table": parameters.table},
            # Who is in the table, with which labels: without any in a group that deserve it there are no rates of them.
            of_inputs=OF_TABLE | {told(one) for one in measures if one.value is None},
        )


def _scores(table: Table, answered: Floats) -> Floats:
    if table.prediction is None:
        return as_scores(answered, len(table.frame))
    return given_scores(table, table.prediction)


def _decided(table: Table, scores: Floats, threshold: float) -> Flags:
    if table.decision is None:
        return np.asarray(scores >= threshold)
    values = column(table, table.decision)
    if not values.isin([0, 1]).all():
        raise UnfitInputs(f"the decisions in {table.decision!r} are not all 0 or 1")
    return np.asarray(values == 1, dtype=np.bool_)


def _other_threshold(scores: Floats, decided: Flags, threshold: float) -> list[str]:
    """Return why the table's decisions are not those of the policy's threshold: then they are not this release's."""
    if not fairness.one_threshold(scores, decided):
        return ["the decisions in the table do not follow from one threshold for everybody"]
    otherwise = int(((scores >= threshold) != decided).sum())
    return [f"{otherwise} decisions in the table are not those of the threshold {threshold:g}"] if otherwise else []


def _crossed(attributes: Mapping[str, pd.Series], parameters: FairnessParameters) -> dict[str, pd.Series]:
    import pandas as pd

    crossed = {}
    for names in parameters.intersections:
        missing = [name for name in names if name not in attributes]
        if missing:
            raise UnfitInputs(f"the intersection {' × '.join(names)} is of {missing[0]!r}, which cannot be measured")
        parts = []
        for name in names:
            places, kinds = groups(attributes[name])
            parts.append([kinds[place] for place in places])
        crossed[" × ".join(names)] = pd.Series([" × ".join(row) for row in zip(*parts, strict=True)])
    return crossed


def _over(
    attributes: Mapping[str, pd.Series], decisions: Decisions, seed: int, parameters: FairnessParameters
) -> tuple[list[Measure], list[str]]:
    measures: list[Measure] = []
    reasons: list[str] = []
    for attribute, values in attributes.items():
        places, names = groups(values)
        enough = np.bincount(places, minlength=len(names)) >= parameters.minimum_rows
        for place in np.flatnonzero(~enough):
            of = slice_of(attribute, names[place])
            measures += [too_few(name, of) for name in ("selection_rate", "disparate_impact", "true_positive_rate")]
        hidden = float((~enough[places]).mean())
        measures.append(measure("suppressed_share", hidden, of=slice_of(attribute, EVERY_GROUP)))
        if enough.sum() < 2:
            reasons.append(
                f"{attribute!r} has {enough.sum()} group of at least {parameters.minimum_rows} rows, "
                "so there are none to compare"
            )
            continue
        inside = enough[places]
        renumbered = (np.cumsum(enough) - 1)[places[inside]]
        kept_names = [names[place] for place in np.flatnonzero(enough)]
        measures += _of_attribute(attribute, kept_names, renumbered, decisions.take(inside), seed, parameters)
    return measures, reasons


def _of_attribute(
    attribute: str, names: list[str], places: Integers, decisions: Decisions, seed: int, parameters: FairnessParameters
) -> Iterator[Measure]:
    rates = GroupRates(decisions, places, len(names), parameters.minimum_rows)
    figures: dict[tuple[str, str], Figure] = {}
    for place, name in enumerate(names):
        figures["selection_rate", name] = of_group(rates.selection, place)
        figures["disparate_impact", name] = of_group(rates.impact, place)
        if rates.enough[place]:
            figures["true_positive_rate", name] = of_group(rates.true_positive, place)
        else:
            yield too_few("true_positive_rate", slice_of(attribute, name))
    figures["demographic_parity_difference", EVERY_GROUP] = rates.parity
    figures["equal_opportunity_difference", EVERY_GROUP] = rates.opportunity
    figures["equalized_odds_difference", EVERY_GROUP] = rates.odds
    named = {"|".join(key): figure for key, figure in figures.items()}
    values, between = rates.values(named), rates.intervals(named, seed=seed, resamples=parameters.resamples)
    for figure, name in figures:
        everybody = name == EVERY_GROUP and figure.endswith("_difference")
        counts = rates.deserving if figure == "true_positive_rate" else rates.rows
        count = places.size if everybody else int(counts[names.index(name)])
        key = f"{figure}|{name}"
        yield measure(figure, values[key], between[key], count=count, of=slice_of(attribute, name))


def _agreement(attributes: Mapping[str, pd.Series], same: Flags, least: int) -> Iterator[Measure]:
    """Yield which share of the rows the model itself decides as the table says, of all and of each group."""
    yield share("same_decisions", int(same.sum()), same.size)
    for attribute, values in attributes.items():
        places, names = groups(values)
        for place, name in enumerate(names):
            inside, of = same[places == place], slice_of(attribute, name)
            enough = inside.size >= least
            yield share(SAME_IN_GROUP, int(inside.sum()), inside.size, of) if enough else too_few(SAME_IN_GROUP, of)


def _unchecked(table: Table) -> Iterator[str]:
    if table.prediction is not None:
        yield f"the predictions are those of the column {table.prediction!r}: whoever made the table vouches for them"
    yield "inputs that stand in for a protected attribute without being a copy of it were not looked for"
