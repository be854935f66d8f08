"""Keeping credentials out of every text that leaves this package.

Here is the one function that removes them from URLs and messages. Backends pass every message of
a foreign library through it before they raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

HIDDEN: Final = "***"
_SECRET_NAME: Final = re.compile(
    r"secret|token|passw|passphrase|credential|signature|sas|key$|account_key|connection_string|^key",
    re.IGNORECASE,
)
_USERINFO: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^/\s?#]*)@")
_QUERY: Final = re.compile(
    r"(?P<name>(?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId"
    r"|access_token|sig|token|AccountKey|SharedAccessSignature)=)[^&;\s\"']+",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(r"(?P<name>\b(?:Bearer|Basic|AWS4-HMAC-SHA256)\s)[^\n]+")
_ACCESS_KEY: Final = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")

_PART: Final = re.compile(r"(?:AccountKey|SharedAccessSignature)=([^;]+)", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Returns `text` without credentials.

    Removes user and password of URLs (a user alone stays, as in `ssh://me@host`), signatures in
    queries, authorisation headers, Amazon key ids, and every one of `secrets`.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, HIDDEN)
    text = _USERINFO.sub(_hide_password, text)
    text = _QUERY.sub(rf"\g<name>{HIDDEN}", text)
    text = _HEADER.sub(rf"\g<name>{HIDDEN}", text)
    return _ACCESS_KEY.sub(HIDDEN, text)


def _hide_password(match: re.Match[str]) -> str:
    user = match["user"]
    if ":" in user:
        return f"{match['scheme']}{HIDDEN}@"
    return match[0]


def secrets_of(options: Mapping[str, object]) -> frozenset[str]:
    """Returns every text in `options`, at any depth, that stands under the name of a secret."""
    found: set[str] = set()
    for name, value in options.items():
        if isinstance(value, Mapping):
            found |= secrets_of(value)
        elif isinstance(value, str) and _SECRET_NAME.search(name):
            found.add(value)
            found.update(_PART.findall(value))
    return frozenset(found)
