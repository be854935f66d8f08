"""Bytes of profiles: one canonical JSON text for each profile, read back strictly.

Here live the format, spelled out in docs/profiles.md, and the address under which a profile is
kept. What is not here: files and stores. Whoever keeps or shows a profile calls it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

from dvtool.errors import InvalidText
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.codecs import (
    Codec,
    count_back,
    enumerated,
    many,
    maybe,
    named,
    plain,
    record,
    sketch,
    wrong,
)
from dvtool.quality.profile.days import Days
from dvtool.quality.profile.distinct import checked_distinct
from dvtool.quality.profile.model import (
    VERSION,
    ClassProfile,
    ColumnProfile,
    Conditional,
    Profile,
)
from dvtool.quality.profile.moments import Moments
from dvtool.quality.profile.numbers import Numbers
from dvtool.quality.profile.patterns import CLASSES, Patterns
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.quantiles import checked_quantiles
from dvtool.quality.profile.rowsample import checked_sample
from dvtool.quality.profile.tally import MOST, Tally, is_ranked, ranked
from dvtool.quality.profile.texts import Texts

MOST_BYTES: Final = 64 << 20
"""No profile is larger; whoever meets one that is does not read it."""
_FIRST, _SECOND = itemgetter(0), itemgetter(1)


def encode(profile: Profile) -> bytes:
    """Returns the canonical JSON text: sorted keys, no spaces, ASCII, one last line feed."""
    return _text(_PROFILE.out(profile))


def decode(data: bytes, *, is_own: bool = False) -> Profile:
    """Returns the profile that a canonical text describes.

    Args:
        data: The text.
        is_own: Whether it was written here by `encode`, and kept with a checksum: then every value
            is looked at, but not whether each is written in the one canonical way.

    Raises:
        InvalidText: Any other text, another version included.
    """
    if len(data) > MOST_BYTES:
        raise InvalidText(f"profile: {len(data)} bytes, allowed {MOST_BYTES}")
    try:
        found = json.loads(data)
        # Every number is written in one way, and 1e999 in none.
        again = data if is_own else _text(found)
    except (ValueError, RecursionError) as error:
        raise InvalidText(f"profile: not JSON ({error})") from None
    if isinstance(found, dict) and found.get("version") != VERSION:
        raise InvalidText(f"profile: version {found.get('version')!r}, expected {VERSION}")
    profile: Profile = _PROFILE.back(found)
    width = len(profile.sampled)
    if (None if profile.sample is None else profile.sample.head[0]) != (width or None):
        raise InvalidText(f"profile: a sample of rows that has not its {width} columns")
    if again != data:
        raise InvalidText("profile: not in its canonical form")
    return profile


def _text(data: object) -> bytes:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def profile_address(data_digest: str, options: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """Returns the name under which a profile can be looked up before it is computed.

    Args:
        data_digest: Of the file's bytes.
        options: `ReadOptions.to_mapping()`.
        spec: What else decides the profile: privacy by column (as text), label, key id.

    Returns:
        64 hex digits: sha256 of the inputs and the profile version.
    """
    inputs = {"data": data_digest, "options": options, "spec": spec, "version": VERSION}
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(b"dvtool-profile\n" + text.encode("ascii")).hexdigest()


def _pairs_back(value: object) -> dict[Any, int]:
    if not isinstance(value, list) or len(value) > MOST:
        raise wrong(value, f"a list of at most {MOST} counts")
    # Most of a profile are pairs: looked at all together, not one by one.
    if not set(map(type, value)) <= {list} or not set(map(len, value)) <= {2}:
        raise wrong(value, "values with their counts")
    kinds = set(map(type, map(_FIRST, value)))
    if not kinds <= {int, float, str} or not set(map(type, map(_SECOND, value))) <= {int}:
        raise wrong(value, "values with their counts")
    found: dict[Any, int] = dict(value)
    if len(found) < len(value) or not is_ranked(found):
        raise wrong(value, "different values, the most frequent first")
    return found


def _tally_back(value: object) -> Tally:
    found: Tally = _PLAIN_TALLY.back(value)
    if found.counts and (not found.total or min(found.counts.values()) < 1):
        raise wrong(value, "a tally of counts above 0")
    return found


_TEXT = plain((str,), "a text")
_FLOAT = plain((float,), "a number with a fraction")
_NUMBER = plain((int, float), "a number")
_BOOL = plain((bool,), "true or false")
_WHOLE = plain((int,), "a whole number")
_COUNT = Codec(lambda value: value, count_back)
_PLAIN_TALLY = record(
    Tally,
    counts=Codec(lambda value: [list(one) for one in ranked(value.items())], _pairs_back),
    missed=_COUNT,
    total=_COUNT,
)
_TALLY = Codec(_PLAIN_TALLY.out, _tally_back)
_MOMENTS = record(Moments, n=_COUNT, mean=_FLOAT, m2=_FLOAT, m3=_FLOAT, m4=_FLOAT)
_DISTINCT: Codec = sketch(checked_distinct)
_QUANTILES: Codec = sketch(checked_quantiles)
_SAMPLE: Codec = sketch(checked_sample)
_NUMBERS = record(
    Numbers,
    moments=_MOMENTS,
    low=maybe(_NUMBER),
    high=maybe(_NUMBER),
    zeros=_COUNT,
    negatives=_COUNT,
    wholes=_COUNT,
    not_finite=_COUNT,
    tally=_TALLY,
    quantiles=maybe(_QUANTILES),
    distinct=maybe(_DISTINCT),
)
_PATTERNS = record(
    Patterns,
    classes=many(_COUNT, length=len(CLASSES)),
    blank=_COUNT,
    padded=_COUNT,
    numeric=_COUNT,
    upper=_COUNT,
    lower=_COUNT,
    shapes=_TALLY,
    error=_COUNT,
)
_TEXTS = record(
    Texts,
    lengths=_NUMBERS,
    patterns=maybe(_PATTERNS),
    tally=maybe(_TALLY),
    names=named(_TEXT),
    distinct=maybe(_DISTINCT),
)
_DAYS = record(Days, runs=many(many(_WHOLE, length=2)), complete=_BOOL)
_COLUMN = record(
    ColumnProfile,
    name=_TEXT,
    kind=enumerated(Kind),
    privacy=enumerated(Privacy),
    rows=_COUNT,
    nulls=_COUNT,
    unparsed=_COUNT,
    numbers=maybe(_NUMBERS),
    texts=maybe(_TEXTS),
    days=maybe(_DAYS),
    forms=maybe(_TALLY),
)
_CONDITIONAL = record(Conditional, nulls=_COUNT, n=_COUNT, mean=_FLOAT, m2=_FLOAT)
_CLASS = record(ClassProfile, rows=_COUNT, columns=named(_CONDITIONAL))
_PROFILE = record(
    Profile,
    rows=_COUNT,
    size_bytes=_COUNT,
    columns=many(_COLUMN),
    label=_TEXT,
    classes=maybe(named(_CLASS)),
    key_id=_TEXT,
    sample=maybe(_SAMPLE),
    readings=many(_TEXT),
    version=_COUNT,
)
