"""How far shares move by chance: a fixed-seed bootstrap of binned counts, by row or by block.

Here are the deviations that resampling gives, and what dependence within blocks costs. What is
not here: the intervals made from them (`intervals`). Called by `intervals` and `compare`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from dvtool.quality.drift.distributions import Distribution, FloatArray

REPLICATES = 200
SEED = 20_261_123


@dataclass(frozen=True, slots=True)
class Blocks:
    """Each side cut into blocks of rows that belong together: groups, files or stretches of time.

    Args:
        reference: One distribution a block, of the column's kind; together all rows.
        current: Likewise.
    """

    reference: Sequence[Distribution]
    current: Sequence[Distribution]

    @property
    def fewest(self) -> int:
        """Returns the number of blocks on the side that has fewer."""
        return min(len(self.reference), len(self.current))


def row_deviations(counts: FloatArray, *, stream: int) -> FloatArray:
    """Returns how the shares of a histogram deviate when its rows are drawn again.

    Args:
        counts: Shape (cells,), not all zero; fractions are allowed.
        stream: Keeps the two sides of a comparison independent.

    Returns:
        Shape (REPLICATES, cells); every row sums to 0.
    """
    rows = round(float(counts.sum()))
    share = counts / counts.sum()
    drawn = np.random.default_rng((SEED, stream)).multinomial(rows, share, size=REPLICATES)
    return np.asarray(drawn / rows - share)


def block_deviations(counts: FloatArray, *, stream: int) -> FloatArray:
    """Returns how the shares of a histogram deviate when whole blocks are drawn again.

    Few blocks understate the spread: deviations are stretched by sqrt(G / (G - 1)) and by the
    ratio of Student's and the normal 97.5 % points.

    Args:
        counts: Rows of each block by cell, shape (blocks, cells), at least two blocks.
        stream: As in `row_deviations`.

    Returns:
        Shape (REPLICATES, cells).
    """
    blocks = len(counts)
    share = counts.sum(axis=0) / counts.sum()
    generator = np.random.default_rng((SEED, stream))
    drawn = generator.multinomial(blocks, np.full(blocks, 1 / blocks), size=REPLICATES) @ counts
    stretch = (
        np.sqrt(blocks / (blocks - 1)) * special.stdtrit(blocks - 1, 0.975) / 1.959963984540054
    )
    totals = np.maximum(drawn.sum(axis=1, keepdims=True), 1e-300)
    return np.asarray((drawn / totals - share) * stretch)


def effective_rows(counts: FloatArray, deviations: FloatArray) -> float:
    """Returns how many independent rows would give shares that vary as much (Rao and Scott 1981).

    The rows divided by the mean design effect over cells; never more than the rows.

    Args:
        counts: Shape (cells,).
        deviations: From `block_deviations`, shape (replicates, cells).
    """
    rows = float(counts.sum())
    share = counts / rows
    used = share > 0
    cells = int(np.count_nonzero(used))
    if cells < 2:
        return rows
    spread = np.mean(deviations[:, used] ** 2, axis=0)
    effect = float(np.sum(spread / share[used])) * rows / (cells - 1)
    return rows / max(effect, 1.0)


def upper_point(norms: FloatArray, level: float) -> float:
    """Returns the point that a positive statistic exceeds with probability `level`.

    A log-normal law through mean and spread of the logarithms, so that levels far below one in
    `REPLICATES` are reached too; its upper tail is heavier than that of a norm of deviations. One
    and a half standard errors are added, since the law is known from so few draws.
    """
    positive = norms[norms > 0]
    if not len(positive):
        return 0.0
    logs = np.log(positive)
    z, spread = float(special.ndtri(1 - level)), float(logs.std(ddof=1))
    unsure = 1.5 * spread * np.sqrt((1 + z**2 / 2) / len(logs))
    return float(np.exp(logs.mean() + z * spread + unsure))
