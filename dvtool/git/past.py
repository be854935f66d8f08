"""The past of a repository: what was made, in memory, for commits from before a migration.

Values only, one a repository; `dvtool.git.migrated` fills it. Kept by `dvtool.git.plumbing.Git`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from dvtool.core.dvcfiles import outputs_of
from dvtool.core.migrated import Migrated, parse_map
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.tree import EXECUTABLE, FILE
from dvtool.errors import InvalidText


@dataclass(slots=True)
class Past:
    """What is known of maps and old commits, by git's object ids.

    Attributes:
        texts: Sidecars that no git object holds, by the id that git would give them.
        maps: Maps that were read; None for text that is no map.
    """

    texts: dict[str, bytes] = field(default_factory=dict)
    maps: dict[str, Migrated | None] = field(default_factory=dict)

    def map_of(self, oid: str, text: bytes) -> Migrated | None:
        """Returns the map that a text is, None when it is none."""
        if oid not in self.maps:
            try:
                self.maps[oid] = parse_map(text)
            except InvalidText:
                self.maps[oid] = None
        return self.maps[oid]

    def keep(self, text: bytes, object_format: str) -> str:
        """Keeps a sidecar's text and returns its object id."""
        oid = object_id(text, object_format)
        self.texts[oid] = text
        return oid


def object_id(text: bytes, object_format: str) -> str:
    """Returns the id that git gives a blob."""
    return hashlib.new(object_format, b"blob %d\0" % len(text) + text).hexdigest()


def sidecars_of_dvc(path: str, text: bytes, known: Migrated) -> dict[str, bytes]:
    """Returns the sidecars that a `.dvc` file or `dvc.lock` stands for, as far as the map goes."""
    try:
        outputs = outputs_of(path, text)
    except InvalidText:  # DVC could not have restored it either
        return {}
    found = {}
    for one in outputs:
        made = known.sidecar(one.name, EXECUTABLE if one.is_executable else FILE)
        if made is not None and one.path:
            found[one.path + SIDECAR_SUFFIX] = made
    return found
