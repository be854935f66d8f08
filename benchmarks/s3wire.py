"""What goes over the wire to the benchmark S3 server: requests, responses, errors, framing.

Shapes only: which operation a request means is decided in `s3api`, and who reads it from a
socket is `s3server`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import gmtime, strftime
from urllib.parse import quote
from xml.sax.saxutils import escape

from s3store import Blob, Listing

KEPT_HEADERS = ("content-type", "content-encoding", "cache-control", "content-disposition")
XML_START = '<?xml version="1.0" encoding="UTF-8"?>'
CHUNK_LINE_BYTES = 256  # a size in hex and a signature of 64 digits need about 100
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its body complete; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: memoryview


@dataclass(frozen=True, slots=True)
class Response:
    """A status, headers, and the body in pieces; `size_bytes` differs from their sum for HEAD only."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    pieces: list[memoryview] = field(default_factory=list)
    size_bytes: int = 0


class Refused(Exception):
    """S3 answers with an error document.

    Args:
        status: The HTTP status.
        code: S3's name of the error.
        condition: The header that forbade the request, where one did; s3fs needs it to tell
            "exists already" from other failed preconditions.
    """

    def __init__(self, status: int, code: str, condition: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.condition = condition

    def document(self) -> Response:
        """Returns the error as S3 writes it."""
        condition = f"<Condition>{self.condition}</Condition>" if self.condition else ""
        return xml(
            f"<Error><Code>{self.code}</Code><Message>{self.code}</Message>{condition}</Error>",
            self.status,
        )


def xml(body: str, status: int = 200) -> Response:
    """Returns a response with an XML document."""
    raw = (XML_START + body).encode()
    return Response(status, (("Content-Type", "application/xml"),), [memoryview(raw)], len(raw))


def listing_document(
    bucket: str, query: Mapping[str, str], page: Listing, objects: Mapping[str, Blob]
) -> Response:
    """Returns one page of a bucket listing, in the version and encoding that the query asks for."""
    encoded = query.get("encoding-type") == "url"
    show = (lambda text: quote(text, safe="/")) if encoded else escape
    rows = []
    for name in page.keys:
        blob = objects[name]
        stamp = strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(blob.modified_s))
        rows.append(
            f"<Contents><Key>{show(name)}</Key><LastModified>{stamp}</LastModified><ETag>{escape(blob.etag)}</ETag>"
            f"<Size>{blob.size_bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    rows += [
        f"<CommonPrefixes><Prefix>{show(name)}</Prefix></CommonPrefixes>" for name in page.prefixes
    ]
    if page.next_after is not None:
        # Clients decode a marker as they decode keys; a continuation token is opaque to them.
        if "list-type" in query:
            rows.append(f"<NextContinuationToken>{escape(page.next_after)}</NextContinuationToken>")
        else:
            rows.append(f"<NextMarker>{show(page.next_after)}</NextMarker>")
    if encoded:
        rows.append("<EncodingType>url</EncodingType>")
    return xml(
        f"<ListBucketResult {NAMESPACE}><Name>{escape(bucket)}</Name><Prefix>{show(query.get('prefix', ''))}</Prefix>"
        f"<KeyCount>{len(page.keys) + len(page.prefixes)}</KeyCount>"
        f"<IsTruncated>{str(page.next_after is not None).lower()}</IsTruncated>{''.join(rows)}</ListBucketResult>"
    )


def unchunk(body: memoryview) -> memoryview:
    """Returns the payload of an aws-chunked body, moved together in place.

    Chunk signatures and trailing checksums are dropped, unverified.
    """
    position = filled = 0
    while position < len(body):
        line = bytes(body[position : position + CHUNK_LINE_BYTES]).split(b"\r\n", 1)[0]
        size = int(line.split(b";")[0], 16)
        if size == 0:
            break
        start = position + len(line) + 2
        body[filled : filled + size] = body[start : start + size]
        filled += size
        position = start + size + 2
    return body[:filled]


def payload(request: Request) -> memoryview:
    """Returns the body as the client meant it, decoding aws-chunked framing."""
    streaming = request.headers.get("x-amz-content-sha256", "").startswith("STREAMING")
    framed = streaming or "aws-chunked" in request.headers.get("content-encoding", "")
    return unchunk(request.body) if framed else request.body


def kept_headers(request: Request) -> tuple[tuple[str, str], ...]:
    """Returns the headers that S3 gives back with the object."""
    return tuple(
        (name, value.replace("aws-chunked,", "").replace("aws-chunked", "").strip())
        for name, value in request.headers.items()
        if (name in KEPT_HEADERS and value != "aws-chunked")
        or name.startswith("x-amz-meta-")
        or (name.startswith("x-amz-checksum-") and "algorithm" not in name)
    )
