"""What errors of foreign libraries mean: gone, taken, refused, passing, or none of these.

Google's, Azure's and SSH's libraries each have a tree of errors of their own, and some raise
`OSError` for everything. Here they are told apart by status, number and name, without importing
any of them; what is raised instead is decided by the backends, which call this.
"""

from __future__ import annotations

import errno
from typing import Final, Literal

Kind = Literal["missing", "taken", "past-the-end", "denied", "untrusted", "temporary", "failed"]
"""`taken`: an object of that name exists. `untrusted`: we do not believe the server who it is."""

CREDENTIALS_HINT: Final = "check the credentials and what they may do"
CERTIFICATE_HINT: Final = "the server's certificate or host key is not trusted here: check the address, see docs/howto/remotes.md"

_STATUSES: Final[dict[int, Kind]] = {
    401: "denied",
    403: "denied",
    404: "missing",
    408: "temporary",
    412: "taken",
    416: "past-the-end",
    425: "temporary",
    429: "temporary",
}
_NUMBERS: Final = frozenset(
    {errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT, errno.EPIPE, errno.ECONNRESET}
    | {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNABORTED}
)
_NAMES: Final[dict[str, Kind]] = {
    # Of a name that comes first in a class's ancestry, the first counts.
    "FileNotFoundError": "missing",
    "SFTPNoSuchFile": "missing",
    "FileExistsError": "taken",
    "PermissionError": "denied",
    "ClientAuthenticationError": "denied",
    "DefaultCredentialsError": "denied",
    "PermissionDenied": "denied",
    "SFTPPermissionDenied": "denied",
    "KeyImportError": "denied",
    "HostKeyNotVerifiable": "untrusted",
    "ClientSSLError": "untrusted",
    "SSLError": "untrusted",
    "TimeoutError": "temporary",
    "ConnectionError": "temporary",
    "RequestException": "temporary",
    "ClientError": "temporary",
    "TransportError": "temporary",
    "ServiceRequestError": "temporary",
    "ServiceResponseError": "temporary",
    "IncompleteReadError": "temporary",
    "ChecksumError": "temporary",
    "DisconnectError": "temporary",
    "SFTPConnectionLost": "temporary",
    "SFTPNoConnection": "temporary",
    "ChannelOpenError": "temporary",
}


def kind_of(error: BaseException) -> Kind:
    """Returns what an error of a foreign library means for us."""
    status = _status_of(error)
    if status is not None:
        return "temporary" if status >= 500 else _STATUSES.get(status, "failed")
    for ancestor in type(error).__mro__:
        if kind := _NAMES.get(ancestor.__name__):
            return kind
    if isinstance(error, OSError):
        if str(error).startswith("Forbidden"):  # what gcsfs makes of a status 403
            return "denied"
        if error.errno is None or error.errno in _NUMBERS:
            return "temporary"
    return "failed"


def _status_of(error: BaseException) -> int | None:
    """Returns the HTTP status that an error carries: azure, gcsfs and aiohttp each name it."""
    for name in ("status_code", "status", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 400 <= value < 600:
            return value
        if isinstance(value, str) and value.isdecimal() and len(value) == 3:
            return int(value)
    return None
