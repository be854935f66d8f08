"""Verdicts remembered: a judgement of the same inputs is not computed twice.

Its name is the digest of everything it was made from: data, checks, baseline, options and the
versions of the libraries that judge. What is remembered is a convenience of this clone and proves
nothing to anyone else. Called by `check`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dvtool import __version__
from dvtool.errors import InvalidText
from dvtool.ops.records import Records, forget_oldest
from dvtool.quality.judged import Judgement, from_json, to_json

JUDGING_LIBRARIES = (
    *("duckdb", "datasketches", "numpy", "pandas", "pandera", "pyarrow", "scipy"),
    *("openpyxl", "scikit_learn"),
)
"""By the names of their `.dist-info` folders. Of the extras it also counts whether they are there."""
KEPT = 2_000
"""Judgements kept; the oldest go first."""


@cache
def judging_versions() -> Mapping[str, str]:
    """Returns the versions of what judges, as inputs of a judgement; looked up once a process."""
    return {"dvtool": __version__} | _installed(JUDGING_LIBRARIES)


def _installed(names: tuple[str, ...]) -> dict[str, str]:
    """Returns versions by the names of `.dist-info` folders; the first one on the path counts.

    `importlib.metadata` knows the same, and takes a quarter of a known verdict's time to import.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for entry in sorted(os.listdir(folder or ".")):
                name, _, rest = entry.partition("-")
                if name in names and rest.endswith(".dist-info"):
                    found.setdefault(name, rest.removesuffix(".dist-info"))
    return dict(sorted(found.items()))


def key_of(inputs: Mapping[str, str]) -> str:
    """Returns the name of a judgement: 64 hex digits that follow from its inputs."""
    text = json.dumps(dict(inputs), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Verdicts:
    """The judgements that a clone remembers, one small file each, and its records beside them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.records = Records(folder.with_name("records"))

    def get(self, key: str, now: dt.datetime) -> Judgement | None:
        """Returns a judgement; None when it is not known, or damaged, or a clock has changed it."""
        path = self._folder / f"{key}.json"
        try:
            known = from_json(json.loads(path.read_bytes()), source=str(path))
        except (OSError, ValueError, InvalidText):
            return None
        limits = (one.valid_until for one in known.tables)
        return known if all(one is None or now <= one for one in limits) else None

    def put(self, key: str, judgement: Judgement) -> None:
        """Remembers a judgement; a disk that cannot take it costs time later, nothing else."""
        text = json.dumps(to_json(judgement), ensure_ascii=True, allow_nan=False).encode()
        unfinished = self._folder / f"{key}.tmp-{os.getpid()}"
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(text)
            unfinished.replace(self._folder / f"{key}.json")
            forget_oldest(self._folder, KEPT)
