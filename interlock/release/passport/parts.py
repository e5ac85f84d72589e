"""The parts of a gate's card: its measures, its groups and slices, its drawings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from interlock.pages.markup import Markup, join, shortened, table, tag
from interlock.release.evidence import Evidence, Measure
from interlock.release.passport.charts import (
    Row,
    bars_chart,
    calibration_chart,
    curve_chart,
    intervals_chart,
    limit_value,
    meter,
    pairs_chart,
    real,
    row_of,
)
from interlock.release.passport.words import interval, limit, number, plain, spoken

_KNOWN_DETAILS: Final = frozenset(
    {"bars", "roc", "champion_roc", "calibration", "histograms", "threshold", "table", "reference"}
)
_NAMES: Final = frozenset({"feature", "column", "name", "disturbance"})
_WEAK: Final = 0.2
"""A rank correlation below which more of a column means neither more nor less."""
_MOST_DETAIL_CHARACTERS: Final = 20_000
EVERY_GROUP: Final = "all groups"
"""How a gate names the slice of a measure that compares groups with one another."""


def measures_table(measures: Sequence[Measure]) -> Markup:
    """Return measures as a table, each against its limit where it has one."""
    columns = ("measure", "value", "interval", "limit", "", "")
    if all(one.limit is None for one in measures):
        columns = ("measure", "value", "interval", "rows", "", "")
    return table(columns, (measure_row(one) for one in measures), numeric=(1,))


def measure_row(one: Measure) -> tuple[object, ...]:
    """Return one measure as a row: name, value, interval, limit or rows, drawing, verdict."""
    value = "suppressed" if one.suppressed else number(one.value, plain(one.unit))
    name = spoken(one.name) + (f" ({_group(one)})" if one.of else "")
    if one.limit is None:
        return name, value, _whole(interval(one)), f"{one.count:,}" if one.count else "", "", ""
    verdict = tag("strong", "holds" if one.holds else "broken", class_="passed" if one.holds else "failed")
    return name, value, _whole(interval(one)), _whole(limit(one.limit)), meter(one), verdict


def _whole(words: str) -> Markup:
    return tag("span", words, class_="whole")


def is_told(one: Measure, among: Sequence[Measure]) -> bool:
    """Say whether a limited measure has a row of its own: one of several groups has where its limit is broken."""
    return (
        one.holds is False
        or sum(other.name == one.name and _attribute(other) == _attribute(one) for other in among) == 1
    )


def _attribute(one: Measure) -> str:
    return one.of.attribute if one.of else ""


def whole(evidence: Evidence) -> list[Measure]:
    """Return the measures over all rows."""
    return [one for one in evidence.measures if one.of is None]


def cohorts(evidence: Evidence) -> Iterator[Markup]:
    """Yield for each measure of groups a drawing of them against the limit, and the numbers as a table."""
    sliced = [one for one in evidence.measures if one.of is not None]
    if not sliced:
        return
    limits = [one for one in sliced if one.limit is not None]
    drawn = [name for name in dict.fromkeys(one.name for one in limits) if _is_of_groups(name, sliced)]
    drawn += [name for name in ("selection_rate",) if name not in drawn and any(one.name == name for one in sliced)]
    drawn += (
        [] if drawn else [name for name in dict.fromkeys(one.name for one in sliced) if _is_of_groups(name, sliced)][:1]
    )
    for name in drawn:
        mine = [one for one in sliced if one.name == name]
        demanded = next((one.limit for one in mine if one.limit is not None), None)
        rows = [row_of(one, _group(one)) for one in mine]
        heading = spoken(name) + (f", limit {limit(demanded)}" if demanded else "")
        chart = intervals_chart(f"{spoken(name)} by group", rows, limit_value(demanded), limit(demanded))
        yield join([tag("h3", heading), tag("div", chart, class_="scroll")])
    yield _cohort_table(sliced)


def _is_of_groups(name: str, sliced: Sequence[Measure]) -> bool:
    return sum(one.name == name for one in sliced) > 1 and any(
        one.of is not None and one.of.value != EVERY_GROUP for one in sliced if one.name == name
    )


def _cohort_table(sliced: Sequence[Measure]) -> Markup:
    names = list(dict.fromkeys(one.name for one in sliced))
    cells: dict[tuple[str, str], dict[str, Measure]] = {}
    for one in sliced:
        assert one.of is not None
        cells.setdefault((one.of.attribute, one.of.value), {})[one.name] = one
    used = [name for name in names if any(name in one for one in cells.values())]

    def rows() -> Iterator[tuple[object, ...]]:
        for attribute, several in groupby(cells.items(), key=lambda item: item[0][0]):
            for (_, value), found in several:
                counts = [one.count for one in found.values() if one.count is not None]
                yield (plain(attribute), plain(value), f"{max(counts):,}" if counts else "too few",
                       *(_cell(found.get(name)) for name in used))  # fmt: skip

    numbers = table(("attribute", "group", "rows", *map(spoken, used)), rows(), numeric=range(2, 3 + len(used)))
    return tag("details", tag("summary", "all groups as numbers"), numbers)


def _cell(measure: Measure | None) -> object:
    if measure is None:
        return ""
    if measure.suppressed:
        return tag("span", "suppressed", class_="soft")
    around = interval(measure)
    shown = (
        [number(measure.value), tag("br"), tag("small", around, class_="soft")] if around else [number(measure.value)]
    )
    return tag("span", *shown, class_="failed" if measure.holds is False else None)


def drawings(evidence: Evidence) -> list[Markup]:
    """Return what can be drawn of a gate's details."""
    return [*_curves(evidence.details), *_histograms(evidence.details), *_importances(evidence.details)]


