"""Settings: what `.dvtool`, git's configuration, the environment and options add up to.

Pure rules over key-value pairs: precedence, types, and what a commit may not set. Reading the
pairs is `dvtool.git.settings`; remotes are `dvtool.core.remoteconfig`. A key is written as in
`.dvtool`, such as `remote.origin.url`; one without a section, such as `jobs`, stands under
`[dvtool]`. In git's own configuration `dvtool.` stands before each. Spec: docs/format.md#dvtool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

from dvtool.core.layers import Layer, Pairs, grouped, strongest, whole_list
from dvtool.core.remoteconfig import REMOTE_KEY, RemoteConfig, is_remote_name, remotes_of
from dvtool.core.remoteurl import check_not_secret
from dvtool.errors import InvalidText, UsageError

FORMAT_VERSION: Final = 1
CONFIG_FILE: Final = ".dvtool"
Link = Literal["reflink"]
Modified = Literal["block", "warn", "off"]
Loosened = Literal["warn", "fail"]
AutoCheckout = Literal["true", "hint", "off"]

_REPOSITORY = re.compile(r"[0-9a-f]{32}")
COMMITTED_KEYS: Final = frozenset(
    {
        "format",
        "repository",
        "remote",
        "jobs",
        "lock.timeout",
        "fetch.include",
        "fetch.exclude",
        "gate.commit",
        "gate.push",
        "gate.merge",
        "gate.commit-budget",
        "gate.modified",
        "gate.loosened",
        "gate.large-file",
        "checkout.auto",
        "profile.on-add",
    }
)
CLONE_KEYS: Final = (COMMITTED_KEYS - {"format", "repository"}) | {
    "store.path",
    "store.link",
    "store.limit",
}
"""Which key may stand where: a commit does not choose where this machine writes, or how."""
GATES: Final = ("gate.commit", "gate.push", "gate.merge")
LIST_KEYS: Final = frozenset({"fetch.include", "fetch.exclude", *GATES})
ENVIRONMENT: Final = {
    "DVTOOL_REMOTE": "remote",
    "DVTOOL_JOBS": "jobs",
    "DVTOOL_LOCK_TIMEOUT": "lock.timeout",
    "DVTOOL_STORE_PATH": "store.path",
    "DVTOOL_STORE_LINK": "store.link",
}
"""Environment variables, with the key each of them sets."""
MAX_JOBS: Final = 256
DEFAULT_LOCK_TIMEOUT_S: Final = 600.0
BLOCKABLE: Final = frozenset({"fail", "undecided", "warn", "not-judged"})
"""Verdicts that a gate may refuse, as `.dvtool` spells them."""
NOTHING: Final = "none"
DEFAULT_COMMIT_BUDGET_S: Final = 10.0
DEFAULT_LARGE_FILE_BYTES: Final = 5 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, after precedence.

    Attributes:
        repository: Random id of the repository, 32 hex digits; empty before `dvtool init`.
        remote: Name of the remote to use when none is named; None when not set.
        jobs: Parallel transfers, 1 to 256; None leaves it to the machine.
        lock_timeout_s: How long to wait for another dvtool, in seconds.
        store_path: A store shared between clones, absolute or from `~/`; None for the clone's own.
        store_link: How checkout shares bytes with the store: `reflink`, which falls back to a
            copy. The key is there for ways to come.
        store_limit_bytes: Size that `gc --local` keeps the store under; None for no limit.
        fetch_include: Patterns of data sets that `fetch` brings; empty for all.
        fetch_exclude: Patterns of data sets that `fetch` leaves out.
        gates: For each of `GATES` the verdicts that it refuses, as spelt in `BLOCKABLE`.
        commit_budget_s: Seconds that judging may take at a commit; what takes longer waits for
            the push. 0 leaves all of it to the push.
        modified: What a commit does about data changed on disk and not added.
        loosened: What `ci` makes of a change that asks for less than before.
        large_file_bytes: Size from which a file is too large for git itself; 0 for no limit.
        profile_on_add: Whether `add` profiles the tables that it has just stored.
        checkout_auto: What git's checkout and merge do about data that are behind the sidecars.
        remotes: By name, sorted.
        unknown: Keys of `.dvtool` that this version does not know, for `doctor` to report.
    """

    repository: str = ""
    remote: str | None = None
    jobs: int | None = None
    lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S
    store_path: Path | None = None
    store_link: Link = "reflink"
    store_limit_bytes: int | None = None
    fetch_include: tuple[str, ...] = ()
    fetch_exclude: tuple[str, ...] = ()
    gates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    commit_budget_s: float = DEFAULT_COMMIT_BUDGET_S
    modified: Modified = "block"
    loosened: Loosened = "warn"
    large_file_bytes: int = DEFAULT_LARGE_FILE_BYTES
    checkout_auto: AutoCheckout = "true"
    profile_on_add: bool = False
    remotes: Mapping[str, RemoteConfig] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def pick_remote(self, name: str | None = None) -> RemoteConfig:
        """Returns the remote called `name`, or the default one, or the only one there is.

        Raises:
            UsageError: There is none of that name, or no default among several.
        """
        wanted = name or self.remote
        if wanted is None and len(self.remotes) == 1:
            return next(iter(self.remotes.values()))
        if not self.remotes:
            raise UsageError("no remote yet", hint="dvtool remote add origin s3://bucket/prefix")
        known = ", ".join(self.remotes)
        if wanted is None:
            raise UsageError(
                f"several remotes and no default: {known}",
                hint="dvtool remote default NAME, or --remote NAME",
            )
        if wanted not in self.remotes:
            raise UsageError(
                f"no remote named {wanted}, there are: {known}", hint="dvtool remote add"
            )
        return self.remotes[wanted]


