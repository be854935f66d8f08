"""One version after the other under today's checks: from stored profiles, else from bytes.

What neither tells is listed as unknown. Which versions, and where failures began, is `since`, the
caller.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from dvtool.core.allow import Allowance
from dvtool.core.sidecar import version_digest
from dvtool.errors import ObjectMissing
from dvtool.ops import subjects
from dvtool.ops.baselines import BaselineVersion
from dvtool.ops.check import Wanted, subject_of
from dvtool.ops.comparing import with_references
from dvtool.ops.judge import absent, is_judged
from dvtool.ops.judge_once import judge_subject_once
from dvtool.ops.profiler import Profiler, Spec, spec_for
from dvtool.ops.selection import Selected
from dvtool.ops.since_causes import Again, with_causes
from dvtool.ops.subjects import ChecksText, FileBytes, Subject
from dvtool.ops.uniting import is_asked, united
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.from_profile import DRIFT, judge_profile
from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.parsing import parse_checks, table_for
from dvtool.quality.checks.policy import apply_allowances, apply_policy
from dvtool.quality.findings import Evidence, Finding, Verdict, verdict
from dvtool.quality.judged import Judgement, worst
from dvtool.quality.profile.model import Profile

How = Literal["profiles", "bytes", "absent", "unknown"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding of a version: the table it is in, and itself."""

    table: str
    finding: Finding

    @property
    def name(self) -> str:
        """Table and key: what is followed through the versions.

        Of drift it is the column, since which method shows it first changes with the rows.
        """
        one = self.finding
        is_drift = one.evidence is Evidence.DRIFT and one.column
        return f"{self.table}: {f'{one.column}.{DRIFT}' if is_drift else one.key}"


@dataclass(frozen=True, slots=True)
class Open:
    """What could not be told: a key of a table's checks, or with an empty key all of them."""

    table: str
    key: str
    why: str

    def __str__(self) -> str:
        """Returns it in words."""
        return f"{self.table}: {self.key} {self.why}" if self.key else f"{self.table}: {self.why}"


@dataclass(frozen=True, slots=True)
class JudgedVersion:
    """One version under today's checks.

    Attributes:
        commit: Object id of the commit that brought it.
        how: What answered: profiles, bytes, or neither; `absent` where the asked part is not in it.
        verdict: The answer; None when it is unknown or absent.
        failing: What fails for certain.
        unknown: What could not be told, and why.
    """

    commit: str
    how: How
    verdict: Verdict | None
    failing: tuple[Seen, ...] = ()
    unknown: tuple[Open, ...] = ()

    def knows(self, seen: Seen) -> bool:
        """Tells whether it is known if a finding of another version is in this one, too."""
        table, finding = seen.table, seen.finding
        keys = {"", finding.key}
        if finding.evidence is Evidence.DRIFT:
            keys |= {DRIFT, f"{finding.column}.{DRIFT}"}
        if finding.evidence is Evidence.STRUCTURE and self.how == "profiles":
            return False  # a profile is of the table that was read, however the file was written
        return not any(one.table == table and one.key in keys for one in self.unknown)


