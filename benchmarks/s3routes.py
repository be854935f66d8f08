"""Which operation of `s3api` a request asks for, and the way from a request to its answer."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

from s3api import S3, Call
from s3wire import Refused, Request, Response

# Query parameters that make another operation of a request. Those in the second line are refused:
# answering as if they were not there would be worse.
SUB_RESOURCES = (
    *("uploads", "uploadId", "delete", "location"),
    *("acl", "cors", "lifecycle", "object-lock", "policy", "tagging", "versioning", "versions"),
)


def not_implemented(s3: S3, call: Call) -> Response:
    """Refuses what this server does not know, loudly, instead of answering something else."""
    raise Refused(501, "NotImplemented")


Operation = Callable[[S3, Call], Response]

# (method, what the path names, sub-resource) -> S3's name of the operation and who does it.
OPERATIONS: dict[tuple[str, str, str], tuple[str, Operation]] = {
    ("GET", "service", ""): ("ListBuckets", S3.list_buckets),
    ("PUT", "bucket", ""): ("CreateBucket", S3.create_bucket),
    ("DELETE", "bucket", ""): ("DeleteBucket", S3.delete_bucket),
    ("HEAD", "bucket", ""): ("HeadBucket", S3.head_bucket),
    ("GET", "bucket", ""): ("ListObjects", S3.list_objects),
    ("GET", "bucket", "location"): ("GetBucketLocation", S3.get_bucket_location),
    ("GET", "bucket", "uploads"): ("ListMultipartUploads", S3.list_multipart_uploads),
    ("POST", "bucket", "delete"): ("DeleteObjects", S3.delete_objects),
    ("GET", "object", ""): ("GetObject", S3.get_object),
    ("HEAD", "object", ""): ("HeadObject", S3.get_object),
    ("PUT", "object", ""): ("PutObject", S3.put_object),
    ("PUT", "object", "copy"): ("CopyObject", S3.copy_object),
    ("DELETE", "object", ""): ("DeleteObject", S3.delete_object),
    ("POST", "object", "uploads"): ("CreateMultipartUpload", S3.create_multipart_upload),
    ("PUT", "object", "uploadId"): ("UploadPart", S3.upload_part),
    ("POST", "object", "uploadId"): ("CompleteMultipartUpload", S3.complete_multipart_upload),
    ("DELETE", "object", "uploadId"): ("AbortMultipartUpload", S3.abort_multipart_upload),
}


def route(request: Request) -> tuple[str, Operation, Call]:
    """Returns S3's name of what is asked, the method that does it, and the call to give it.

    Path-style addresses only: the bucket is the first component of the path.
    """
    raw_path, _, raw_query = request.target.partition("?")
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    bucket, _, key = unquote(raw_path).lstrip("/").partition("/")
    level = "object" if key else "bucket" if bucket else "service"
    part = next((name for name in SUB_RESOURCES if name in query), "")
    copied = "x-amz-copy-source" in request.headers
    if request.method == "PUT" and level == "object" and not part and copied:
        part = "copy"
    unknown = ("NotImplemented", not_implemented)
    name, operation = OPERATIONS.get((request.method, level, part), unknown)
    return name, operation, Call(request, query, bucket, key)


def answer(s3: S3, request: Request) -> Response:
    """Carries out one request and counts it; errors become S3's error documents."""
    name, operation, call = route(request)
    s3.operations[name] += 1
    try:
        return operation(s3, call)
    except Refused as refusal:
        return Response(refusal.status) if request.method == "HEAD" else refusal.document()
