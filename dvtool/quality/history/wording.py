"""Wording: what is odd about a version, in plain words with the range that was expected.

Here metrics and their scales become sentences. What is not here: scores (`scores`). Values of a column
are named only where its profile may tell them. Called by `judging`.
"""

from __future__ import annotations

import datetime as dt
from math import exp, sin, tanh

from dvtool.quality.history.growth import PREFIX
from dvtool.quality.history.portrait import ColumnPortrait
from dvtool.quality.history.scores import Score
from dvtool.quality.history.sheet import Metric, Scale
from dvtool.quality.kinds import Kind

_WIDE = 2.6
"""Standard deviations that the expected range is told with: 99 % of versions."""
_SHARES = {
    "missing": "of the values are missing",
    "unparsed": "of the values are not what the column holds",
    "repeats": "of the values are repeats of others",
    "new-values": "of the values were in no earlier version",
    "replaced-values": "of the values, the same in every earlier version, are others now",
    "zeros": "of the values are 0",
    "negatives": "of the values are negative",
    "wholes": "of the values are whole numbers",
    "not-finite": "of the values are NaN or infinite",
    "round-numbers": "of the different values end in 0",
    "blank": "of the texts are blank",
    "padded": "of the texts have white space at an end",
    "numeric": "of the texts are numbers",
    "upper-case": "of the texts are in capitals",
    "lower-case": "of the texts are in small letters",
    "new-shapes": "of the texts look like none before",
    "new-forms": "of the values are written in a way that none was before",
    "out-of-step": "of the values are not what comes next",
    "share-of-rest": "of the rows have a value other than the usual ones",
    "value-above-all": "of the values are far above every earlier one",
    "value-under-all": "of the values are far below every earlier one",
    "length-above-all": "of the texts are longer than every earlier one",
    "length-under-all": "of the texts are shorter than every earlier one",
    "repeated-rows": "of the rows occur more than once",
    "copies-but-for": "of the rows are copies of others in everything but this column",
    "rows-seen-before": "of the rows were in earlier versions",
    "rows-seen-before-but-for-dates": "of the rows were in earlier versions, apart from their dates",
    "rows-of-the-last-version": "of the rows were in the version before",
    "rows-kept": "of the version before is still there",
}
_LIKELY = {
    "missing": "values got lost",
    "padded": "white space was added",
    "upper-case": "upper and lower case changed",
    "lower-case": "upper and lower case changed",
    "replaced-values": "renamed categories, or another spelling",
    "new-values": "renamed categories, typing errors, or another code list",
    "new-shapes": "another way of writing",
    "form": "another way of writing the same values",
    "new-forms": "another way of writing the same values",
    "repeats": "rows were doubled, or values filled in",
    "surge": "a default was filled in",
    "zeros": "a default was filled in",
    "decimals": "values were rounded, or have another unit",
    "round-numbers": "values were rounded",
    "spread-value": "outliers, noise, or another unit for some rows",
    "value-far-out": "outliers, or another unit for some rows",
    "mean-value": "another unit, or other rows than before",
    "repeated-rows": "rows were doubled",
    "copies-but-for": "a join with something that is not unique",
    "rows-seen-before": "an old file again",
    "rows-seen-before-but-for-dates": "an old file under new dates",
    "rows-of-the-last-version": "an old file again",
    "rows": "rows are missing or doubled",
    "rank-correlation": "the column belongs to other rows",
    "disagreements": "the column belongs to other rows, or labels were changed",
    "strange-pairs": "the column belongs to other rows, or labels were changed",
    "carried-over": "the column belongs to other rows",
    "hour-of-day": "another time zone",
    "lowest-value": "shifted in time, or an old file",
    "highest-value": "shifted in time, or an old file",
}


def sentence(
    score: Score, column: ColumnPortrait | None, versions: int, edge: float | None = None
) -> str:
    """Returns what was found and what was expected: one line without a full stop.

    Args:
        score: Of one metric.
        column: Of the judged version; None for what is about no column.
        versions: Those that the expectation rests on.
        edge: The value that a metric of places counts up to.
    """
    metric = score.metric
    low, high = score.expected - _WIDE * score.spread, score.expected + _WIDE * score.spread
    told = [_told(metric, one, column, score.rows) for one in (score.found, low, high)]
    found, least, most = told
    if metric.scale is Scale.SHARE:
        what = _share_words(metric, column, edge)
        text = f"{found} {what}, expected {least} to {most}"
    else:
        text = f"{_name(metric, column)} is {found}, expected {least} to {most}"
    return f"{text} from {versions} versions"