@dataclass(frozen=True, slots=True)
class Judging:
    """What is the same for every version."""

    workspace: Workspace
    one: Selected
    text: ChecksText | None
    checks: ChecksFile | None
    allow: ChecksText | None
    allowed: tuple[Allowance, ...]
    wanted: Wanted
    profiler: Profiler

    def all(
        self, chosen: Sequence[BaselineVersion], older: BaselineVersion | None
    ) -> tuple[JudgedVersion, ...]:
        """Returns all versions judged, newest first as they come.

        The oldest is judged first: each is compared with the newest one before it that is known not
        to fail, so that what stays bad stays a failure.

        Args:
            chosen: The versions.
            older: The one before them; None where the data set begins with them.
        """
        found: list[JudgedVersion] = []
        again: dict[str, Again] = {}
        good = previous = older
        for version in reversed(chosen):
            is_next = good is previous
            judged = self.version(version, good, is_next=is_next)
            again[version.commit] = partial(self._again, version, None if is_next else good)
            found.insert(0, judged)
            is_good = judged.verdict not in (None, Verdict.FAIL)
            if is_good and version.teaches_from(os.fsdecode(self.one.inside)):
                good = version
            previous = version
        return with_causes(found, again, self.one.dataset)

    def _again(self, version: BaselineVersion, before: BaselineVersion | None) -> list[Seen] | None:
        """Returns what fails by the bytes of a version; None where they are not here."""
        if subjects.missing_files(self.workspace.store, self.files(version)):
            return None
        return self._from_bytes(version, before)[0]

    def version(
        self, version: BaselineVersion, before: BaselineVersion | None, *, is_next: bool
    ) -> JudgedVersion:
        """Returns one version judged.

        Args:
            version: Which.
            before: What it is compared with; None where nothing before it is known to be good.
            is_next: Whether that is the version just before it, and so the default; with None,
                that there is none before it.
        """
        try:
            files = self.files(version)
            earlier = {} if before is None else self.files(before)
        except ObjectMissing as error:
            return JudgedVersion(
                version.commit,
                "unknown",
                None,
                unknown=(Open(self.one.dataset, "", error.message),),
            )
        if self.one.inside and not files:
            return JudgedVersion(version.commit, "absent", None)
        first = before is None and is_next
        found, unknown = self._from_profiles(version, files, earlier, is_first=first)
        if not unknown:
            return _judged(version.commit, "profiles", found)
        if not subjects.missing_files(self.workspace.store, files):
            found, unknown = self._from_bytes(version, None if is_next else before)
            return _judged(version.commit, "bytes", found, unknown)
        return _judged(version.commit, "profiles" if found else "unknown", found, unknown)

    def files(self, version: BaselineVersion) -> dict[str, FileBytes]:
        """Returns the files of a version that are asked about."""
        tree = self.workspace.tree(version.sidecar)
        files = subjects.stored_files(self.workspace.store, self.one.dataset, tree)
        part = os.fsdecode(self.one.inside)
        return {
            path: file
            for path, file in united(files, self.text).items()
            if is_asked(path, file, part)
        }

    def _from_profiles(
        self,
        version: BaselineVersion,
        files: Mapping[str, FileBytes],
        earlier: Mapping[str, FileBytes],
        *,
        is_first: bool,
    ) -> tuple[list[Seen], list[Open]]:
        """Returns what fails by profiles, and what they leave open."""
        found: list[Seen] = []
        unknown: list[Open] = []
        whole = version_digest(version.sidecar)
        today = self.wanted.now.date()
        inside = os.fsdecode(self.one.inside)
        for _, table in absent(self.one.dataset, files, self.checks, inside=inside):
            found += [Seen(table.name, one) for one in table.findings]
        for path, file in files.items():
            spec = table_for(self.checks, path) if self.checks is not None else None
            if spec is None:
                if is_judged(path, file.name, None):
                    unknown.append(Open(file.name, "", "without checks only the bytes tell"))
                continue
            profile = self._profile(version, path, file)
            if profile is None:
                unknown.append(Open(file.name, "", "neither its bytes nor a profile are here"))
                continue
            previous = earlier.get(path)
            rows = None if previous is None else self._profile(version, path, previous)
            source = self.text.path if self.text is not None else ""
            answer = judge_profile(
                profile,
                spec,
                name=file.name,
                source=source,
                rows_before=None if rows is None else rows.rows,
            )
            drifted = list(answer.findings)
            left = list(answer.open)
            if is_first or (earlier and previous is None):
                # As by its bytes: there is nothing to compare it with.
                left = [key for key in left if key != "rows-change" and not _is_drift(key)]
            elif rows is not None and any(_is_drift(key) for key in left):
                drifted += self._drift(rows, profile, spec, file.name, left)
            digests = {one for one in (file.digest, whole) if one is not None}
            entries = [one for one in self.allowed if one.covers(digests, path)]
            shown = apply_policy(drifted, spec, today, source=source)
            found += [Seen(file.name, one) for one in apply_allowances(shown, entries, today)]
            unknown += [Open(file.name, key, "is not in a profile") for key in left]
        return found, unknown

    def _drift(
        self, before: Profile, now: Profile, spec: TableSpec, name: str, left: list[str]
    ) -> list[Finding]:
        """Returns the drift that two profiles decide; takes its keys from what is left open."""
        from dvtool.quality.by_profile import drift_of_profiles

        source = self.text.path if self.text is not None else ""
        found, still = drift_of_profiles(before, now, spec, name=name, source=source)
        left[:] = [*(key for key in left if not _is_drift(key)), *still]
        return found

    def _profile(self, version: BaselineVersion, path: str, file: FileBytes) -> Profile | None:
        """Returns what is kept of a file, under whichever checks it was profiled."""
        text = subjects.checks_at(self.workspace, self.one.dataset, version.commit)
        own = None if text is None else parse_checks(text.text, source=text.path)
        for checks in ((own, self.checks), (self.checks, self.checks), (own,), (self.checks,)):
            known = self.profiler.known(file, spec_for(checks, path) or Spec())
            if known is not None:
                return known
        return self.profiler.known(file, Spec())

    def _from_bytes(
        self, version: BaselineVersion, before: BaselineVersion | None
    ) -> tuple[list[Seen], list[Open]]:
        """Returns what fails by the bytes, and what they leave open.

        It is what `check --rev` would say with the checks of today; against `before`, unless that is
        None.
        """
        wanted = replace(self.wanted, baseline="")
        if before is not None:
            wanted = replace(wanted, baseline=before.commit, baseline_why=_WHY)
        subject = subject_of(
            self.workspace,
            self.one,
            version.sidecar,
            version.commit,
            wanted,
            checks_by=lambda: self.text,
        )
        inputs = subject.inputs and {
            **subject.inputs,
            "allow": self.allow.text if self.allow is not None else "",
        }
        subject = replace(
            subject,
            allowed=self.allowed,
            inputs=inputs,
            root=self.workspace.top,
            references={},
        )
        subject = with_references(self.workspace, subject)
        judged = judge_subject_once(subject, wanted, self.workspace.progress, self.workspace)
        found = [Seen(table.name, one) for table in judged.tables for one in table.findings]
        return found, list(self._not_compared(subject, judged))

    def _not_compared(self, subject: Subject, judged: Judgement) -> Iterator[Open]:
        """Yields the drift that checks ask for and that nobody could compute: a baseline is away."""
        compared = {table.name: {one["column"] for one in table.drift} for table in judged.tables}
        for path, file in subject.files.items():
            earlier = subject.baseline_files.get(path)
            spec = table_for(self.checks, path) if self.checks is not None else None
            if earlier is None or earlier.is_here or spec is None or file.name not in compared:
                continue
            why = f"is not known, since the bytes of {earlier.baseline.name} are not here"
            for column in spec.columns:
                is_asked = column.drift is not None and column.drift.thresholds()
                if is_asked and not column.private and column.name not in compared[file.name]:
                    yield Open(file.name, f"{column.name}.{DRIFT}", why)
            if spec.drift is not None and spec.drift.thresholds() and not compared[file.name]:
                yield Open(file.name, DRIFT, why)


def _is_drift(key: str) -> bool:
    return key.rpartition(".")[2] == DRIFT


_WHY: Final = "the latest version before it that does not fail by the checks on disk"


def _judged(
    commit: str, how: How, found: Sequence[Seen], unknown: Sequence[Open] = ()
) -> JudgedVersion:
    failing = tuple(one for one in found if verdict([one.finding]) is Verdict.FAIL)
    answer = worst(verdict([one.finding]) for one in found) if found else Verdict.PASS
    known = None if unknown and answer is not Verdict.FAIL else answer
    return JudgedVersion(commit, how, known, failing, tuple(unknown))
