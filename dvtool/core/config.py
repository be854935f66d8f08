"""Settings: what `.dvtool`, git's configuration, the environment and options add up to.

Pure rules over key-value pairs: precedence, types, and what a commit may not set. Reading the
pairs is `dvtool.git.settings`; addresses and options of remotes are `dvtool.core.remoteurl`. A key
is written as in `.dvtool`, such as `remote.origin.url`; keys without a section stand under
`[dvtool]` there. Spec: docs/format.md#dvtool.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

from dvtool.core.remoteurl import (
    OptionValue,
    check_endpoint,
    check_not_secret,
    check_url,
    parse_option,
    protocol_of,
)
from dvtool.errors import InvalidText, UsageError

FORMAT_VERSION: Final = 1
CONFIG_FILE: Final = ".dvtool"
Link = Literal["copy", "reflink", "hardlink"]
Pairs = Iterable[tuple[str, str]]
"""Keys in lower case but for subsections, with their values, in the order of the file."""
_T = TypeVar("_T")

REMOTE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_REMOTE_KEY = re.compile(r"remote\.(.+)\.([a-z-]+)", re.DOTALL)
_REMOTE_KEYS: Final = frozenset({"url", "endpoint-url", "option", "trusted"})
_REPOSITORY = re.compile(r"[0-9a-f]{32}")
# Which key may stand where: a commit may not choose where this machine writes.
COMMITTED_KEYS: Final = frozenset(
    {"format", "repository", "remote", "jobs", "lock.timeout", "fetch.include", "fetch.exclude"}
)
CLONE_KEYS: Final = frozenset(
    {"remote", "jobs", "lock.timeout", "fetch.include", "fetch.exclude", "store.path", "store.link"}
)
LIST_KEYS: Final = frozenset({"fetch.include", "fetch.exclude", "option"})
ENVIRONMENT: Final = {
    "DVTOOL_REMOTE": "remote",
    "DVTOOL_JOBS": "jobs",
    "DVTOOL_LOCK_TIMEOUT": "lock.timeout",
    "DVTOOL_STORE_PATH": "store.path",
    "DVTOOL_STORE_LINK": "store.link",
}
"""Environment variables, with the key each of them sets."""
MAX_JOBS: Final = 256


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """One remote, as all sources together describe it.

    Attributes:
        name: As in `[remote "origin"]`.
        url: A checked URL.
        endpoint_url: Address of the service, None for the protocol's own.
        options: Further options, typed; a dot in a name leads into a nested mapping.
        committed: The raw pairs that came with the commit, sorted; what trust is about. Empty
            when the whole remote was set up on this machine.
    """

    name: str
    url: str
    endpoint_url: str | None = None
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    committed: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        # Options may hold secrets of this clone, and a repr ends up in logs.
        return f"RemoteConfig(name={self.name!r}, url={self.url!r}, options={sorted(self.options)})"

    @property
    def protocol(self) -> str:
        """The part of the URL before `://`."""
        return protocol_of(self.url)

    def storage_options(self) -> dict[str, object]:
        """Returns the options as nested mappings, the endpoint among them, as fsspec takes them."""
        nested: dict[str, object] = {}
        for name, value in self.options.items():
            *groups, last = name.split(".")
            here = nested
            for group in groups:
                inner = here.setdefault(group, {})
                assert isinstance(inner, dict)
                here = inner
            here[last] = value
        if self.endpoint_url is not None:
            nested["endpoint_url"] = self.endpoint_url
        return nested


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, after precedence.

    Attributes:
        repository: Random id of the repository, None before `dvtool init`.
        remote: Name of the default remote; the only remote there is when none is named.
        jobs: Parallel transfers, 1 to 256; None leaves it to the machine.
        lock_timeout_s: How long to wait for another dvtool, in seconds.
        store_path: A store shared between clones; None for the clone's own.
        store_link: How checkout may share bytes with the store; `reflink` falls back to a copy.
        fetch_include: Patterns of data sets that `fetch` brings; empty for all.
        fetch_exclude: Patterns of data sets that `fetch` leaves out.
        remotes: By name, sorted.
        trusted: Fingerprints of remotes approved in this clone, by name.
        unknown: Keys of `.dvtool` that this version does not know, for `doctor` to report.
    """

    repository: str | None = None
    remote: str | None = None
    jobs: int | None = None
    lock_timeout_s: float = 600.0
    store_path: Path | None = None
    store_link: Link = "reflink"
    fetch_include: tuple[str, ...] = ()
    fetch_exclude: tuple[str, ...] = ()
    remotes: Mapping[str, RemoteConfig] = field(default_factory=dict)
    trusted: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def pick_remote(self, name: str | None = None) -> RemoteConfig:
        """Returns the remote called `name`, or the default one.

        Raises:
            UsageError: There is none of that name, or no default among several.
        """
        wanted = name or self.remote
        if wanted is None and len(self.remotes) == 1:
            return next(iter(self.remotes.values()))
        if wanted is None and not self.remotes:
            raise UsageError(
                "no remote is set up", hint="dvtool remote add origin s3://bucket/prefix"
            )
        known = ", ".join(self.remotes) or "none"
        if wanted is None:
            raise UsageError(
                f"several remotes and no default: {known}", hint="dvtool remote default NAME"
            )
        if wanted not in self.remotes:
            raise UsageError(
                f"no remote called {wanted!r}; there is: {known}", hint="dvtool remote list"
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
    theirs = _grouped(committed)
    _check_committed(theirs, source)
    unknown = tuple(sorted(key for key in theirs if not _is_known(key, COMMITTED_KEYS)))
    ours = {key: values for key, values in _grouped(clone).items() if _is_known(key, CLONE_KEYS)}
    layers = [
        _Layer("option", {key: [value] for key, value in (options or {}).items()}),
        _Layer("environment", _from_environment(environ or {})),
        _Layer("git config dvtool", ours),
        _Layer(source, {key: v for key, v in theirs.items() if key not in unknown}, committed=True),
    ]
    return Settings(
        repository=_last(layers[3:], "repository", _parse_repository),
        remote=_last(layers, "remote", _parse_remote_name),
        jobs=_last(layers, "jobs", _parse_jobs),
        lock_timeout_s=_last(layers, "lock.timeout", _parse_seconds, 600.0),
        store_path=_last(layers[:3], "store.path", _parse_store_path),
        store_link=_last(layers[:3], "store.link", _parse_link, "reflink"),
        fetch_include=_list(layers, "fetch.include"),
        fetch_exclude=_list(layers, "fetch.exclude"),
        remotes=_remotes(layers[3], layers[2]),
        trusted=_trusted(ours),
        unknown=unknown,
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """One source of settings."""

    source: str
    values: Mapping[str, list[str]]
    committed: bool = False

    def refuse(self, key: str, error: InvalidText) -> InvalidText | UsageError:
        message = f"{key}: {error.message}"
        if self.committed:
            return InvalidText(message, source=self.source, hint=error.hint)
        return UsageError(f"{self.source} {message}", hint=error.hint)


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key.removeprefix("dvtool."), []).append(value)
    return values


def _is_known(key: str, known: frozenset[str]) -> bool:
    match = _REMOTE_KEY.fullmatch(key)
    return match[2] in _REMOTE_KEYS if match else key in known


def _check_committed(values: Mapping[str, list[str]], source: str) -> None:
    """Refuses what no commit may set, known key or not."""
    layer = _Layer(source, values, committed=True)
    version = values.get("format", [str(FORMAT_VERSION)])[-1]
    if version != str(FORMAT_VERSION):
        hint = "pip install --upgrade dvtool"
        raise InvalidText(f"format {version[:20]}, this dvtool reads 1", source=source, hint=hint)
    for key, found in values.items():
        name = key.rpartition(".")[2]
        if key in CLONE_KEYS - COMMITTED_KEYS or (name == "trusted" and key.startswith("remote.")):
            hint = f"git config dvtool.{key} VALUE sets it for this clone"
            raise InvalidText(f"{key} cannot be set by a commit", source=source, hint=hint)
        for value in found:
            try:
                check_not_secret(name, value)
            except InvalidText as error:
                raise layer.refuse(key, error) from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, list[str]]:
    return {key: [environ[name]] for name, key in ENVIRONMENT.items() if environ.get(name)}


