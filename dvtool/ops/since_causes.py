"""Where a failure comes from in the version in which it began, where only a profile answered.

A profile knows no rows, so the bytes of that one version are judged as well, if they are here; else it
is said how they come. What fails is settled before, in `since_versions`, the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dvtool.quality.findings import Finding

if TYPE_CHECKING:
    from dvtool.ops.since_versions import JudgedVersion, Seen

Again = Callable[[], Iterable["Seen"] | None]
"""Judges a version by its bytes; None where they are not here."""


def with_causes(
    versions: Sequence[JudgedVersion], again: Mapping[str, Again], dataset: str
) -> tuple[JudgedVersion, ...]:
    """Returns the same versions; failures that begin in one say in a hint where they come from.

    Args:
        versions: Newest first.
        again: By commit.
        dataset: Which data set.
    """
    first = {seen.name: one.commit for one in versions for seen in one.failing}
    told = []
    for one in versions:
        begun = {
            seen.name
            for seen in one.failing
            if first[seen.name] == one.commit and _may_tell(seen.finding)
        }
        hints: Mapping[str, str] = {}
        if one.how == "profiles" and begun:
            found = again[one.commit]()
            why = (
                f"only its bytes tell where in it (dvtool fetch --rev {one.commit[:12]} {dataset})"
            )
            hints = (
                dict.fromkeys(begun, why)
                if found is None
                else {seen.name: seen.finding.hint for seen in found if seen.name in begun}
            )
        told.append(replace(one, failing=tuple(_hinted(seen, hints) for seen in one.failing)))
    return tuple(told)


def _may_tell(finding: Finding) -> bool:
    """Tells whether rows can be what is wrong, and nothing is said of which yet."""
    is_about_rows = bool(finding.column) or finding.code == "key"
    return is_about_rows and not {"slice", "spread"} & set(finding.figures)


def _hinted(seen: Seen, hints: Mapping[str, str]) -> Seen:
    hint = hints.get(seen.name, "")
    if not hint or hint == seen.finding.hint:
        return seen
    return replace(seen, finding=replace(seen.finding, hint=hint))
