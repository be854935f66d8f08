"""How often the checks that `suggest` writes reject a clean next version, and what they catch.

For each series of batches (a folder with `batches/*.csv`): at several points the checks are suggested from
the versions before and asked about the next one, as it is and with one fault in one column (those of
`check --backtest`). Prints a table in Markdown.

    python benchmarks/gates/suggest_replay.py SERIES...
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from suggested import Suggested

from dvtool.quality.history.faults import FAULTS

LEAST = 8
"""Versions before the first one that is asked about."""
POINTS = 8
COLUMNS = 3


def is_fitting(needs: str, texts: list[str]) -> bool:
    """Tells whether a fault makes sense for a column, by a look at its texts."""
    filled = [text for text in texts if text]
    is_number = bool(filled) and all(
        text.lstrip("-").replace(".", "", 1).isdigit() for text in filled
    )
    few = len(set(filled)) <= 50
    wanted = {"any": True, "number": is_number, "text": not is_number, "category": few}
    return wanted[needs] and (needs != "category" or not is_number)


def spoilt(path: Path, target: Path, random: Random) -> Iterator[str]:
    """Writes the batch with one fault in one column, for some of both; yields the fault's name."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    for column in random.sample(range(len(head)), min(COLUMNS, len(head))):
        texts = [row[column] for row in rows]
        for fault in FAULTS:
            made = fault.make(texts, random) if is_fitting(fault.needs, texts) else None
            if made is None or made == texts:
                continue
            with target.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(head)
                for row, text in zip(rows, made, strict=True):
                    writer.writerow([*row[:column], text, *row[column + 1 :]])
            yield fault.name


def main(series: list[str]) -> None:
    """Prints one row a series, and all of them."""
    print(
        "| series | clean versions | rejected | faults | caught |",
        "|---|---|---|---|---|",
        sep="\n",
    )
    total = [0, 0, 0, 0]
    for folder in map(Path, series):
        batches = sorted((folder / "batches").iterdir())
        step = max((len(batches) - LEAST) // POINTS, 1)
        counts = [0, 0, 0, 0]
        for at in range(LEAST, len(batches), step):
            gate = Suggested()
            gate.fit([str(one) for one in batches[:at]])
            counts[0] += 1
            counts[1] += bool(gate.check(str(batches[at]))["reject"])
            if (at - LEAST) // step % 4 != 3:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                target = Path(scratch, "spoilt.csv")
                for _ in spoilt(batches[at], target, Random(at)):
                    counts[2] += 1
                    counts[3] += bool(gate.check(str(target))["reject"])
        total = [a + b for a, b in zip(total, counts, strict=True)]
        print(f"| {folder.name} | {' | '.join(map(str, counts))} |", flush=True)
    print(f"| all | {' | '.join(map(str, total))} |")


if __name__ == "__main__":
    main(sys.argv[1:])
