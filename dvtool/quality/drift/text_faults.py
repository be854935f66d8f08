"""Faults of text and categories: renamed, upper-cased, padded, cut off, reformatted.

Two ways to see them: a value that vanished and one that appeared with the same share (pairs), and
a shape that far more values have than before (shapes), which works where values never repeat.
What is not here: numbers (`numeric_faults`). Called by `faults`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from dvtool.quality.drift.distributions import CategoricalDistribution
from dvtool.quality.drift.faults import Fault, clearly_more
from dvtool.quality.drift.typing_faults import typing_errors

FILLERS: Final = frozenset(
    {"unknown", "n/a", "na", "none", "null", "nan", "test", "-", "--", "?", "tbd", "other", "0"}
    | {"-1", "-999", "9999", "1970-01-01", "1900-01-01", "9999-12-31"}
)
"""Texts that programs write where they have no value."""
_MOST_PAIRS: Final = 20_000
_FEW: Final = 200
_TWO: Final = 2
_SOME_KNOWN: Final = 0.3
_MOST_NEW: Final = 0.6
"""Share of the new values that one way of spelling must explain."""
_INTEGER = re.compile(r"[-+]?\d+")
_FLOATED = re.compile(r"[-+]?\d+\.0+|[-+]?\d(\.\d+)?[eE][-+]?\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_UNIT = re.compile(r"[$€£]\s?[-+]?[\d.,]+|[-+]?[\d.,]+\s?(%|kg|g|km|m|cm|mm|lb|€|\$|£|°C|°F)")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")
_OTHER_DATE = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?")
_LONG_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}( .*)?")
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}( .*)?")
_MOJIBAKE = re.compile("[\u00c2\u00c3\u00e2][\u0080-\u00ff\u20ac\u2122\u0153\u201a-\u203a]|\ufffd")

_SHAPES: Final[tuple[tuple[str, str, Callable[[str], bool]], ...]] = (
    ("whitespace", "spaces at the ends", lambda text: text != text.strip()),
    ("int-became-float", "whole numbers written as 42.0", lambda t: bool(_FLOATED.fullmatch(t))),
    ("number-format", "thousands separators", lambda text: bool(_THOUSANDS.fullmatch(text))),
    ("number-format", "decimal commas", lambda text: bool(_DECIMAL_COMMA.fullmatch(text))),
    ("number-format", "a unit beside the number", lambda text: bool(_UNIT.fullmatch(text))),
    ("date-format", "dates that are not ISO 8601", lambda t: bool(_OTHER_DATE.fullmatch(t))),
    ("date-format", "dates with a year of four digits", lambda t: bool(_LONG_YEAR.fullmatch(t))),
    ("date-format", "dates with a year of two digits", lambda t: bool(_SHORT_YEAR.fullmatch(t))),
    ("date-format", "dates in ISO 8601", lambda text: bool(_ISO_DATE.fullmatch(text))),
    ("encoding", "text decoded with the wrong encoding", lambda t: bool(_MOJIBAKE.search(t))),
    ("case", "upper case throughout", lambda text: text == text.upper() != text.lower()),
    ("case", "lower case throughout", lambda text: text == text.lower() != text.upper()),
)


def text_faults(
    reference: CategoricalDistribution, current: CategoricalDistribution
) -> list[Fault]:
    """Returns the faults that fit, none for a column without values.

    Args:
        reference: The baseline's counts.
        current: The new version's.
    """
    if not reference.n or not current.n:
        return []
    lost, gained = _moved(reference, current), _moved(current, reference)
    found = [
        _filled(reference, current),
        *_shapes(reference, current),
        _zeros_lost(reference, current, gained),
        _cut(reference, current),
    ]
    kept = [fault for fault in found if fault]
    paired = _paired(reference, gained)
    if paired and not (kept and paired.code == "category-spelling"):  # the vaguest of all
        kept.append(paired)
    if not kept:
        typed = typing_errors(reference, current, gained)
        kept += [fault for fault in (typed or _renamed(reference, current, lost, gained),) if fault]
    return kept


def _moved(before: CategoricalDistribution, after: CategoricalDistribution) -> dict[str, float]:
    """Returns the values of `before` that `after` has not, with their shares."""
    return {
        name: count / before.n
        for name, count in before.counts.items()
        if count and not after.counts.get(name)
    }


def _share(distribution: CategoricalDistribution, holds: Callable[[str], bool]) -> float:
    return sum(count for name, count in distribution.counts.items() if holds(name)) / distribution.n


def _filled(reference: CategoricalDistribution, current: CategoricalDistribution) -> Fault | None:
    name = max(
        current.counts, key=lambda one: current.share(one) - reference.share(one), default=None
    )
    if name is None:
        return None
    before, after = reference.share(name), current.share(name)
    if not clearly_more(before, reference.n, after, current.n):
        return None
    known = name.strip().lower() in FILLERS
    if not known and (after < 0.999 or len(reference.counts) <= _TWO):
        return None  # of two values, one is gone
    lost_nulls = reference.nulls / reference.rows - current.nulls / current.rows
    if known and lost_nulls > 0.01 and abs(lost_nulls - (after - before)) < 0.02:
        words = f"missing values were written as {name!r}"
        return Fault("sentinel", words, "missing values were written as text", after - before)
    words = f"{name!r} stands in {after:.1%} of the rows, {before:.1%} in the baseline"
    discreet = f"one value stands in {after:.1%} of the rows, {before:.1%} in the baseline"
    return Fault("constant-fill", words, discreet, after - before)


def _shapes(reference: CategoricalDistribution, current: CategoricalDistribution) -> list[Fault]:
    found = []
    repeating = len(reference.counts) <= _FEW  # then pairs tell more: BER for Berlin is no case
    for code, shape, holds in _SHAPES:
        if repeating and code in ("case", "whitespace"):
            continue
        before, after = _share(reference, holds), _share(current, holds)
        novel = sum(
            count
            for name, count in current.counts.items()
            if not reference.counts.get(name) and holds(name)
        )
        clear = clearly_more(before, reference.n, after, current.n, least=0.005)
        if code == "case":  # what was written with letters before, not numbers that got one
            letters = _share(current, _has_letters) - _share(reference, _has_letters)
            clear = (
                clear
                and letters < (after - before) / 2
                and _is_respelled(reference, current, holds)
            )
        if code == "int-became-float":  # 42 went, 42.0 came; 41.5 that became 42.0 is another story
            gone = _share(reference, _is_integer) - _share(current, _is_integer)
            clear = clear and gone >= (after - before) / 2
        if clear and novel / current.n >= (after - before) / 2:
            words = f"{shape}: {before:.1%} to {after:.1%} of the values"
            found.append(Fault(code, words, words, after - before))
    return found


def _zeros_lost(
    reference: CategoricalDistribution,
    current: CategoricalDistribution,
    gained: Mapping[str, float],
) -> Fault | None:
    """Codes such as 00123 that became 123."""
    before = _share(reference, _has_leading_zero)
    after = _share(current, _has_leading_zero)
    if not clearly_more(after, current.n, before, reference.n):
        return None
    stripped = {name.lstrip("0") for name in reference.counts if _has_leading_zero(name)}
    share = sum(part for name, part in gained.items() if name in stripped)
    if share == 0 and not all(map(_is_integer, current.counts)):
        return None
    words = f"leading zeros are gone: {before:.1%} to {after:.1%} of the values have one"
    return Fault("leading-zeros-lost", words, words, before - after)


def _is_respelled(
    reference: CategoricalDistribution,
    current: CategoricalDistribution,
    holds: Callable[[str], bool],
) -> bool:
    """Tells whether new values of a shape are known ones in another case, where most are known."""
    known = {name.casefold() for name in reference.counts}
    if _share(current, lambda text: bool(reference.counts.get(text))) < _SOME_KNOWN:
        return True
    new = {name: n for name, n in current.counts.items() if not reference.counts.get(name)}
    shaped = sum(count for name, count in new.items() if holds(name))
    again = sum(n for name, n in new.items() if holds(name) and name.casefold() in known)
    return again >= shaped / 2


def _has_letters(text: str) -> bool:
    return text.upper() != text.lower()


def _is_integer(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text))


def _has_leading_zero(text: str) -> bool:
    return len(text) > 1 and text[0] == "0" and text.isdigit()


def _cut(reference: CategoricalDistribution, current: CategoricalDistribution) -> Fault | None:
    """Many values end at one length that longer ones of the baseline exceeded."""
    longest = max(map(len, current.counts), default=0)
    beyond = _share(reference, lambda text: len(text) > longest)
    at_limit = _share(current, lambda text: len(text) == longest)
    before = _share(reference, lambda text: len(text) == longest)
    if longest < 4 or beyond < 0.02:
        return None
    if not clearly_more(before, reference.n, at_limit, current.n):
        return None
    if abs((at_limit - before) - beyond) > 0.5 * beyond:
        return None
    words = f"cut off at {longest} characters, {beyond:.1%} of the baseline's values are longer"
    return Fault("truncation", words, words, at_limit - before)


_SAME: Final[tuple[tuple[str, str, Callable[[str], str]], ...]] = (
    ("whitespace", "written with other spaces", lambda text: " ".join(text.split())),
    ("case", "written in another case", str.casefold),
    (
        "category-spelling",
        "spelled with other separators, case or accents",
        lambda text: re.sub(
            r"[\W_]+", "", unicodedata.normalize("NFKD", text).casefold(), flags=re.UNICODE
        ),
    ),
)


def _paired(reference: CategoricalDistribution, gained: Mapping[str, float]) -> Fault | None:
    """New values that equal values of the baseline but for spaces, case or separators."""
    known = [name for name, count in reference.counts.items() if count]
    if len(known) + len(gained) > _MOST_PAIRS:
        return None
    new_share = sum(gained.values())
    for code, words, normal in _SAME:
        origin = {normal(name): name for name in known}
        pairs = [(origin[normal(new)], new) for new in gained if normal(new) in origin]
        share = sum(gained[new] for _, new in pairs)
        # Among typing errors a few leave only a separator out; those are no way of spelling.
        if share >= 0.005 and share >= _MOST_NEW * new_share:
            old, new = max(pairs, key=lambda pair: gained[pair[1]])
            shown = f"{words}: {old!r} became {new!r}, {share:.1%} of the rows"
            return Fault(code, shown, f"{words}: {share:.1%} of the rows", share)
    return None


def _rare(share: float, n: int, m: int) -> bool:
    """Tells whether a value of that share in `n` rows would be in `m` others, nineteen times of twenty."""
    return (n / (n + m)) ** round(share * n) < 0.05


def _renamed(
    reference: CategoricalDistribution,
    current: CategoricalDistribution,
    lost: Mapping[str, float],
    gained: Mapping[str, float],
) -> Fault | None:
    """One category vanished; a new one has its share, or none has."""
    if not lost:
        return None
    old = max(lost, key=lambda name: lost[name])
    before = lost[old]
    is_gone = clearly_more(0.0, current.n, before, reference.n, least=0.005)
    if gained:
        new = max(gained, key=lambda name: gained[name])
        after = gained[new]
        error = (before * (1 - before) * (1 / reference.n + 1 / current.n)) ** 0.5
        is_new = clearly_more(0.0, reference.n, after, current.n, least=0.005)
        # A name that only got longer or shorter tells as much as the loss of the old one.
        is_like = _rare(before, reference.n, current.n) and (new in old or old in new)
        if abs(before - after) <= max(4 * error, 0.01) and (is_gone or (is_like and len(old) > 1)):
            words = f"{old!r} was renamed to {new!r}, {after:.1%} of the rows"
            return Fault("category-renamed", words, f"a category was renamed, {after:.1%}", after)
        if is_new and not is_gone:
            return None
    if not is_gone:
        return None
    words = f"{old!r} is gone, {before:.1%} of the baseline's rows"
    discreet = f"a category is gone, {before:.1%} of the baseline's rows"
    return Fault("category-dropped", words, discreet, before)
