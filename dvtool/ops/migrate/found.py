"""What a repository keeps with DVC: outputs of HEAD, and of every commit that a ref leads to.

Reads git only. Which bytes stand behind the outputs, and whether they can be had, is found out by
`dvtool.ops.migrate.dvc`, which calls this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dvtool.core.dvcfiles import MAX_DVC_BYTES, Output, outputs_of, stages_elsewhere
from dvtool.core.quote import display
from dvtool.errors import InvalidText
from dvtool.git.contents import files_at, iter_blobs
from dvtool.git.history import FileVersion, file_versions
from dvtool.git.migrated import DVC_TEXTS
from dvtool.git.plumbing import Git
from dvtool.git.revisions import all_tips

_CONFIG: Final = ":(glob)**/.dvc/config"
_PIPELINE: Final = "dvc.yaml"
_TEXTS: Final = (*DVC_TEXTS, f":(glob)**/{_PIPELINE}")


@dataclass(frozen=True, slots=True)
class Found:
    """One output in one version of the file that names it.

    Attributes:
        output: What is tracked.
        commit: A commit that has it.
        source: The `.dvc` file or `dvc.lock`.
    """

    output: Output
    commit: str
    source: str

    @property
    def where(self) -> str:
        """For messages: the path, and the commit's short id."""
        return f"{display(os.fsencode(self.output.path))} at {self.commit[:12]}"


@dataclass(frozen=True, slots=True)
class Outputs:
    """All outputs that were looked for.

    Attributes:
        found: Each distinct path, name and mode once.
        unreadable: Files of DVC's that could not be read, with the reason.
        commits: How many commits brought a version.
    """

    found: tuple[Found, ...]
    unreadable: tuple[str, ...]
    commits: int


def projects(git: Git, commit: str) -> list[str]:
    """Returns the folders that hold a `.dvc` folder in a commit or on disk; empty text for the top."""
    found = {
        path.removesuffix(".dvc/config").rstrip("/") for path in files_at(git, commit, [_CONFIG])
    }
    if (git.top / ".dvc").is_dir():
        found.add("")
    return sorted(found)


def outputs_at(git: Git, commit: str) -> Outputs:
    """Returns what one commit keeps with DVC; two processes."""
    listed = files_at(git, commit, _TEXTS)
    return _outputs(git, [FileVersion(commit, path, oid) for path, (oid, _) in listed.items()])


def outputs_ever(git: Git) -> Outputs:
    """Returns what any commit that a branch, tag or remote branch leads to keeps with DVC."""
    return _outputs(git, list(file_versions(git, all_tips(git), _TEXTS)))


def _outputs(git: Git, versions: list[FileVersion]) -> Outputs:
    found: dict[tuple[str, str, bool], Found] = {}
    unreadable: list[str] = []
    by_oid: dict[str, list[FileVersion]] = {}
    for one in versions:
        by_oid.setdefault(one.oid, []).append(one)
    for oid, text in iter_blobs(git, by_oid, size_limit=MAX_DVC_BYTES):
        for version in by_oid[oid]:
            try:
                outputs = _outputs_in(version.path, text)
            except InvalidText as error:
                unreadable.append(f"{error} (in commit {version.commit[:12]})")
                continue
            for output in outputs:
                key = (output.path, output.name, output.is_executable)
                found.setdefault(key, Found(output, version.commit, version.path))
    return Outputs(
        tuple(sorted(found.values(), key=lambda one: (one.output.path, one.output.name))),
        tuple(unreadable),
        len({one.commit for one in versions}),
    )


def _outputs_in(path: str, text: bytes) -> tuple[Output, ...]:
    if not path.endswith(_PIPELINE):
        return outputs_of(path, text)
    if stages_elsewhere(text):
        raise InvalidText(
            "stages with wdir, whose outputs dvc.lock names by paths that are not theirs",
            source=path,
        )
    return ()


def kept_by_git(git: Git, found: Iterable[Found]) -> set[Found]:
    """Returns those outputs that git itself tracks in their commit, as with `cache: false`."""
    asked = [one for one in found if "\n" not in one.output.path]
    if not asked:
        return set()
    lines = os.fsencode("".join(f"{one.commit}:{one.output.path}\n" for one in asked))
    answers = git.run("cat-file", "--batch-check=%(objecttype)", stdin=lines).split(b"\n")
    return {one for one, kind in zip(asked, answers, strict=False) if kind in (b"blob", b"tree")}
