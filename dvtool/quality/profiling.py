"""The profile of a table that is open for judging: of a single file, or of several file by file.

What a profile is, and how those of files are merged, is `dvtool.quality.profile`. Called by `judging`.
"""

from __future__ import annotations

from dvtool.quality.given import Given
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.merge import together
from dvtool.quality.profile.model import Profile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Members, size_of
from dvtool.quality.tables.table import Table


def profiled(engine: Engine, given: Given, table: Table) -> tuple[Profile, dict[str, Profile]]:
    """Returns the profile of a table, and new ones of its files by their marks.

    Of a table of several files only those are profiled whose profile is not known: theirs together are
    the table's. Where files differ, so that nothing follows from theirs, the whole is profiled, and so it
    is where many small files were read together.

    Args:
        engine: Holds the table.
        given: How, and what is known.
        table: What is judged.
    """
    if not isinstance(given.path, Members):
        return _profile(engine, given, table, size_of(given.path)), {}
    new: dict[str, Profile] = {}
    found = []
    # What is kept of a file is what it would give alone.
    if all(one.is_own for one in table.members):
        sizes = {one.inside: size_of(one.path) for one in given.path.files}
        for one in table.members:
            profile = given.known.get(one.mark)
            if profile is None:
                profile = new[one.mark] = _profile(engine, given, one.table, sizes[one.inside])
            found.append(profile)
    return together(found) or _profile(engine, given, table, size_of(given.path)), new


def _profile(engine: Engine, given: Given, table: Table, size_bytes: int) -> Profile:
    how = given.profiling
    assert how is not None
    return profile_table(
        engine, table, privacy=how.privacy, label=how.label, key=how.key, size_bytes=size_bytes
    )
