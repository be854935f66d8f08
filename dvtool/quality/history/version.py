"""One version of a table, as the history gate is given it. Light to import.

What is made of its profile stands in `portrait`; where that is known already, nobody needs the profile
again. Built by `dvtool.ops.history` and by benchmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from dvtool.quality.history.portrait import Portrait
    from dvtool.quality.profile.model import Profile


BUDGET: Final = 0.01
"""False alarms allowed a good version."""
LEAST_VERSIONS: Final = 5
"""With fewer accepted versions the gate decides nothing but hard breaks."""


@dataclass(frozen=True)
class Version:
    """One accepted version, or the one to judge.

    Args:
        name: As the user knows it.
        profile: Its profile.
        resets: Columns whose history starts anew with it; `*` for all, the empty text for what is
            about no column.
    """

    name: str
    profile: Profile
    resets: frozenset[str] = frozenset()

    @cached_property
    def portrait(self) -> Portrait:
        """What is asked of its profile, made once for all that it is judged by."""
        from dvtool.quality.history.portrait import portrait_of

        return portrait_of(self.name, self.profile)


@dataclass(frozen=True, slots=True)
class Remembered:
    """One accepted version of which the portrait is known.

    Args:
        portrait: What is asked of it.
        resets: As those of a `Version`.
    """

    portrait: Portrait
    resets: frozenset[str] = frozenset()


Past: TypeAlias = Sequence[Version | Remembered]
"""Accepted versions, oldest first."""
