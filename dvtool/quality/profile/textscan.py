"""The scan of text columns: one pass over Arrow arrays, in memory that does not grow.

Here lives what looks at texts; what is kept of them follows the column's privacy from the start,
so that nothing has to be removed afterwards. What is not here: the summary (`texts`), reading
batches (`compute`), which calls it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any

from dvtool.quality.profile.frequent import FrequentScan
from dvtool.quality.profile.numbers import NumberScan, few_counted
from dvtool.quality.profile.patterns import (
    CLASSES,
    WHITESPACE,
    Patterns,
    class_table,
    is_number,
    shapes_of,
)
from dvtool.quality.profile.privacy import NAMED, Privacy, token, token_key
from dvtool.quality.profile.tally import MOST, Key, Tally, above_error, trimmed
from dvtool.quality.profile.texts import Texts, text_key
from dvtool.quality.tables.arrow import array_of, numbers_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_SAMPLE = 4096
_NUMERIC = "9+-.,aA …"
"""What the shape of a number is made of: digits, signs, marks, an exponent, and where it was cut."""
_CONFIDENT = math.sqrt(math.log(2 / 0.01) / 2)
"""Hoeffding: a share in n random rows is within this / sqrt(n) with 99 % confidence."""


class TextScan:
    """Takes arrays of text batch by batch.

    Args:
        privacy: What may be kept.
        salt: For tokens.
    """

    def __init__(self, privacy: Privacy, salt: str) -> None:
        self._privacy = privacy
        self._salt = salt
        self._lengths = NumberScan()
        self._counts: dict[str, int] | None = {}
        self._look = _Look()
        self._frequent = FrequentScan()
        self._names: dict[int, str] = {}

    def add(self, texts: pa.Array[Any], tokens: NDArray[Any] | None = None) -> None:
        """Takes texts without nulls, with their tokens (uint64) where they are at hand."""
        import pyarrow as pa

        texts = texts if texts.type == pa.large_string() else texts.cast(pa.large_string())
        if self._privacy is Privacy.PRIVATE:
            self._add_lengths(texts)
            return
        at = 0
        while self._counts is not None and at < len(texts):
            rest = None if tokens is None else tokens[at:]
            at += self._add_few(self._counts, texts.slice(at), rest)
        if at < len(texts):
            rest = texts.slice(at)
            self._add_lengths(rest)
            self._look.add(rest)
            self._add_tokens(rest, None if tokens is None else tokens[at:])

    def finish(self) -> Texts:
        """Returns the summary; the empty one when there was no text."""
        if self._privacy is Privacy.PRIVATE:
            return Texts(self._lengths.finish())
        counts = self._counts
        if counts is None:
            named = self._frequent.counts.items()
            tally = above_error(
                {self._key(one): count for one, count in named},
                self._frequent.missed,
                self._frequent.total,
            )
            return Texts(
                self._lengths.finish(),
                self._look.finish(),
                tally,
                {},
                self._frequent.finish(),
            )
        self._look.add_counts(counts)
        self._lengths.add_counts(_lengths(counts))
        if self._privacy is Privacy.PUBLIC:
            keys = {text: text_key(text) for text in counts}
        else:
            keys = {text: token_key(token(text, self._salt)) for text in counts}
        tally = Tally({keys[text]: n for text, n in counts.items()}, 0, sum(counts.values()))
        names = {keys[text]: text for text, n in counts.items() if n > 1}
        hashed = self._privacy is Privacy.HASHED and len(counts) <= NAMED
        return Texts(self._lengths.finish(), self._look.finish(), tally, names if hashed else {})

    def _add_few(
        self, counts: dict[str, int], texts: pa.Array[Any], tokens: NDArray[Any] | None
    ) -> int:
        """Counts all texts if they stay few, else a step of them; returns how many it counted."""
        found, size = few_counted(texts, counts)
        for text, count in found:
            counts[text] = counts.get(text, 0) + count
        if len(counts) > MOST:
            known: dict[str, int] = {}
            if tokens is not None:
                known = dict(zip(texts[:size].to_pylist(), tokens[:size].tolist(), strict=True))
            self._spill(counts, known)
            self._counts = None
        return size

    def _spill(self, counts: dict[str, int], known: Mapping[str, int]) -> None:
        import numpy as np

        self._look.add_counts(counts)
        self._lengths.add_counts(_lengths(counts))
        tokens = [known[text] if text in known else token(text, self._salt) for text in counts]
        self._frequent.add_counts(
            np.array(tokens, np.uint64), np.array(list(counts.values()), np.int64)
        )
        self._keep_names(tokens, list(counts))

    def _add_lengths(self, texts: pa.Array[Any]) -> None:
        import pyarrow.compute as pc

        self._lengths.add(numbers_of(pc.utf8_length(texts)))

    def _add_tokens(self, texts: pa.Array[Any], tokens: NDArray[Any] | None) -> None:
        import numpy as np

        if tokens is None:
            found = texts.dictionary_encode()
            each = [token(text, self._salt) for text in found.dictionary.to_pylist()]
            tokens = np.array(each, np.uint64)[numbers_of(found.indices)]
        self._frequent.add(tokens)
        if self._privacy is Privacy.PUBLIC:
            self._find_names(texts, tokens)

    def _find_names(self, texts: pa.Array[Any], tokens: NDArray[Any]) -> None:
        import numpy as np

        held = np.fromiter(self._frequent.counts, np.int64).view(np.uint64)
        unnamed = np.array([one for one in held.tolist() if one not in self._names], np.uint64)
        if not len(unnamed):
            return
        at = np.flatnonzero(np.isin(tokens, unnamed))
        values, first = np.unique(tokens[at], return_index=True)
        self._keep_names(values.tolist(), texts.take(array_of(at[first])).to_pylist())

    def _keep_names(self, tokens: list[int], texts: list[str]) -> None:
        if self._privacy is Privacy.PUBLIC:
            self._names.update(zip(tokens, texts, strict=True))
        if len(self._names) > 1 << 14:
            held = {one & (1 << 64) - 1 for one in self._frequent.counts}
            self._names = {one: text for one, text in self._names.items() if one in held}

    def _key(self, bits: int) -> str:
        value = bits & (1 << 64) - 1
        name = self._names.get(value)
        return token_key(value) if name is None else text_key(name)


class _Look:
    """Collects patterns: classes and edges of every text, shapes of every text or of a sample."""

    def __init__(self) -> None:
        self._bytes = [0] * 256
        self._blank = self._padded = 0
        self._looked = {"numeric": 0.0, "upper": 0.0, "lower": 0.0}
        self._shapes: dict[str, float] = {}
        self._missed = 0
        self._variance = 0.0
        self._batches = 0
        self._total = 0

    def add(self, texts: pa.Array[Any]) -> None:
        """Takes large strings without nulls; looks at the shapes of at most 4,096 of them."""
        import numpy as np

        n = len(texts)
        if not n:
            return
        self._add_bytes(texts)
        self._batches += 1
        self._total += n
        if n <= 2 * _SAMPLE:
            self._look_at(Counter(texts.to_pylist()), 1.0)
            return
        chosen = np.random.default_rng(self._batches).choice(n, _SAMPLE, replace=False)
        self._look_at(Counter(texts.take(array_of(chosen)).to_pylist()), n / _SAMPLE)
        self._variance += n * n / _SAMPLE

    def add_counts(self, counts: dict[str, int]) -> None:
        """Takes every text as often as it occurs."""
        import numpy as np

        for times, texts in _by_count(counts).items():
            data = "".join(texts).encode("utf-8", "surrogatepass")
            self._count_bytes(np.frombuffer(data, np.uint8), times)
        for text, count in counts.items():
            bare = text.strip(WHITESPACE)
            self._blank += count if not bare else 0
            self._padded += count if bare and bare != text else 0
        self._total += sum(counts.values())
        self._look_at(counts, 1.0)

    def finish(self) -> Patterns:
        """Returns the patterns."""
        classes = [0] * len(CLASSES)
        for count, place in zip(self._bytes, class_table(), strict=True):
            if place >= 0:
                classes[place] += count
        error = math.ceil(_CONFIDENT * math.sqrt(self._variance))
        shapes: dict[Key, int] = {key: round(count) for key, count in self._shapes.items()}
        return Patterns(
            tuple(classes),
            self._blank,
            self._padded,
            round(self._looked["numeric"]),
            round(self._looked["upper"]),
            round(self._looked["lower"]),
            trimmed(shapes, self._missed, self._total),
            error,
        )

    def _look_at(self, counts: dict[str, int], weight: float) -> None:
        shapes = self._shapes
        forms = shapes_of(list(counts))
        for form, times in zip(forms, counts.values(), strict=True):
            shapes[form] = shapes.get(form, 0.0) + times * weight
        # A number has a digit, and the sign of one stands in the shape, if that is whole.
        likely = [
            text for text, form in zip(counts, forms, strict=True) if not form.strip(_NUMERIC)
        ]
        numeric = sum(counts[text] for text in likely if is_number(text))
        self._looked["numeric"] += numeric * weight
        self._looked["upper"] += weight * sum(compress(counts.values(), map(str.isupper, counts)))
        self._looked["lower"] += weight * sum(compress(counts.values(), map(str.islower, counts)))
        if len(self._shapes) > _HELD_SHAPES:
            order = sorted(self._shapes.items(), key=lambda item: (-item[1], item[0]))
            self._missed += math.ceil(order[MOST][1])
            self._shapes = dict(order[:MOST])

    def _add_bytes(self, texts: pa.Array[Any]) -> None:
        import numpy as np
        import pyarrow.compute as pc

        _, offset_bytes, data_bytes = texts.buffers()
        offsets = np.frombuffer(offset_bytes, np.int64)[
            texts.offset : texts.offset + len(texts) + 1
        ]
        data = np.frombuffer(data_bytes or b"", np.uint8)
        for start in range(int(offsets[0]), int(offsets[-1]), 1 << 20):
            self._count_bytes(data[start : min(start + (1 << 20), int(offsets[-1]))])
        filled = offsets[1:] > offsets[:-1]
        self._blank += int(len(texts) - filled.sum())
        space = np.zeros(256, bool)
        space[[ord(char) for char in WHITESPACE]] = True
        first, last = offsets[:-1][filled], offsets[1:][filled] - 1
        edged = np.flatnonzero(space[data[first]] | space[data[last]])
        if len(edged):
            bare = pc.ascii_trim_whitespace(texts.take(array_of(np.flatnonzero(filled)[edged])))
            blank = int(pc.sum(pc.equal(bare, "")).as_py())
            self._blank += blank
            self._padded += len(edged) - blank

    def _count_bytes(self, data: NDArray[Any], times: int = 1) -> None:
        import numpy as np

        found = np.bincount(data, minlength=256).tolist()
        self._bytes = [a + b * times for a, b in zip(self._bytes, found, strict=True)]


_HELD_SHAPES = 8192


def _by_count(counts: dict[str, int]) -> dict[int, list[str]]:
    """Returns texts by how often they occur."""
    found: dict[int, list[str]] = {}
    for text, count in counts.items():
        found.setdefault(count, []).append(text)
    return found


def _lengths(counts: dict[str, int]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for text, count in counts.items():
        found[len(text)] += count
    return dict(found)
