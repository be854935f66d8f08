"""DVC's configuration: which caches and remotes a work tree has, of the machine, the person and itself.

Only what tells where bytes are is read, and where fsspec takes what DVC calls otherwise. Called by
`dvtool.ops.migrate.dvc` and `export`.
"""

from __future__ import annotations

import configparser
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dvtool.errors import InvalidText, RemoteFailed
from dvtool.ops.migrate.places import Folder, Place, Remote, Unread

_OPTIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    # DVC's name of an option: where fsspec's file system of that protocol takes it.
    "s3": {
        "endpointurl": ("endpoint_url",),
        "access_key_id": ("key",),
        "secret_access_key": ("secret",),
        "session_token": ("token",),
        "profile": ("profile",),
        "region": ("client_kwargs", "region_name"),
        "use_ssl": ("use_ssl",),
        "ssl_verify": ("client_kwargs", "verify"),
        "allow_anonymous_login": ("anon",),
    },
    "gs": {"projectname": ("project",), "credentialpath": ("token",)},
    "azure": {
        "account_name": ("account_name",),
        "account_key": ("account_key",),
        "connection_string": ("connection_string",),
        "sas_token": ("sas_token",),
    },
    "http": {},
    "https": {},
}
_YES: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(slots=True)
class _Config:
    """DVC's settings: of the machine, the person, the repository and the clone, in this order."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Adds what a file says; addresses in it are relative to its folder."""
        parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidText(f"cannot be read: {error}", source=str(path)) from error
        try:
            # configobj, with which DVC writes it, indents; configparser would take that for a
            # value that goes on.
            parser.read_string("\n".join(line.strip() for line in text.splitlines()))
        except configparser.Error as error:
            raise InvalidText(
                "not DVC's configuration", source=str(path), hint="dvc config --list"
            ) from error
        for section in parser.sections():
            for key, value in parser.items(section):
                self.values[_section(section), key] = self._absolute(path, key, value.strip("'\""))

    def _absolute(self, path: Path, key: str, value: str) -> str:
        is_place = key in ("url", "dir")
        if is_place and "://" not in value and not os.path.isabs(os.path.expanduser(value)):
            return os.path.normpath(path.parent / value)
        return os.path.expanduser(value) if is_place and "://" not in value else value

    def of(self, section: str) -> dict[str, str]:
        """Returns the settings of one section."""
        return {key: value for (name, key), value in self.values.items() if name == section}


def _section(raw: str) -> str:
    # `['remote "origin"']` and `[remote "origin"]` are the same.
    return raw.strip().strip("'").replace('"', "").strip()


def dvc_places(
    top: Path,
    folders: Sequence[str],
    *,
    environ: Mapping[str, str],
    remote_names: Sequence[str] = (),
) -> list[Place]:
    """Returns the caches and remotes of DVC's projects in a work tree, caches first.

    Args:
        top: The work tree's top.
        folders: Folders below it that hold a `.dvc` folder; empty text for the top.
        environ: Where the person's own configuration may be named.
        remote_names: Only these remotes; all that are configured when empty.

    Raises:
        InvalidText: A configuration is not in DVC's syntax.
        RemoteFailed: A remote that was named is not configured, or of a kind that is not read.
    """
    caches: dict[str, Place] = {}
    remotes: dict[str, Place] = {}
    known: set[str] = set()
    for folder in folders:
        config = _read_config(top / folder / ".dvc", environ)
        cache = config.of("cache").get("dir") or str(top / folder / ".dvc" / "cache")
        caches[cache] = Folder(Path(cache), f"the cache {_short(cache, top)}")
        for name, place in _remotes(config, remote_names):
            known.add(name)
            remotes.setdefault(f"{name} {place.label}", place)
    for name in remote_names:
        if name not in known:
            raise RemoteFailed(f"DVC has no remote {name} here", hint="dvc remote list")
    return [*caches.values(), *remotes.values()]


def cache_folder(top: Path, environ: Mapping[str, str]) -> Path | None:
    """Returns where DVC's cache is, or would be; None when DVC is not set up at the top."""
    if not (top / ".dvc").is_dir():
        return None
    named = _read_config(top / ".dvc", environ).of("cache").get("dir")
    return Path(named) if named else top / ".dvc" / "cache"


def _read_config(folder: Path, environ: Mapping[str, str]) -> _Config:
    home = environ.get("HOME") or "/"
    config = _Config()
    config.read(Path(environ.get("DVC_SYSTEM_CONFIG_DIR") or "/etc/xdg/dvc") / "config")
    user = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    config.read(Path(environ.get("DVC_GLOBAL_CONFIG_DIR") or os.path.join(user, "dvc")) / "config")
    config.read(folder / "config")
    config.read(folder / "config.local")
    return config


def _remotes(config: _Config, only: Sequence[str]) -> Iterator[tuple[str, Place]]:
    names = dict.fromkeys(
        section.removeprefix("remote ")
        for section, _ in config.values
        if section.startswith("remote ")
    )
    default = config.of("core").get("remote", "")
    for name in sorted(names, key=lambda one: (one != default, one)):
        if not only or name in only:
            yield name, _remote(config, name)


def _remote(config: _Config, name: str, depth: int = 0) -> Place:
    values = config.of(f"remote {name}")
    url = values.get("url", "")
    label = f"DVC's remote {name} ({url})"
    protocol, separator, rest = url.partition("://")
    if not url:
        raise InvalidText(f"DVC's remote {name} has no url")
    if not separator or protocol == "file":
        return Folder(Path(rest if separator else url), label)
    if protocol == "remote" and depth < 8:
        other, _, below = rest.partition("/")
        base = _remote(config, other, depth + 1)
        if isinstance(base, Folder):
            return Folder(base.root / below, label)
        assert isinstance(base, Remote)
        options = {**base.options, **_options(base.protocol, values)}
        return Remote(base.protocol, posixpath.join(base.root, below), label, options)
    if protocol not in _OPTIONS:
        return Unread(label)
    root = url if protocol.startswith("http") else rest
    fs_protocol = "abfs" if protocol == "azure" else protocol
    return Remote(fs_protocol, root.rstrip("/"), label, _options(protocol, values))


def _options(protocol: str, values: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for key, where in _OPTIONS["azure" if protocol == "abfs" else protocol].items():
        if key in values:
            value: Any = _YES.get(values[key].lower(), values[key])
            target = options
            for part in where[:-1]:
                target = target.setdefault(part, {})
            target[where[-1]] = value
    return options


def _short(path: str, top: Path) -> str:
    relative = os.path.relpath(path, top)
    return path if relative.startswith("..") else relative
