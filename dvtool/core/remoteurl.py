"""Where a remote may be: URLs, and the options each protocol takes, with their types.

These are the rules for text that came with a commit, so they are allow-lists: what is not named
here is refused, and what could be a secret is refused without being repeated. How settings combine
is `dvtool.core.config`; opening a remote is `dvtool.store`. Called by both and by `remote add`.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from dvtool.errors import InvalidText

OptionValue = str | int | bool
OptionType = Literal["text", "number", "flag"]

PROTOCOLS: Final = frozenset({"file", "s3", "gs", "gcs", "az", "abfs", "ssh", "sftp", "memory"})
_S3: Final[dict[str, OptionType]] = {
    "anon": "flag",
    "profile": "text",
    "requester_pays": "flag",
    "use_ssl": "flag",
    "client_kwargs.region_name": "text",
    "config_kwargs.connect_timeout": "number",
    "config_kwargs.read_timeout": "number",
    "config_kwargs.max_pool_connections": "number",
    "config_kwargs.signature_version": "text",
    "config_kwargs.s3.addressing_style": "text",
    "s3_additional_kwargs.ServerSideEncryption": "text",
    "s3_additional_kwargs.SSEKMSKeyId": "text",
    "s3_additional_kwargs.StorageClass": "text",
}
_GS: Final[dict[str, OptionType]] = {
    "project": "text",
    "requester_pays": "flag",
    "default_location": "text",
}
_AZ: Final[dict[str, OptionType]] = {
    "account_name": "text",
    "anon": "flag",
    "client_id": "text",
    "tenant_id": "text",
}
_SSH: Final[dict[str, OptionType]] = {"port": "number"}
COMMITTED_OPTIONS: Final[dict[str, dict[str, OptionType]]] = {
    "file": {},
    "memory": {},
    "s3": _S3,
    "gs": _GS,
    "gcs": _GS,
    "az": _AZ,
    "abfs": _AZ,
    "ssh": _SSH,
    "sftp": _SSH,
}
"""Options a commit may set, by protocol; a dot leads into a nested mapping."""
CLONE_OPTIONS: Final[dict[str, dict[str, OptionType]]] = {
    "file": {},
    "memory": {},
    "s3": {"key": "text", "secret": "text", "token": "text", "client_kwargs.verify": "flag"},
    "gs": {"token": "text"},
    "gcs": {"token": "text"},
    "az": {
        "account_key": "text",
        "sas_token": "text",
        "connection_string": "text",
        "client_secret": "text",
    },
    "abfs": {
        "account_key": "text",
        "sas_token": "text",
        "connection_string": "text",
        "client_secret": "text",
    },
    "ssh": {"username": "text", "password": "text", "passphrase": "text", "client_keys": "text"},
    "sftp": {"username": "text", "password": "text", "passphrase": "text", "client_keys": "text"},
}
"""Further options for git's own configuration only: secrets, and what weakens a connection."""

# Patterns are compiled when they are first needed: most commands know no remote.
_URL = r"(?s)([a-z][a-z0-9]*)://(.*)"
_AUTHORITY = r"(?:([A-Za-z0-9._][A-Za-z0-9._-]*)@)?([A-Za-z0-9._][A-Za-z0-9._-]*)(:[0-9]{1,5})?"
_ENDPOINT = r"https?://(?:[A-Za-z0-9._][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
_GUARDED_NAME = (
    r"(?i)secret|passw|passphrase|pwd|token|credential|signature|connection.?string|session"
    r"|(?:^|[._-])(?:sas|key|private)(?:$|[._-])|(?:access|account|api|private|client|shared)[._-]?keys?"
)
# AWS key ids, Google API keys and PEM blocks: what people paste by mistake.
# What signed links of the large services carry: none of it is of use without the rest.
_SIGNED = r"(?i)^x-(?:amz|goog)-|^(?:sig|sp|sv|se|sr|st|spr|awsaccesskeyid|apikey|auth|authorization|jwt)$"
_GUARDED_VALUE = r"(?i)\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}|-----BEGIN|AccountKey=|[?&;](?:sig|X-Amz-Signature)="
_NUMBER = r"[0-9]{1,9}"
_FLAGS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_MAX_URL = 2048


def protocol_of(url: str) -> str:
    """Returns the protocol of a checked URL; `file` for a path."""
    return url.partition("://")[0] if "://" in url else "file"


def check_url(url: str) -> None:
    """Checks that `url` is a place dvtool may be sent to, and nothing else.

    A text without `://` is a path, absolute or relative to the top of the work tree.

    Raises:
        InvalidText: The protocol is not allowed, protocols are chained, or it holds a user, a
            password, a query or control characters. The message never repeats a password.
    """
    match = re.fullmatch(_URL, url)
    if "::" in url:
        raise InvalidText("chained protocols (::) are not allowed in a remote's URL")
    if "://" not in url:
        _check_path(url)
        return
    if match is None or match[1] not in PROTOCOLS:
        allowed = ", ".join(f"{name}://" for name in sorted(PROTOCOLS))
        found = f"{match[1]}://" if match else "none"
        raise InvalidText(f"expected a URL with one of the protocols {allowed}; found {found}")
    if len(url) > _MAX_URL or not url.isprintable():
        raise InvalidText("a remote's URL has at most 2048 characters, all of them printable")
    protocol, rest = match[1], match[2]
    if protocol == "file":
        _check_file(rest)
    else:
        _check_authority(protocol, rest)


