"""Answers that still stand: what a command said, said again while nothing has changed since.

Here are the question a command line asks of a repository, the answers kept to it, and the proof that
one still holds. What an answer was made from is told by `dvtool.ops.standing`, which keeps it. This
module must stay as cheap to import as it is: nothing but `os`, `sys` and its like. Called by the CLI
before anything else is loaded. Why: docs/decisions/0022-answers-that-still-stand.md.
"""

from __future__ import annotations

import os
import sys
import time

from dvtool import __version__
from dvtool.git import questions
from dvtool.worktree import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMANDS = {"check": False, "status": True}
"""Which commands' answers are kept, and whether they tell about other branches."""
OUR_VARIABLES = ("DVTOOL_", "GIT_")
FOLDER = "dvtool/answers"
MOST_BYTES = 1 << 20
KEPT = 64
"""Answers a work tree keeps; the oldest go first."""
STAGED = "--staged"
"""The argument with which an answer also depends on git's index."""
_FORMAT = b"dvtool answer 2"


class Question:
    """A command line, where it is asked, and what git says of that place.

    Attributes:
        text: Everything but the place: arguments, program, environment.
        folder: Where answers of this work tree are kept.
        git_dir: Of this work tree.
        common_dir: Of the clone.
        top: Of the work tree.
        branches: Whether the answer tells about other branches.
        index: Whether it tells about what is staged.
        commits: What the answer depends on besides: revisions, with the commits they named when
            it was made; an empty text for one that named two, or none.
        place: git's answer to where this is.
        told: git's other answers; empty as long as nobody asked.
        asked_ns: The file system's time before anything was read for an answer; 0 as long as none is.
    """

    __slots__ = (
        "asked_ns",
        "branches",
        "commits",
        "common_dir",
        "folder",
        "git_dir",
        "index",
        "place",
        "text",
        "told",
        "top",
    )

    def __init__(
        self,
        text: bytes,
        place: bytes,
        folders: Sequence[str],
        *,
        branches: bool = False,
        index: bool = False,
    ) -> None:
        """Takes the question and where it is asked."""
        self.text = text
        self.place = place
        self.git_dir, self.common_dir, self.top = folders
        self.folder = os.path.join(self.git_dir, FOLDER)
        self.branches = branches
        self.index = index
        self.commits: dict[str, str] = {}
        self.told: list[bytes] = []
        self.asked_ns = 0

    @property
    def path(self) -> str:
        """Where the answer is, if there is one; another question's may be there."""
        # A checksum is enough for a name: the file holds the whole question.
        return os.path.join(self.folder, f"{_checksum(self.text):08x}")

    def depend(self, rev: str, commit: str = "") -> None:
        """Makes the answer depend on a revision that a person or a checks file names.

        Args:
            rev: As it is spelled.
            commit: What it named when it was read; empty to ask git now, before it is read.
        """
        found = commit or "".join(questions.commits(self.top, [rev]) or ())
        known = self.commits.setdefault(rev, found)
        self.commits[rev] = found if known == found else ""

    def ask(self) -> list[bytes]:
        """Returns git's answers as they are now; none when git fails."""
        asked = questions.surroundings(self.top, branches=self.branches, index=self.index)
        return asked or []

    def still_names(self) -> bool:
        """Tells whether the revisions still name the commits that the answer was made from."""
        return questions.commits(self.top, list(self.commits)) == list(self.commits.values())


def asked(args: Sequence[str], environ: Mapping[str, str]) -> Question | None:
    """Returns the question that a command line is; None for one whose answers are not kept."""
    if not args or args[0] not in COMMANDS or not questions.is_ordinary(environ):
        return None
    try:
        cwd = os.getcwd()
    except OSError:
        return None  # the folder is gone
    found = questions.place()
    if found is None:
        return None
    ours = [f"{name}={value}" for name, value in environ.items() if name.startswith(OUR_VARIABLES)]
    # A path from elsewhere may come here through links; see `dvtool.ops.selection`.
    ways = [
        os.path.realpath(os.path.dirname(arg)) for arg in args if arg.startswith("/") or ".." in arg
    ]
    parts = (__version__, sys.version, sys.prefix, cwd, *sorted(ours), *ways, *args)
    text = os.fsencode("\0".join(parts))
    return Question(text, *found, branches=COMMANDS[args[0]], index=STAGED in args)


