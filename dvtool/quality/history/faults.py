"""Faults put in on purpose: what a back-test spoils to say what the gate would catch.

Each takes the texts of one column and gives them back with a known fault in some of the rows. What is
not here: reading and judging (`dvtool.ops.backtest`, which calls it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

Texts = list[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one size.

    Args:
        name: As a person calls it: `5% missing`.
        needs: `any`, `number`, `text`, or `category` (few different texts).
        make: Texts of the column and a random source in, spoilt texts out; None where nothing
            changed.
    """

    name: str
    needs: str
    make: Callable[[Sequence[str], Random], Texts | None]


def _some(texts: Sequence[str], share: float, random: Random) -> set[int]:
    filled = [at for at, text in enumerate(texts) if text]
    count = min(max(round(share * len(filled)), 1), len(filled))
    return set(random.sample(filled, count))


def _changed(
    share: float, change: Callable[[str], str]
) -> Callable[[Sequence[str], Random], Texts]:
    def make(texts: Sequence[str], random: Random) -> Texts:
        chosen = _some(texts, share, random)
        return [change(text) if at in chosen else text for at, text in enumerate(texts)]

    return make


def _scaled(text: str) -> str:
    try:
        found = 100 * float(text)
    except ValueError:
        return text
    return str(int(found)) if found.is_integer() and "." not in text else repr(found)


def _renamed(texts: Sequence[str], random: Random) -> Texts | None:
    values = sorted({text for text in texts if text})
    if len(values) < 2:
        return None
    chosen = random.choice(values)
    return [f"{text}_new" if text == chosen else text for text in texts]


def _moved(texts: Sequence[str], random: Random) -> Texts:
    shuffled = list(texts)
    random.shuffle(shuffled)
    return shuffled


def _collapsed(texts: Sequence[str], random: Random) -> Texts | None:
    """Half of the rows get the commonest value, as after a filled-in default."""
    filled = [text for text in texts if text]
    if len(set(filled)) < 2:
        return None
    commonest = max(sorted(set(filled)), key=filled.count)
    return _changed(0.5, lambda _: commonest)(texts, random)


FAULTS: Final = (
    Fault("5% missing", "any", _changed(0.05, lambda _: "")),
    Fault("30% missing", "any", _changed(0.30, lambda _: "")),
    Fault("2% times 100", "number", _changed(0.02, _scaled)),
    Fault("all times 100", "number", _changed(1.0, _scaled)),
    Fault("5% set to 0", "number", _changed(0.05, lambda _: "0")),
    Fault("5% unknown", "text", _changed(0.05, lambda _: "unknown")),
    Fault("5% in capitals", "text", _changed(0.05, str.upper)),
    Fault("one value renamed", "category", _renamed),
    Fault("half one value", "any", _collapsed),
    Fault("on other rows", "any", _moved),
)
