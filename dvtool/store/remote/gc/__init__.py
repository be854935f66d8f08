"""Garbage collection at a remote, and what else deletes there: erasure.

Nothing outside of this package ever deletes an object of a remote. The protocol, and why no
schedule of pushes, fetches and collections loses a reachable blob, is in docs/decisions/0008-gc.md.
Called by `dvtool.ops` through the functions of `collect`, `erase` and `lean`.
"""