def standing(question: Question) -> tuple[str, int] | None:
    """Returns what was printed and the exit code, if the same question was answered and still is so.

    It is if git gives the same answers, and every file and folder that the answer was made from has
    the mark it had. Nothing is written.
    """
    try:
        with open(question.path, "rb") as opened:
            kept = _fields(opened.read(2 * MOST_BYTES))
        head, text, place, until, marked, code, output, named, *told = kept
        is_same = (head, text, place) == (_FORMAT, question.text, question.place)
        if not is_same or (float(until) and time.time() >= float(until)):
            return None
        question.told = question.ask()
        if question.told != told or not marks.are_unchanged(os.fsdecode(marked).split("\0")):
            return None
        words = os.fsdecode(named).split("\0")[:-1]
        if questions.commits(question.top, words[::2]) != words[1::2]:
            return None
        return output.decode(), int(code)
    except (OSError, ValueError):
        return None  # none kept, or damaged


def begin(question: Question) -> bool:
    """Notes how things stand before an answer is made; tells whether it can be kept."""
    # Not for an answer that stands.
    from pathlib import Path

    from dvtool.worktree.filestat import file_system_clock

    try:
        os.makedirs(question.folder, exist_ok=True)
        # From here on: what has a newer time may have changed while the answer was made.
        question.asked_ns = file_system_clock(Path(question.folder))
    except OSError:
        return False
    if not question.told:
        question.told = question.ask()
    return bool(question.told)


def keep(
    question: Question, paths: Sequence[str], *, output: str, code: int, until: float = 0.0
) -> bool:
    """Keeps an answer, if nothing changed while it was made; tells whether it did.

    Args:
        question: What was asked, with how things stood before.
        paths: Every file and folder that it was made from, also those that were not there.
        output: What was printed.
        code: The exit code.
        until: When it ends to be true, in seconds since 1970; 0 for no end.
    """
    place = questions.place()
    told = question.ask()
    found = marks.marked(paths, before_ns=question.asked_ns)
    if found is None or place is None or place[0] != question.place or told != question.told:
        return False
    if not question.still_names():
        return False
    fields = [
        _FORMAT,
        question.text,
        question.place,
        str(until).encode(),
        os.fsencode("\0".join(found)),
        str(code).encode(),
        output.encode(),
        os.fsencode("".join(f"{rev}\0{commit}\0" for rev, commit in question.commits.items())),
        *question.told,
    ]
    text = b"".join(b"%d:%s" % (len(one), one) for one in fields)
    if len(text) > MOST_BYTES:
        return False
    unfinished = f"{question.path}.tmp-{os.getpid()}"
    try:
        with open(unfinished, "wb") as opened:
            opened.write(text)
        os.replace(unfinished, question.path)
        _forget_oldest(question.folder)
    except OSError:
        return False
    return True


def _forget_oldest(folder: str) -> None:
    names = [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in sorted(names, key=os.path.getmtime)[: max(len(names) - KEPT, 0)]:
        os.unlink(path)


def _fields(text: bytes) -> list[bytes]:
    """Returns the fields of a kept answer: each its length, a colon, and so many bytes.

    Raises:
        ValueError: It is not made of such fields.
    """
    found: list[bytes] = []
    at = 0
    while at < len(text):
        colon = text.index(b":", at)
        end = colon + 1 + int(text[at:colon])
        if end > len(text) or end <= colon:
            raise ValueError("cut off")
        found.append(text[colon + 1 : end])
        at = end
    return found


def _checksum(text: bytes) -> int:
    from zlib import crc32

    return crc32(text)
