"""Reports: what was judged, put together with where it comes from, and written to files.

What a report says and how it looks is `dvtool.report`; its pictures come from `album`. Called by
`check`, `ci` and `profile` of the CLI.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Final

from dvtool.errors import DvtoolError, UsageError
from dvtool.git.plumbing import Git
from dvtool.git.revisions import head
from dvtool.ops.verdicts import judging_versions
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Finding
from dvtool.quality.judged import Judgement
from dvtool.report.model import Provenance, Report, TablePicture
from dvtool.store.durable import store_error

FORMATS: Final = ("html", "markdown", "junit", "sarif", "gitlab", "github", "jsonlines")
"""What `--format` takes; each is a module of `dvtool.report` with a function `render`."""
PAGE: Final = "index.html"
_OURS: Final = '<meta name="generator" content="dvtool">'


def report_of(
    title: str,
    judgements: Sequence[Judgement],
    provenance: Provenance,
    *,
    extra: Sequence[Finding] = (),
    pictures: Mapping[str, TablePicture] | None = None,
    is_judged: bool = True,
) -> Report:
    """Returns a report of judgements, or of tables that are only shown."""
    return Report(
        title, tuple(judgements), tuple(extra), provenance, pictures or {}, is_judged=is_judged
    )


def title_of(judgements: Sequence[Judgement]) -> str:
    """Returns a first line that names what a report is about."""
    names = ", ".join(one.name for one in judgements[:3]) or "no data set"
    return f"{names} and {len(judgements) - 3} more" if len(judgements) > 3 else names


def provenance_of(
    workspace: Workspace | None,
    *,
    time: str,
    command: str = "",
    commit: str = "",
    base: str = "",
    branch: str = "",
) -> Provenance:
    """Returns where a report comes from.

    Args:
        workspace: Whose HEAD is meant where `commit` is empty; None outside of one.
        time: UTC, ISO 8601.
        command: As it was typed.
        commit: What was judged.
        base: What it is relative to.
        branch: Its name, the current one where it is empty.
    """
    if workspace is not None and not commit:
        commit, current = _head(workspace.git)
        branch = branch or current
    return Provenance(commit, base, branch, command, time, dict(judging_versions()))


def _head(git: Git) -> tuple[str, str]:
    try:
        now = head(git)
    except DvtoolError:
        return "", ""
    return now.commit or "", (now.ref or "").removeprefix("refs/heads/")


def rendered(report: Report, name: str) -> str:
    """Returns a report in one of FORMATS.

    Raises:
        UsageError: There is no such format.
    """
    if name not in FORMATS:
        raise UsageError(f"no report format {name!r}", hint=f"one of {', '.join(FORMATS)}")
    module = import_module(f"dvtool.report.{name}")
    text = module.render(report)
    assert isinstance(text, str)
    return text


def write_page(report: Report, directory: Path) -> Path:
    """Writes the page as `index.html` of a folder, which is made; returns where it is.

    Raises:
        UsageError: The folder is a file, or has an `index.html` of somebody else's.
        StoreFailed: It cannot be written.
    """
    target = directory / PAGE
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file, and the report goes into a folder")
    if target.exists() and not _is_ours(target):
        raise UsageError(
            f"{target} is not a report of dvtool, so it is left as it is",
            hint="name another folder",
        )
    write_text(rendered(report, "html"), target)
    return target


def write_text(text: str, target: Path) -> None:
    """Writes a file whole or not at all; folders on the way are made.

    Raises:
        UsageError: A folder stands there.
        StoreFailed: It cannot be written.
    """
    if target.is_dir():
        raise UsageError(f"{target} is a folder, expected the name of a file")
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(unfinished, target)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise store_error(error, target) from error


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return _OURS in file.read(2_000)
    except OSError:
        return False
