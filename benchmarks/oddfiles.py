"""What `check` says of odd files: a table with a line a file.

    python benchmarks/oddfiles.py FOLDER [--out results/oddfiles-DATE.md]

Made for collections of files that break parsers, such as csv-spectrum, csvkit's and frictionless'
test files, JSONTestSuite and parquet-testing; they are not shipped with the project.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dvtool.errors import DvtoolError
from dvtool.ops.check import Wanted, check_files
from dvtool.quality.findings import Severity


def row_of(path: Path, name: str) -> tuple[str, str, str, str]:
    """Returns name, verdict, size of the table, and what was found."""
    try:
        (judgement,) = check_files([(path, name)], Wanted(examples=0))
    except DvtoolError as error:
        return name, f"exit {error.exit_code}", "", error.slug
    (table,) = judgement.tables
    counts = Counter(one.code for one in table.findings if one.severity is not Severity.NOTE)
    found = ", ".join(f"{code} x {n}" if n > 1 else code for code, n in counts.items())
    size = f"{table.rows:,} x {table.columns}" if table.columns else ""
    return name, judgement.verdict.value, size, found


def lines(folder: Path) -> Iterator[str]:
    """Yields the table as Markdown, a section a collection."""
    totals: Counter[str] = Counter()
    for collection in sorted(one for one in folder.iterdir() if one.is_dir()):
        yield f"\n## {collection.name}\n\n| file | verdict | rows x columns | found |\n|---|---|--:|---|"
        for path in sorted(one for one in collection.rglob("*") if one.is_file()):
            name, answer, size, found = row_of(path, os.fspath(path.relative_to(collection)))
            totals[answer] += 1
            yield f"| `{ascii(name)[1:-1]}` | {answer} | {size} | {found} |"
    yield f"\nTogether {sum(totals.values())}: {dict(totals)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    text = "# Odd files: what `dvtool check` says of each\n" + "\n".join(lines(given.folder)) + "\n"
    if given.out is None:
        print(text)
    else:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
