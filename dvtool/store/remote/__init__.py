"""Remotes: blobs in object storage, packed, indexed and verified.

A remote is a stack: a `Backend` that speaks one protocol, wrapped in retries, below a `Remote`
that knows the layout; `push`, `fetch` and `verify` work on a `Snapshot` of what it really lists.
The verbs in `dvtool.ops` use these modules; nothing here knows git or a work tree.
"""
