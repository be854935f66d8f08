"""The S3 operations of the benchmark server: a parsed request in, a response out.

One method an operation. Which of them a request means is told by `s3routes`, what requests,
responses and XML look like by `s3wire`. There is no authentication: checking signatures would cost
the server time that belongs to nobody's measurement.
"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import unquote
from xml.sax.saxutils import escape

from s3store import Blob, Bucket, Upload, composite_blob, single_blob
from s3wire import (
    NAMESPACE,
    Refused,
    Request,
    Response,
    kept_headers,
    listing_document,
    payload,
    xml,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its address taken apart; `bucket` and `key` are empty where absent."""

    request: Request
    query: dict[str, str]
    bucket: str
    key: str


class S3:
    """All buckets, and counters of what was asked since the last reset."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.operations: Counter[str] = Counter()
        self._upload_ids = itertools.count(1)

    def _at(self, bucket: str) -> Bucket:
        if bucket not in self.buckets:
            raise Refused(404, "NoSuchBucket")
        return self.buckets[bucket]

    def _blob(self, bucket: str, key: str) -> Blob:
        blob = self._at(bucket).objects.get(key)
        if blob is None:
            raise Refused(404, "NoSuchKey")
        return blob

    def list_buckets(self, call: Call) -> Response:
        """GET /."""
        names = "".join(
            f"<Bucket><Name>{escape(name)}</Name></Bucket>" for name in sorted(self.buckets)
        )
        return xml(
            f"<ListAllMyBucketsResult {NAMESPACE}><Buckets>{names}</Buckets></ListAllMyBucketsResult>"
        )

    def create_bucket(self, call: Call) -> Response:
        """PUT /bucket."""
        self.buckets.setdefault(call.bucket, Bucket())
        return Response(200)

    def delete_bucket(self, call: Call) -> Response:
        """DELETE /bucket, with its objects: the harness cleans up in one request."""
        self.buckets.pop(call.bucket, None)
        return Response(204)

    def head_bucket(self, call: Call) -> Response:
        """HEAD /bucket."""
        self._at(call.bucket)
        return Response(200)

    def get_bucket_location(self, call: Call) -> Response:
        """GET /bucket?location."""
        self._at(call.bucket)
        return xml(f"<LocationConstraint {NAMESPACE}/>")

    def list_multipart_uploads(self, call: Call) -> Response:
        """GET /bucket?uploads."""
        rows = "".join(
            f"<Upload><Key>{escape(upload.key)}</Key><UploadId>{upload_id}</UploadId></Upload>"
            for upload_id, upload in self._at(call.bucket).uploads.items()
        )
        return xml(f"<ListMultipartUploadsResult {NAMESPACE}>{rows}</ListMultipartUploadsResult>")

    def list_objects(self, call: Call) -> Response:
        """GET /bucket, versions 1 and 2 of the listing."""
        box = self._at(call.bucket)
        after = (
            call.query.get("continuation-token")
            or call.query.get("start-after")
            or call.query.get("marker")
            or ""
        )
        page = box.list(
            call.query.get("prefix", ""),
            call.query.get("delimiter", ""),
            after,
            int(call.query.get("max-keys") or 1000),
        )
        return listing_document(call.bucket, call.query, page, box.objects)

    def delete_objects(self, call: Call) -> Response:
        """POST /bucket?delete."""
        box = self._at(call.bucket)
        names = [
            node.text or ""
            for node in ET.fromstring(bytes(call.request.body)).iter()
            if node.tag.endswith("Key")
        ]
        for name in names:
            box.delete(name)
        done = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in names)
        return xml(f"<DeleteResult {NAMESPACE}>{done}</DeleteResult>")

    def get_object(self, call: Call) -> Response:
        """GET or HEAD /bucket/key, whole or one range."""
        blob = self._blob(call.bucket, call.key)
        if call.request.headers.get("if-match", blob.etag) not in (blob.etag, "*"):
            raise Refused(412, "PreconditionFailed", "If-Match")
        headers = [
            ("ETag", blob.etag),
            ("Last-Modified", formatdate(blob.modified_s, usegmt=True)),
            ("Accept-Ranges", "bytes"),
        ]
        start, stop, status = 0, blob.size_bytes, 200
        if match := re.fullmatch(r"bytes=(\d*)-(\d*)", call.request.headers.get("range", "")):
            first, last = match.groups()
            start = int(first) if first else max(blob.size_bytes - int(last or 0), 0)
            stop = min(int(last) + 1, blob.size_bytes) if first and last else blob.size_bytes
            if start >= blob.size_bytes or start >= stop:
                raise Refused(416, "InvalidRange")
            headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{blob.size_bytes}"))
            status = 206
        # A checksum is of the whole object, and S3 shows it only to those who ask.
        checked = status == 200 and "x-amz-checksum-mode" in call.request.headers
        headers += [
            pair for pair in blob.headers if checked or not pair[0].startswith("x-amz-checksum-")
        ]
        pieces = [] if call.request.method == "HEAD" else blob.cut(start, stop)
        return Response(status, tuple(headers), pieces, stop - start)

    def _store(self, call: Call, blob: Blob) -> None:
        """Stores an object unless a precondition forbids it; check and store are one step."""
        box = self._at(call.bucket)
        old = box.objects.get(call.key)
        if call.request.headers.get("if-none-match") == "*" and old is not None:
            raise Refused(412, "PreconditionFailed", "If-None-Match")
        if "if-match" in call.request.headers and (
            old is None or old.etag != call.request.headers["if-match"]
        ):
            raise Refused(412, "PreconditionFailed", "If-Match")
        box.put(call.key, blob)

    def put_object(self, call: Call) -> Response:
        """PUT /bucket/key."""
        blob = single_blob(payload(call.request), kept_headers(call.request))
        self._store(call, blob)
        return Response(200, (("ETag", blob.etag),))

    def copy_object(self, call: Call) -> Response:
        """PUT /bucket/key with a source."""
        source = unquote(call.request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
        blob = self._blob(source[0], source[2])
        self._store(call, blob)
        return xml(
            f"<CopyObjectResult {NAMESPACE}><ETag>{escape(blob.etag)}</ETag></CopyObjectResult>"
        )

    def delete_object(self, call: Call) -> Response:
        """DELETE /bucket/key."""
        self._at(call.bucket).delete(call.key)
        return Response(204)

    def create_multipart_upload(self, call: Call) -> Response:
        """POST /bucket/key?uploads."""
        upload_id = f"upload-{next(self._upload_ids)}"
        self._at(call.bucket).uploads[upload_id] = Upload(call.key, kept_headers(call.request))
        return xml(
            f"<InitiateMultipartUploadResult {NAMESPACE}><Bucket>{escape(call.bucket)}</Bucket><Key>{escape(call.key)}</Key>"
            f"<UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
        )

    def _upload(self, call: Call) -> Upload:
        upload = self._at(call.bucket).uploads.get(call.query["uploadId"])
        if upload is None:
            raise Refused(404, "NoSuchUpload")
        return upload

    def upload_part(self, call: Call) -> Response:
        """PUT /bucket/key?uploadId."""
        part = single_blob(payload(call.request))
        self._upload(call).parts[int(call.query["partNumber"])] = part
        return Response(200, (("ETag", part.etag),))

    def complete_multipart_upload(self, call: Call) -> Response:
        """POST /bucket/key?uploadId."""
        upload = self._upload(call)
        numbers = [
            int(node.text or 0)
            for node in ET.fromstring(bytes(call.request.body)).iter()
            if node.tag.endswith("PartNumber")
        ]
        if any(number not in upload.parts for number in numbers):
            raise Refused(400, "InvalidPart")
        blob = composite_blob((upload.parts[number] for number in numbers), upload.headers)
        self._store(call, blob)
        del self._at(call.bucket).uploads[call.query["uploadId"]]
        return xml(
            f"<CompleteMultipartUploadResult {NAMESPACE}><Bucket>{escape(call.bucket)}</Bucket><Key>{escape(call.key)}</Key>"
            f"<ETag>{escape(blob.etag)}</ETag></CompleteMultipartUploadResult>"
        )

    def abort_multipart_upload(self, call: Call) -> Response:
        """DELETE /bucket/key?uploadId."""
        self._at(call.bucket).uploads.pop(call.query["uploadId"], None)
        return Response(204)