def likely(metric: Metric) -> str:
    """Returns what probably happened, empty where the metric does not tell."""
    return _LIKELY.get(metric.name.removeprefix(PREFIX), "")


def _share_words(metric: Metric, column: ColumnPortrait | None, edge: float | None) -> str:
    if metric.name.startswith(PREFIX):
        whole = metric._replace(name=metric.name.removeprefix(PREFIX))
        return f"{_share_words(whole, column, edge)} in the added rows"
    if metric.name == "share-of":
        return f"of the rows have {_value(metric.about, column)}"
    if metric.name == "form":
        return f"of the values are written like {metric.about!r}"
    if metric.name == "shape":
        return f"of the texts look like {metric.about!r}"
    if metric.name in ("disagreements", "strange-pairs"):
        return f"of the values do not go with {metric.about} as before"
    if edge is not None and metric.name.endswith(("-at-most", "-below")):
        return _place_words(metric, column, edge)
    return _SHARES.get(metric.name, f"of the rows: {metric.name}")


def _place_words(metric: Metric, column: ColumnPortrait | None, edge: float) -> str:
    is_below = metric.name.endswith("-below")
    if metric.name.startswith("length"):
        return f"of the texts have {'fewer than' if is_below else 'at most'} {edge:,.4g} characters"
    kind = None if column is None else column.kind
    end = _moment(edge, kind) if kind is not None and kind.is_moment else f"{edge:,.4g}"
    return f"of the values are {'below' if is_below else 'at most'} {end}"


def _name(metric: Metric, column: ColumnPortrait | None) -> str:
    if metric.name.startswith(PREFIX):
        whole = metric._replace(name=metric.name.removeprefix(PREFIX))
        return f"{_name(whole, column)} of the added rows"
    if metric.name in ("rank-correlation", "carried-over"):
        return f"the relation to {metric.about}"
    if metric.name == "characters":
        return f"the share of {metric.about.replace('_', ' ')} among the characters"
    names = {
        "rows": "the number of rows",
        "spread-value": "the spread of the values",
        "spread-length": "the spread of the lengths",
        "distinct": "the number of different values",
        "repeats-ratio": "the share of different values",
        "surge": "the rise of one value's share",
        "decimals": "the mean number of decimals",
        "hour-of-day": "the mean hour of the day",
        "value-far-out": "the distance of the farthest value, in usual ranges,",
        "length-far-out": "the distance of the farthest length, in usual ranges,",
    }
    if metric.name in names:
        return names[metric.name]
    first, _, what = metric.name.partition("-")
    return f"the {first} {what}"


def _value(key: str, column: ColumnPortrait | None) -> str:
    names = None if column is None else column.names
    if names is None:
        return f"the value {key}"
    name = names.get(key, key)
    return "one frequent value" if name.startswith("#") else repr(name)


def _told(metric: Metric, figure: float, column: ColumnPortrait | None, rows: float) -> str:
    if metric.scale is Scale.SHARE or metric.name in ("surge", "characters"):
        share = sin(min(max(figure, 0.0), 1.5707963)) ** 2
        if metric.scale is Scale.SHARE and rows > 0:
            share = min(max((share * (rows + 0.75) - 0.375) / rows, 0.0), 1.0)
        return f"{share:.1%}" if share >= 0.0005 or share == 0 else f"{share:.2%}"
    if metric.scale is Scale.AMOUNT:
        amount = max(exp(min(figure, 700.0)) - 1, 0.0)
        return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
    if metric.name in ("rank-correlation", "carried-over"):
        return f"{tanh(figure):.3f}"
    if metric.name.startswith("spread-"):
        return f"{exp(min(figure, 700.0)):.4g}"
    kind = None if column is None else column.kind
    if kind is not None and kind.is_moment and metric.name.endswith("-value"):
        return _moment(figure, kind)
    return f"{figure:,.4g}"


def _moment(figure: float, kind: Kind) -> str:
    days = figure if kind is Kind.DATE else figure / 86_400_000_000
    try:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(days=days)
    except OverflowError:
        return f"{figure:.4g}"
    return moment.date().isoformat() if kind is Kind.DATE else moment.isoformat(" ", "minutes")