def combine(
    committed: Pairs = (),
    clone: Pairs = (),
    *,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    source: str = CONFIG_FILE,
) -> Settings:
    """Returns the settings that hold: option over environment over git config over `.dvtool`.

    A list, such as `fetch.include`, is taken whole from the strongest source that has it; options
    of a remote are combined one by one.

    Args:
        committed: Pairs of `.dvtool`; untrusted.
        clone: Pairs under `dvtool.` in git's configuration, without that prefix.
        environ: Environment variables; only those in `ENVIRONMENT` count, empty ones do not.
        options: From the command line, by key.
        source: What to call `.dvtool` in errors.

    Raises:
        InvalidText: `.dvtool` breaks a rule; names the file and the key.
        UsageError: One of the others does.
    """
    theirs = grouped((key.removeprefix("dvtool."), value) for key, value in committed)
    _check_committed(Layer(source, theirs, committed=True))
    unknown = tuple(sorted(key for key in theirs if not is_known(key, COMMITTED_KEYS)))
    ours = {key: values for key, values in grouped(clone).items() if is_known(key, CLONE_KEYS)}
    here = [
        Layer("option", {key: [value] for key, value in (options or {}).items()}),
        Layer("environment", _from_environment(environ or {})),
        Layer("git config dvtool", ours),
    ]
    commit = Layer(source, {k: v for k, v in theirs.items() if k not in unknown}, committed=True)
    layers = [*here, commit]
    return Settings(
        repository=strongest([commit], "repository", _parse_repository, ""),
        remote=strongest(layers, "remote", _parse_remote_name, None),
        jobs=strongest(layers, "jobs", _parse_jobs, None),
        lock_timeout_s=strongest(layers, "lock.timeout", _parse_seconds, DEFAULT_LOCK_TIMEOUT_S),
        store_path=strongest(here, "store.path", _parse_store_path, None),
        store_link=strongest(here, "store.link", partial(_one_of, Link), "reflink"),
        store_limit_bytes=strongest(here, "store.limit", _parse_bytes, None),
        fetch_include=whole_list(layers, "fetch.include"),
        fetch_exclude=whole_list(layers, "fetch.exclude"),
        gates={gate: _gate(layers, gate) for gate in GATES},
        commit_budget_s=strongest(
            layers, "gate.commit-budget", _parse_seconds, DEFAULT_COMMIT_BUDGET_S
        ),
        modified=strongest(layers, "gate.modified", partial(_one_of, Modified), "block"),
        loosened=strongest(layers, "gate.loosened", partial(_one_of, Loosened), "warn"),
        large_file_bytes=strongest(
            layers, "gate.large-file", _parse_size, DEFAULT_LARGE_FILE_BYTES
        ),
        checkout_auto=strongest(layers, "checkout.auto", partial(_one_of, AutoCheckout), "true"),
        profile_on_add=strongest(layers, "profile.on-add", _parse_boolean, False),
        remotes=remotes_of(commit, here[2]),
        unknown=unknown,
    )