def _check_path(path: str) -> None:
    if not path or len(path) > _MAX_URL or not path.isprintable() or path[0] in "-~":
        raise InvalidText("a path is printable, not empty, and begins with neither - nor ~")
    if ":" in path.partition("/")[0]:
        raise InvalidText("expected protocol:// or a path; a path with a colon begins with ./")


def _check_file(path: str) -> None:
    if not path.startswith("/") or path.startswith("//"):
        raise InvalidText("a file:// URL names an absolute path: file:///folder")
    if ".." in path.split("/"):
        raise InvalidText("a file:// URL has no .. in its path")


def _check_authority(protocol: str, rest: str) -> None:
    authority, _, path = rest.partition("/")
    if any(mark in rest for mark in "?#"):
        raise InvalidText("a remote's URL has no ? or #: signed links and queries stay out of it")
    # Storage URLs name a container only; `abfs://container@account` is written with account_name.
    may_have_user = protocol in ("ssh", "sftp")
    if "@" in authority and not (may_have_user and ":" not in authority.partition("@")[0]):
        raise InvalidText(
            "a remote's URL holds no user or password",
            hint="credentials come from the protocol's usual chain, or from git config dvtool.remote.<name>.option",
        )
    if not re.fullmatch(_AUTHORITY, authority) and not (protocol == "memory" and not authority):
        raise InvalidText(f"expected {protocol}:// and a name of letters, digits, dots and dashes")
    if ".." in path.split("/"):
        raise InvalidText("a remote's URL has no .. in its path")


def check_endpoint(url: str) -> None:
    """Checks the address of a service that speaks S3's, Google's or Azure's protocol.

    Raises:
        InvalidText: It is not plain `http(s)://host[:port][/path]`.
    """
    if len(url) > _MAX_URL or not re.fullmatch(_ENDPOINT, url) or ".." in url.split("/"):
        raise InvalidText("an endpoint is http(s)://host[:port][/path] with no user and no query")


def parse_option(protocol: str, text: str, *, committed: bool) -> tuple[str, OptionValue]:
    """Returns name and typed value of one `name=value` option of a remote.

    Args:
        protocol: Of the remote's URL.
        text: As written in the configuration.
        committed: It came with a commit, so it may not be a secret or weaken the connection.

    Raises:
        InvalidText: No such option, or a value of another type; secrets are never repeated.
    """
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not equals:
        raise InvalidText("an option is written name=value")
    if committed:
        check_not_secret(name, value)
    known = COMMITTED_OPTIONS[protocol]
    if not committed:
        known = known | CLONE_OPTIONS[protocol]
    kind = known.get(name)
    if kind is None:
        allowed = ", ".join(sorted(known)) or "none"
        raise InvalidText(
            f"option {name[:80]!r} is not known for {protocol}://; allowed: {allowed}"
        )
    return name, _typed(name, value, kind)


def _typed(name: str, value: str, kind: OptionType) -> OptionValue:
    if kind == "number":
        if not re.fullmatch(_NUMBER, value):
            raise InvalidText(f"option {name} is a whole number")
        return int(value)
    if kind == "flag":
        return parse_flag(name, value)
    if not value or not value.isprintable():
        raise InvalidText(f"option {name} is printable text, not empty")
    return value


def parse_flag(name: str, value: str) -> bool:
    """Returns a yes-or-no setting as git spells them.

    Raises:
        InvalidText: It is neither.
    """
    flag = _FLAGS.get(value.lower())
    if flag is None:
        raise InvalidText(f"{name} is true or false")
    return flag


def check_not_secret(name: str, value: str) -> None:
    """Checks that a committed setting neither has a secret's name nor looks like one.

    Raises:
        InvalidText: It does; the value is not repeated.
    """
    if re.search(_GUARDED_NAME, name) and name != "s3_additional_kwargs.SSEKMSKeyId":
        raise InvalidText(
            f"{name[:80]!r} looks like a secret, which a committed file may not hold",
            hint="take it out of the file, replace the credential if it was ever pushed, and "
            "set it for this clone with git config",
        )
    if re.search(_GUARDED_VALUE, value):
        raise InvalidText(
            f"the value of {name[:80]!r} looks like a credential, which a committed file may not hold",
            hint="take it out of the file and replace the credential if it was ever pushed",
        )


def is_secret(name: str, value: str) -> bool:
    """Tells whether a setting, or a part of a URL's query, is named like a secret or looks like one."""
    named = re.search(_GUARDED_NAME, name) or re.search(_SIGNED, name)
    return bool(named or re.search(_GUARDED_VALUE, f"?{name}={value}"))
