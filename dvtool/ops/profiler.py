"""Profiler: the profile of a file, looked up where it is known, computed where it is not.

Here live what decides a profile besides the bytes, the address that follows from it, and what comes
out. Which files there are is for `profile` to find, statistics are `dvtool.quality.profile`. Called
by `profile`, `profile_travel` and `judge`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from dvtool.core.digest import format_digest
from dvtool.core.events import Progress
from dvtool.errors import ExtraMissing, InvalidText, ObjectMissing
from dvtool.ops.subjects import ChecksText, FileBytes, Subject
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.parsing import parse_checks, table_for
from dvtool.quality.profile.encode import decode, encode, profile_address
from dvtool.quality.profile.merge import merge, together
from dvtool.quality.profile.model import Profile
from dvtool.quality.profile.privacy import Privacy, salt_of
from dvtool.quality.tables.endings import is_table
from dvtool.quality.tables.members import size_of
from dvtool.store.profiles import ProfileFolder, profile_name

if TYPE_CHECKING:
    from dvtool.quality.tables.options import ReadOptions

SNIFFING: Final = 1
"""Raised when files without `read:` come to be read in another way."""
LEARNT_BYTES: Final = 256 << 20
"""What remembered pasts may take in a clone, compressed; and portraits likewise."""


@dataclass(frozen=True, slots=True)
class FileProfile:
    """One file of a version.

    Attributes:
        name: As the user knows it.
        profile: None when there is none; then `why` says the reason.
        is_new: Whether it was computed just now, not looked up.
        is_missing: Whether its bytes are not here, so that nothing can be said: a gap.
        why: Why there is no profile, or a reader's warning; empty normally.
        address: Under which it is kept; empty when it is not.
        private: Columns of which no value may be shown.
    """

    name: str
    profile: Profile | None
    is_new: bool = False
    is_missing: bool = False
    why: str = ""
    address: str = ""
    private: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Total:
    """The profile of several files together, and how many they are."""

    files: int
    profile: Profile


@dataclass(frozen=True, slots=True)
class Profiled:
    """One version of a data set, or a file or folder outside of any.

    Attributes:
        name: The data set, or the path as typed.
        version: `work tree`, a commit's first 12 digits, or empty.
        files: Its tables, sorted by path.
        gap: Why nothing is known of the version at all; empty normally.
    """

    name: str
    version: str
    files: tuple[FileProfile, ...] = ()
    gap: str = ""

    @property
    def private(self) -> frozenset[str]:
        """Columns that are private in any of its files."""
        return frozenset(name for one in self.files for name in one.private)

    @property
    def totals(self) -> tuple[Total, ...]:
        """Files with the same columns together, the most files first; none for a single file."""
        return totals(one.profile for one in self.files if one.profile is not None)


@dataclass(frozen=True, slots=True)
class Spec:
    """What decides a profile besides the bytes: how they are read, and what may be kept."""

    read: ReadOptions | None = None
    privacy: Mapping[str, Privacy] = field(default_factory=dict)
    label: str = ""

    @property
    def private(self) -> frozenset[str]:
        """Columns of which no value may be shown."""
        return frozenset(name for name, one in self.privacy.items() if one is Privacy.PRIVATE)


def totals(profiles: Iterable[Profile]) -> tuple[Total, ...]:
    """Returns profiles with the same columns merged, the most files first.

    Columns, kinds, privacy and label must agree; a file on its own is left out, since its total
    would say nothing more.
    """
    groups: dict[object, Total] = {}
    for one in profiles:
        columns = tuple((column.name, column.kind, column.privacy) for column in one.columns)
        key = (columns, one.label, one.key_id)
        known = groups.get(key)
        groups[key] = (
            Total(1, one) if known is None else Total(known.files + 1, merge(known.profile, one))
        )
    several = [one for one in groups.values() if one.files > 1]
    return tuple(sorted(several, key=lambda one: -one.files))


def folder_of(workspace: Workspace) -> ProfileFolder:
    """Returns where a clone keeps its profiles."""
    return ProfileFolder(workspace.shared_dir / "profiles")


def unions_of(workspace: Workspace) -> ProfileFolder:
    """Returns where a clone keeps the profiles of tables of several files, which no remote has."""
    return ProfileFolder(workspace.shared_dir / "unions")


def pasts_of(workspace: Workspace) -> ProfileFolder:
    """Returns where a clone keeps what it learnt of pasts."""
    return ProfileFolder(workspace.shared_dir / "pasts", ".past.zst")


def portraits_of(workspace: Workspace) -> ProfileFolder:
    """Returns where a clone keeps what history asks of single profiles."""
    return ProfileFolder(workspace.shared_dir / "portraits", ".portrait.zst")


def repository_key(repository: str) -> bytes:
    """Returns the key of a repository's tokens; empty before it has an id.

    It follows from what everyone with the repository can read: it keeps those without it from
    comparing tokens with guesses, and nobody else.
    """
    return sha256(f"dvtool-profile-key\n{repository}".encode()).digest() if repository else b""


def address_of(file: FileBytes, spec: Spec, key: bytes) -> str:
    """Returns where the profile of a file is kept, known before the file is opened.

    Empty for a file without a digest.
    """
    if file.digest is None:
        return ""
    options: dict[str, Any] = spec.read.to_mapping() if spec.read is not None else {}
    if spec.read is None or spec.read.stated:
        # What sniffing finds follows from the bytes and from the name's endings.
        name = os.path.basename(file.name).lower()
        options |= {"sniffed": SNIFFING, "endings": name.split(".")[1:][-2:]}
    told = {
        "privacy": {name: one.value for name, one in sorted(spec.privacy.items())},
        "label": spec.label,
        "key": salt_of(salt_of(key).encode())[:8] if key else "",
    }
    return profile_address(format_digest(file.digest), options, told)


class Profiler:
    """Gives the profiles of files, from the folder where they are known, computed where not."""

    def __init__(
        self,
        folder: ProfileFolder | None,
        key: bytes,
        progress: Progress,
        bring: Callable[[str], bytes | None] = lambda _: None,
        *,
        unions: ProfileFolder | None = None,
        pasts: ProfileFolder | None = None,
        portraits: ProfileFolder | None = None,
    ) -> None:
        """Takes what it needs; asks and writes nothing yet.

        Args:
            folder: Where profiles are kept, None for nowhere.
            key: Of tokens.
            progress: Whom to tell.
            bring: Gives, by name, the proven text of a profile of a file that is not here.
            unions: Where those of tables of several files are kept, None for nowhere.
            pasts: Where `history` keeps what it remembers of several profiles, None for nowhere.
            portraits: Where it keeps what it asks of one profile, None for nowhere.
        """
        self._folder = folder
        self._unions = unions
        self.pasts = pasts
        self.portraits = portraits
        self._bring = bring
        self._key = key
        self._progress = progress
        self._new = 0

    @classmethod
    def of(cls, workspace: Workspace, *, remote: str | None = None) -> Profiler:
        """Returns the one that keeps what all work trees of a clone share.

        Args:
            workspace: Where.
            remote: The remote that may be asked for what is not here, empty for the default one;
                None for no network.
        """
        key = repository_key(workspace.settings.repository)
        made = cls(
            folder_of(workspace),
            key,
            workspace.progress,
            unions=unions_of(workspace),
            pasts=pasts_of(workspace),
            portraits=portraits_of(workspace),
        )
        if remote is not None:
            from dvtool.ops.profile_travel import Bringer

            made._bring = Bringer(workspace, remote).bring
        return made

    def version(
        self,
        name: str,
        version: str,
        files: Mapping[str, FileBytes],
        checks: Sequence[ChecksText | None],
    ) -> Profiled:
        """Returns the profiles of a version's tables.

        Args:
            name: As shown.
            version: Likewise.
            files: By path inside the data set.
            checks: Of that version, then others whose private columns count as well.
        """
        parsed = [
            None if one is None else parse_checks(one.text, source=one.path) for one in checks
        ]
        self._progress.start(f"profile {name}", total_items=len(files))
        found = []
        for path, file in files.items():
            spec = spec_for(parsed, path)
            if spec is not None or is_table(file.name) or path == "":
                found.append(self.file(file, spec or Spec()))
            self._progress.advance(items=1)
        return Profiled(name, version, tuple(found))

    def file(self, file: FileBytes, spec: Spec) -> FileProfile:
        """Returns the profile of one file."""
        address = address_of(file, spec, self._key)
        name = self.name(file, spec)
        known = self._known(file, name)
        if known is not None:
            return FileProfile(file.name, known, address=address, private=spec.private)
        try:
            found = self._compute_together(file, spec) or self._compute(file, spec)
        except ObjectMissing as error:
            brought = self._brought(file, name)
            if brought is None:
                return FileProfile(file.name, None, is_missing=True, why=str(error))
            return FileProfile(file.name, brought, address=address, private=spec.private)
        if found.profile is not None and name:
            self._keep(file, name, encode(found.profile))
            return replace(found, address=address)
        return found

    @property
    def key(self) -> bytes:
        """Of tokens, for whoever computes a profile while the table is open anyway."""
        return self._key

    def known(self, file: FileBytes, spec: Spec) -> Profile | None:
        """Returns the profile of one file where it is kept, here or at the remote that may be asked.

        Nothing is computed.
        """
        name = self.name(file, spec)
        if not file.members:
            return self._known(file, name) or self._brought(file, name)
        known = self._known(file, name)
        if known is None:
            # The remote knows files, and what they are together follows from them.
            members = [self.known(one, spec) for one in file.members.values()]
            known = together([one for one in members if one is not None])
            if known is None or None in members:
                return None
            self.keep(file, spec, known)
        return known

    def members(self, file: FileBytes, spec: Spec) -> dict[str, Profile]:
        """Returns the profiles of a table's files that are kept, by the files' marks."""
        found = {}
        for one in file.members.values():
            if one.digest is not None and (known := self.known(one, spec)) is not None:
                found[one.digest.hex()] = known
        return found

    def keep_members(self, file: FileBytes, spec: Spec, profiles: Mapping[str, Profile]) -> None:
        """Keeps profiles of a table's files that were computed elsewhere, by the files' marks."""
        for one in file.members.values():
            if one.digest is not None and one.digest.hex() in profiles:
                self.keep(one, spec, profiles[one.digest.hex()])

    def keep(self, file: FileBytes, spec: Spec, profile: Profile) -> None:
        """Keeps a profile that was computed elsewhere, as `file` keeps its own."""
        name = self.name(file, spec)
        if name:
            self._keep(file, name, encode(profile))

    def name(self, file: FileBytes, spec: Spec) -> str:
        """Returns what the profile of a file is called; empty for a file without a digest."""
        if file.digest is None:
            return ""
        return profile_name(file.digest, address_of(file, spec, self._key))

    def _where(self, file: FileBytes) -> ProfileFolder | None:
        return self._unions if file.members else self._folder

    def _keep(self, file: FileBytes, name: str, text: bytes) -> None:
        folder = self._where(file)
        if folder is not None:
            self._new += folder.put(name, text)

    def finish(self) -> None:
        """Keeps the folders within their bounds."""
        if self._new and self._folder is not None:
            self._folder.trim()
            if self._unions is not None:
                self._unions.trim(most_bytes=LEARNT_BYTES)
            if self.portraits is not None:
                self.portraits.trim(most_bytes=LEARNT_BYTES)

    def _known(self, file: FileBytes, name: str) -> Profile | None:
        folder = self._where(file)
        text = folder.get(name) if name and folder is not None else None
        if text is None:
            return None
        try:
            return decode(text, is_own=True)
        except InvalidText:
            return None  # of another version, or spoilt: computed again

    def _brought(self, file: FileBytes, name: str) -> Profile | None:
        text = self._bring(name) if name and not file.members else None
        if text is None:
            return None
        profile = decode(text)
        self._keep(file, name, text)
        return profile

    def _compute_together(self, file: FileBytes, spec: Spec) -> FileProfile | None:
        """Returns the profile of a table of several files from those of the files.

        None for a single file, and where the files differ so that nothing follows from theirs.
        """
        if not file.members:
            return None
        found = [self.file(one, spec) for one in file.members.values()]
        if missing := next((one for one in found if one.is_missing), None):
            raise ObjectMissing(missing.why)
        made = together([one.profile for one in found if one.profile is not None])
        if made is None:
            return None
        is_new = any(one.is_new for one in found)
        return FileProfile(file.name, made, is_new=is_new, private=spec.private)

    def _compute(self, file: FileBytes, spec: Spec) -> FileProfile:
        from dvtool.quality.profile.compute import profile_table
        from dvtool.quality.tables.engine import Engine
        from dvtool.quality.tables.opening import open_table
        from dvtool.quality.tables.table import Unreadable

        with ExitStack() as files, Engine() as engine:
            path = files.enter_context(file.open())
            try:
                table = open_table(engine, path, name=file.name, options=spec.read, contents=False)
            except Unreadable as error:
                why = error.findings[0].message if error.findings else str(error)
                return FileProfile(file.name, None, why=why, private=spec.private)
            except ExtraMissing as error:
                return FileProfile(file.name, None, why=str(error), private=spec.private)
            profile = profile_table(
                engine,
                table,
                privacy=spec.privacy,
                label=spec.label,
                key=self._key,
                size_bytes=size_of(path),
            )
        return FileProfile(file.name, profile, is_new=True, private=spec.private)


def checks_of(subject: Subject) -> tuple[ChecksFile | None, ...]:
    """Returns the checks of a subject, its own and today's, as `spec_for` takes them.

    Raises:
        InvalidText: One of them breaks its format.
    """
    texts = dict.fromkeys((subject.checks, subject.todays_checks))
    return tuple(None if one is None else parse_checks(one.text, source=one.path) for one in texts)


def spec_for(checks: Sequence[ChecksFile | None], path: str) -> Spec | None:
    """Returns what the checks say about profiling a file; None when they do not name it.

    How to read it and its label come from the first checks, the version's own; a column that any
    of them calls private is private.
    """
    specs = [None if one is None else table_for(one, path) for one in checks]
    if not any(specs):
        return None
    own = specs[0] or TableSpec()
    privacy = {one.name: Privacy.PUBLIC for one in own.columns if one.public and not one.private}
    for spec in specs:
        if spec is not None:
            privacy |= dict.fromkeys(spec.private, Privacy.PRIVATE)
    return Spec(own.read, privacy, own.label)