def is_known(key: str, known: frozenset[str]) -> bool:
    """Tells whether `key` is one of `known`, or belongs to a remote."""
    return key in known or REMOTE_KEY.fullmatch(key) is not None


def _check_committed(layer: Layer) -> None:
    """Refuses what no commit may set, known key or not."""
    version = layer.values.get("format", [str(FORMAT_VERSION)])[-1]
    if version != str(FORMAT_VERSION):
        raise InvalidText(
            f"format {version[:20]!r}, this dvtool reads {FORMAT_VERSION}",
            source=layer.source,
            hint="pip install --upgrade dvtool",
        )
    for key, found in layer.values.items():
        remote_key = REMOTE_KEY.fullmatch(key)
        if key in CLONE_KEYS - COMMITTED_KEYS or (remote_key and remote_key[2] == "trusted"):
            hint = f"git config dvtool.{key} VALUE sets it for this clone"
            raise InvalidText(f"{key} cannot be set by a commit", source=layer.source, hint=hint)
        for value in found:
            try:
                check_not_secret(key.rpartition(".")[2], value)
            except InvalidText as error:
                raise layer.refuse(key, error) from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, list[str]]:
    return {key: [environ[name]] for name, key in ENVIRONMENT.items() if environ.get(name)}


def _parse_repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise InvalidText("expected 32 lower-case hex digits")
    return text


def _parse_remote_name(text: str) -> str | None:
    if not is_remote_name(text):
        raise InvalidText("a remote's name is letters, digits, - and _, at most 64")
    return text


def _parse_boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidText(f"expected true or false, found {text[:40]!r}")
    return text == "true"


def _parse_jobs(text: str) -> int | None:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_JOBS:
        raise InvalidText(f"expected a whole number from 1 to {MAX_JOBS}, found {text[:40]!r}")
    return int(text)


def _parse_seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise InvalidText(f"expected seconds as a number, found {text[:40]!r}")
    return float(text)


def _gate(layers: Sequence[Layer], key: str) -> frozenset[str]:
    """Returns what a gate refuses: the words of the strongest layer, `fail` always among them.

    Whoever refuses something milder, such as warnings, means failures too. `none` alone refuses
    nothing.
    """
    for layer in layers:
        if key in layer.values:
            words = " ".join(layer.values[key]).replace(",", " ").split()
            strange = [word for word in words if word not in BLOCKABLE]
            if words == [NOTHING]:
                return frozenset()
            if strange or not words:
                expected = f"expected {NOTHING}, or some of {', '.join(sorted(BLOCKABLE))}"
                found = strange[0][:40] if strange else ""
                raise layer.refuse(key, InvalidText(f"{expected}, found {found!r}"))
            return frozenset({*words, "fail"})
    return frozenset({"fail"})


def _parse_size(text: str) -> int:
    return _parse_bytes(text) or 0


def _parse_bytes(text: str) -> int | None:
    found = re.fullmatch(r"([0-9]{1,15})([kMGT]?)", text)
    if not found:
        raise InvalidText(f"expected bytes, or a number with k, M, G or T, found {text[:40]!r}")
    return int(found[1]) << {"": 0, "k": 10, "M": 20, "G": 30, "T": 40}[found[2]]


def _parse_store_path(text: str) -> Path | None:
    if not text.startswith(("/", "~/")):
        raise InvalidText("expected an absolute path, or one from ~/")
    return Path(text)


def _one_of(words: object, text: str) -> Any:  # noqa: ANN401 the type is that of `words`
    known = get_args(words)
    if text not in known:
        raise InvalidText(f"expected {', '.join(known)}, found {text[:40]!r}")
    return text
