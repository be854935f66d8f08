"""Arrivals from a repository: a data set of a revision, or a part of one.

Blobs come from that repository's store where it is on this machine, else from its remote, each
proven by its sha256 on the way in. Called by `arriving`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dvtool.core.address import Address
from dvtool.core.digest import Digest, digest_of, format_digest
from dvtool.core.origin import Origin
from dvtool.core.sidecar import Sidecar, version_digest
from dvtool.core.tree import EMPTY_DIRECTORY, SYMLINK, Tree
from dvtool.errors import CorruptObject, NoRepository, UnknownRevision, UsageError
from dvtool.git.cloning import check_clone_url
from dvtool.ops.fetch import FetchReport, fetch_blobs
from dvtool.ops.imports.arriving import Arrival, Receiver, rooted
from dvtool.ops.selection import Selected
from dvtool.ops.versionfiles import REPOSITORIES, VersionFiles
from dvtool.ops.versions import selected_sidecars, shards_of
from dvtool.ops.workspace import Workspace
from dvtool.store.durable import store_error
from dvtool.store.local import SMALL_BLOB_BYTES, LocalStore
from dvtool.worktree.hashing import hash_descriptor


def place_of(address: str) -> str:
    """Returns an address as `Repositories` takes it: a folder on this machine as its path.

    Raises:
        UsageError: git must not be sent there.
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        if not Path(unquote(parts.path)).is_dir():
            raise NoRepository(
                f"no folder {unquote(parts.path)} on this machine",
                hint="dvtool import from an address that others reach, too",
            )
        return unquote(parts.path)
    if not Path(address).is_dir():
        check_clone_url(address)
    return address


def opened(address: str, receiver: Receiver) -> VersionFiles:
    """Returns the versions of the repository at an address.

    Raises:
        NoRepository, GitFailed: There is none.
    """
    where = Address(place_of(address), "", "")
    return REPOSITORIES.at(where, receiver.environ, progress=receiver.progress)


def arrive_from_repository(
    receiver: Receiver, asked: Origin, known: Origin | None
) -> Arrival | None:
    """Brings a data set of a revision; None when it has the bytes that are known."""
    versions = opened(asked.address, receiver)
    source = versions.workspace
    commit = versions.commit_of(asked.rev)
    if known is not None and known.commit == commit and known.path == asked.path:
        return None
    one, sidecar = _found(source, commit, asked)
    shards = _bring(receiver, source, shards_of([sidecar]))
    whole = sidecar.tree(lambda digest, _: receiver.store.read(digest))
    part = list(whole.under(one.inside).entries)
    if not part and one.inside:
        raise UnknownRevision(
            f"no {one} in {asked.rev} of {asked.address}",
            hint=f"dvtool list {asked.address} --files shows what there is",
        )
    tree = rooted(part, one.inside) if one.inside else whole
    kind = "file" if list(tree) == [b""] else "directory"
    if kind == "file" and next(iter(tree.entries)).mode in (SYMLINK, EMPTY_DIRECTORY):
        raise UsageError(f"{one} is no file and has none in it", hint="import the folder around it")
    _refuse_links_out(tree, one)
    origin = replace(asked, commit=commit)
    if known is not None and known.digest == _version(kind, tree):
        return None if known.rev == asked.rev else Arrival(origin, kind, tree)
    came = shards + _bring(receiver, source, tree.blobs())
    return Arrival(origin, kind, tree, came.fetched, came.fetched_bytes)


def _version(kind: str, tree: Tree) -> Digest:
    entries = tuple(tree.entries)
    return version_digest(
        Sidecar("file", entries=entries)
        if kind == "file"
        else Sidecar("directory", entries=entries)
    )


def _found(source: Workspace, commit: str, asked: Origin) -> tuple[Selected, Sidecar]:
    try:
        found = selected_sidecars(source, commit, [asked.path])
    except UnknownRevision as error:
        raise UnknownRevision(
            f"{asked.address} has no data set at {asked.path} in {asked.rev} ({commit[:12]})",
            hint=f"dvtool list {asked.address} shows those it has; files that git tracks are"
            " copied, not imported",
        ) from error
    if len(found) > 1:
        names = ", ".join(each.dataset for each, _ in found[:5])
        raise UsageError(f"{asked.path} holds several data sets: {names}", hint="import one by one")
    return found[0]


def _refuse_links_out(tree: Tree, one: Selected) -> None:
    """Refuses a part of a data set whose links lead out of it: they would lead nowhere here."""
    if not one.inside:
        return
    for entry in tree.entries:
        if entry.mode == SYMLINK:
            raise UsageError(
                f"{one} holds symlinks, whose targets may lie outside of it",
                hint=f"import all of {one.dataset}",
            )


def _bring(receiver: Receiver, source: Workspace, blobs: dict[Digest, int]) -> FetchReport:
    """Brings blobs into our store: from the other store what it has, the rest from the remote."""
    missing = receiver.store.missing(blobs)
    here = missing - source.store.missing(missing)
    copied = {digest: blobs[digest] for digest in here}
    copy_blobs(source.store, receiver.store, copied)
    fetched = fetch_blobs(source, blobs, jobs=receiver.jobs, store=receiver.store)
    return FetchReport(len(blobs), len(here), sum(copied.values())) + fetched


def copy_blobs(source: LocalStore, target: LocalStore, blobs: dict[Digest, int]) -> None:
    """Copies blobs from one store to another, each proven by its sha256.

    Raises:
        CorruptObject: One is not what its name says; what was copied before it is kept.
        StoreFailed: The target cannot be written.
    """
    small = [digest for digest, size in blobs.items() if size < SMALL_BLOB_BYTES]
    large = [digest for digest, size in blobs.items() if size >= SMALL_BLOB_BYTES]
    with target.writer() as writer:
        for digest, data in source.read_many(small):
            if digest_of(data) != digest:
                raise _corrupt(digest, source)
            writer.add_small(digest, data)
        for digest in large:
            temp = writer.temp_file()
            with source.open_blob(digest) as opened_blob:
                try:
                    found, mark, _ = hash_descriptor(opened_blob.fileno(), copy_to=temp.fd)
                except OSError as error:
                    writer.discard(temp.path)
                    raise store_error(error, temp.path) from error
            if found != digest:
                writer.discard(temp.path)
                raise _corrupt(digest, source)
            writer.adopt(temp.path, digest, mark)


def _corrupt(digest: Digest, source: LocalStore) -> CorruptObject:
    return CorruptObject(
        f"object {format_digest(digest)} in the store {source.root} does not match its name",
        hint="dvtool verify --repair there fetches it again",
    )