def _last(
    layers: Iterable[_Layer], key: str, parse: Callable[[str], _T], default: _T | None = None
) -> _T:
    for layer in layers:
        if key in layer.values:
            try:
                return parse(layer.values[key][-1])
            except InvalidText as error:
                raise layer.refuse(key, error) from None
    return default  # type: ignore[return-value]


def _list(layers: Iterable[_Layer], key: str) -> tuple[str, ...]:
    for layer in layers:
        if key in layer.values:
            return tuple(value for value in layer.values[key] if value)
    return ()


def _remotes(theirs: _Layer, ours: _Layer) -> dict[str, RemoteConfig]:
    names = {
        (match[1], layer.committed): layer
        for layer in (theirs, ours)
        for key in layer.values
        if (match := _REMOTE_KEY.fullmatch(key))
    }
    for (name, _), layer in names.items():
        if not REMOTE_NAME.fullmatch(name):
            error = InvalidText("a remote's name is letters, digits, - and _, at most 64")
            raise layer.refuse(f"remote.{name[:80]}", error)
    found = (_remote(name, theirs, ours) for name in sorted({name for name, _ in names}))
    return {remote.name: remote for remote in found if remote is not None}


def _remote(name: str, theirs: _Layer, ours: _Layer) -> RemoteConfig | None:
    """Returns the remote, or None when only a trace of it is left, such as its old approval."""
    prefix = f"remote.{name}."
    layers = (ours, theirs)
    url = _last(layers, f"{prefix}url", lambda text: _checked(text, check_url), "")
    endpoint = _last(
        layers, f"{prefix}endpoint-url", lambda text: _checked(text, check_endpoint), ""
    )
    if not url:
        if any(key.startswith(prefix) for key in theirs.values):
            raise theirs.refuse(f"{prefix}url", InvalidText("the remote has no URL"))
        return None
    options: dict[str, OptionValue] = {}
    for layer in (theirs, ours):
        for text in layer.values.get(f"{prefix}option", []):
            try:
                option, value = parse_option(protocol_of(url), text, committed=layer.committed)
            except InvalidText as error:
                raise layer.refuse(f"{prefix}option", error) from None
            options[option] = value
    committed = tuple(
        sorted(
            (key.removeprefix(prefix), value)
            for key, values in theirs.values.items()
            if key.startswith(prefix)
            for value in values
        )
    )
    return RemoteConfig(name, url, endpoint or None, options, committed)


def _checked(text: str, check: Callable[[str], None]) -> str:
    check(text)
    return text


def _trusted(clone: Mapping[str, list[str]]) -> dict[str, str]:
    matches = ((_REMOTE_KEY.fullmatch(key), values[-1]) for key, values in clone.items())
    return {match[1]: value for match, value in matches if match and match[2] == "trusted"}


def _parse_repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise InvalidText("expected 32 lower-case hex digits")
    return text


def _parse_remote_name(text: str) -> str:
    if not REMOTE_NAME.fullmatch(text):
        raise InvalidText("a remote's name is letters, digits, - and _, at most 64")
    return text


def _parse_jobs(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_JOBS:
        raise InvalidText(f"expected a whole number from 1 to {MAX_JOBS}, found {text[:40]!r}")
    return int(text)


def _parse_seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        raise InvalidText(f"expected seconds as a number, found {text[:40]!r}")
    return float(text)


def _parse_store_path(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        raise InvalidText("expected an absolute path")
    return path


def _parse_link(text: str) -> Link:
    if text == "copy" or text == "reflink" or text == "hardlink":  # noqa: PLR1714  narrows the type
        return text
    raise InvalidText(f"expected copy, reflink or hardlink, found {text[:40]!r}")
