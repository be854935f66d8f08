"""What a migration found and did, as data, and the refusal when something is lost.

Both tools share it. How it is told is the CLI's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dvtool.errors import CorruptObject, ObjectMissing

_NAMED = 10
State = Literal["new", "kept", "differs"]


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that cannot be moved.

    Attributes:
        what: The data set and one commit that has it.
        why: The reason.
        is_damaged: Its bytes are there and are not what their name says.
    """

    what: str
    why: str
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """One data set that HEAD will have.

    Attributes:
        path: Where it stands.
        kind: `file` or `directory`.
        files: How many files it holds.
        source: The other tool's file that names it.
        state: `new`; `kept` when it has a sidecar already, which stays as it is; `differs` when
            that one is known to say something else than the other tool does.
    """

    path: str
    kind: str
    files: int
    source: str
    state: State


@dataclass(frozen=True, slots=True)
class MigrateReport:
    """What a migration did, or would do.

    Attributes:
        is_dry_run: Nothing was changed.
        datasets: Those of HEAD.
        versions: How many versions the map will name; 0 without `history`.
        commits: In how many commits those were made.
        objects: How many files have to be read.
        by_place: How many of them lie where.
        lost: What cannot be moved.
        written: Files that were written and staged.
        brought_bytes: How many bytes were brought into the store.
    """

    is_dry_run: bool
    datasets: tuple[DatasetLine, ...]
    versions: int
    commits: int
    objects: int
    by_place: Mapping[str, int]
    lost: tuple[Lost, ...]
    written: tuple[str, ...] = ()
    brought_bytes: int = 0


def refuse_lost(lost: Sequence[Lost], *, command: str) -> None:
    """Refuses to go on while anything is lost.

    Args:
        lost: What is.
        command: What may bring it.

    Raises:
        CorruptObject: Something is damaged.
        ObjectMissing: Something is missing.
    """
    if not lost:
        return
    first = "\n  ".join(f"{one.what}: {one.why}" for one in lost[:_NAMED])
    more = f"\n  and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    raise (CorruptObject if any(one.is_damaged for one in lost) else ObjectMissing)(
        f"{len(lost)} versions cannot be moved, so nothing was written:\n  {first}{more}",
        hint=f"{command} may bring them; --allow-missing leaves them behind",
    )
