"""Texts: everything a profile says about a text column, as far as its privacy allows.

Here live the summary and its merge. What is not here: the scan (`textscan`), and what texts look
like (`patterns`). Column summaries hold it, drift and findings read it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dvtool.quality.profile.distinct import Distinct, DistinctScan
from dvtool.quality.profile.numbers import Numbers
from dvtool.quality.profile.patterns import Patterns
from dvtool.quality.profile.privacy import NAMED, salt_of, token
from dvtool.quality.profile.tally import Tally, ranked

LONGEST = 200
"""Characters; a longer text stands in a tally by its token even when it is public."""
_TOKEN = re.compile(r"#[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Texts:
    """A summary of texts.

    Args:
        lengths: In characters.
        patterns: None for a private column.
        tally: Texts (public) or their tokens (hashed) to counts, exact up to 1,000 different
            ones; None for a private column.
        names: Token to text, for categories: of a hashed column with at most 50 different texts,
            those that occur at least twice in one of the files. Empty for any other column.
        distinct: The sketch; None when the tally is exact, and for a private column.
    """

    lengths: Numbers = field(default_factory=Numbers)
    patterns: Patterns | None = None
    tally: Tally | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    distinct: Distinct | None = None

    @property
    def distinct_count(self) -> float | None:
        """Returns how many different texts there are, None for a private column."""
        if self.tally is None:
            return None
        return len(self.tally.counts) if self.distinct is None else self.distinct.estimate

    def shares(self) -> dict[str, float]:
        """Returns each listed category's share; tokens where no name may be told.

        Largest first. Empty for a private column.
        """
        if self.tally is None:
            return {}
        return {
            self.names.get(str(key), str(key)): count / self.tally.total
            for key, count in ranked(self.tally.counts.items())
        }

    def merge(self, other: Texts) -> Texts:
        """Returns the summary of both; what one side may not tell, the result does not tell."""
        lengths = self.lengths.merge(other.lengths)
        if self.tally is None or other.tally is None:
            return Texts(lengths)
        tally = self.tally.merge(other.tally)
        named = tally.is_exact and len(tally.counts) <= NAMED
        patterns = (self.patterns or Patterns()).merge(other.patterns or Patterns())
        return Texts(
            lengths,
            patterns,
            tally,
            {**self.names, **other.names} if named else {},
            None if tally.is_exact else _distinct(self).merge(_distinct(other)),
        )


def text_key(text: str) -> str:
    """Returns the key of a public text in a tally; long texts, and look-alikes, are tokens."""
    if len(text) <= LONGEST and not _TOKEN.fullmatch(text):
        return text
    return f"#{token(text, salt_of(b'')):016x}"


def _distinct(texts: Texts) -> Distinct:
    import numpy as np

    if texts.distinct is not None:
        return texts.distinct
    scan = DistinctScan()
    counts = texts.tally.counts if texts.tally is not None else {}
    scan.add(np.array([token_of(str(key)) for key in counts], np.uint64))
    return scan.finish()


def token_of(key: str) -> int:
    """Returns the token behind a tally's key, which is a token itself or a public text."""
    return int(key[1:], 16) if _TOKEN.fullmatch(key) else token(key, salt_of(b""))