def other_details(evidence: Evidence) -> Iterator[Markup]:
    """Yield the details that are not drawn, as data: nothing that was signed is left out."""
    details = evidence.details
    drawn = _KNOWN_DETAILS | set(_bar_lists(details))
    rest = {name: value for name, value in details.items() if name not in drawn}
    if rest:
        text = json.dumps(rest, indent=2, ensure_ascii=False, sort_keys=True)
        cut = text if len(text) <= _MOST_DETAIL_CHARACTERS else text[:_MOST_DETAIL_CHARACTERS] + "\n… (cut)"
        lines = "\n".join(plain(one) for one in cut.split("\n"))
        yield tag("details", tag("summary", f"further details of {spoken(evidence.gate)}"), tag("pre", lines))


def _curves(details: Mapping[str, Any]) -> Iterator[Markup]:
    mine, theirs = _points(details.get("roc")), _points(details.get("champion_roc"))
    if mine:
        curves = [("this release", mine), *([("the champion", theirs)] if theirs else [])]
        chart = curve_chart("ROC curve", "false positive rate", "true positive rate", curves)
        caption = "ROC curve. Blue: this release" + ("; grey: the champion." if theirs else ".") + " Dashed: chance."
        yield tag("figure", chart, tag("figcaption", caption))
    bins = details.get("calibration")
    if isinstance(bins, list) and all(isinstance(one, Mapping) for one in bins) and bins:
        caption = "Calibration. On the dashed line, as many came true as were predicted; larger dots: more rows."
        yield tag("figure", calibration_chart(bins), tag("figcaption", caption))


def _points(value: object) -> list[tuple[float, float]]:
    if not isinstance(value, list):
        return []
    pairs = [(real(one[0]), real(one[1])) for one in value if isinstance(one, list) and len(one) == 2]
    return [(x, y) for x, y in pairs if x is not None and y is not None]


def _histograms(details: Mapping[str, Any]) -> Iterator[Markup]:
    found = details.get("histograms")
    for one in found if isinstance(found, list) else []:
        if not isinstance(one, Mapping):
            continue
        names = [plain(name) for name in one.get("bins", [])]
        training, serving = ([real(x) or 0.0 for x in one.get(side, [])] for side in ("training", "serving"))
        column = plain(one.get("column", ""))
        chart = pairs_chart(f"{column}: training against serving", names, training, serving)
        caption = tag("figcaption", tag("strong", column), ". Grey: training; blue: serving.")
        yield tag("figure", chart, caption)


def _bar_lists(details: Mapping[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """Return the lists of named numbers in a gate's details."""
    found = {}
    for name, value in details.items():
        if name in _KNOWN_DETAILS or not isinstance(value, list) or not value:
            continue
        bars = [_bar(one) for one in value]
        if all(one is not None for one in bars):
            found[name] = [one for one in bars if one is not None]
    return found


def _bar(one: object) -> tuple[str, float] | None:
    """Return the name and the number of an entry that has one of each and nothing else."""
    if not isinstance(one, Mapping) or len(one) != 2:
        return None
    numbers = {key: real(value) for key, value in one.items() if key not in _NAMES}
    names = [value for key, value in one.items() if key in _NAMES and isinstance(value, str)]
    told = [value for value in numbers.values() if value is not None]
    return (plain(names[0]), told[0]) if len(names) == len(told) == 1 else None


def _importances(details: Mapping[str, Any]) -> Iterator[Markup]:
    contributions = details.get("bars")
    if isinstance(contributions, list):
        rows = [row for row in map(_contribution, contributions) if row is not None]
        if rows:
            words = "How far each column moves the answer, by Shapley values"
            caption = (
                f"{words}: the median over rows and the bar from 5 % to 95 % of them, right of the line to a higher "
                "answer. Beside it the mean distance, and whether more of the column means more."
            )
            drawing = tag("div", intervals_chart(words, rows, None, zero=True), class_="scroll")
            yield tag("figure", drawing, tag("figcaption", caption), class_="wide")
    for name, bars in _bar_lists(details).items():
        drawn = [Row(text, value, note=f"{value:.4g}") for text, value in bars[:20]]
        chart = tag("div", bars_chart(spoken(name), drawn), class_="scroll")
        yield tag("figure", chart, tag("figcaption", spoken(name).capitalize()), class_="wide")


def _contribution(one: object) -> Row | None:
    if not isinstance(one, Mapping) or not isinstance(one.get("column"), str):
        return None
    spread = one.get("spread")
    low, middle, high = map(real, spread) if isinstance(spread, list) and len(spread) == 3 else (None, None, None)
    if middle is None:
        return None
    strength, direction = real(one.get("mean_absolute")), real(one.get("direction"))
    sense = (
        "" if direction is None or abs(direction) < _WEAK else "more raises it" if direction > 0 else "more lowers it"
    )
    return Row(
        plain(one["column"]), middle, low, high, note=f"{strength:.3g}" if strength is not None else "", rows=sense
    )


def data_text(evidence: Evidence) -> str:
    """Say on which files, by digest, a gate measured, and how long it took."""
    parts = [f"{plain(name)} {shortened(digest)}" for name, digest in sorted(evidence.data.items())]
    seconds = (evidence.ended_at - evidence.started_at).total_seconds()
    return f"{plain(evidence.gate_version)}, {seconds:.0f} s; on {', '.join(parts) or 'no data'}"


def _group(measure: Measure) -> str:
    assert measure.of is not None
    return f"{plain(measure.of.attribute)}: {plain(measure.of.value)}"
