"""A remote: a backend and the layout of what lies in it.

`Remote.snapshot` says what is there at this moment and `put` creates objects. How blobs are
pushed, fetched, protected and verified is in the modules of those names, which the methods here
load when they are needed. Called by `dvtool.ops`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.packindex import PackIndex, parse_index
from dvtool.core.roots import Root, parse_root
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing, RemoteTemporary
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Listed
from dvtool.store.remote.cache import Cache
from dvtool.store.remote.layout import RemoteFormat
from dvtool.store.remote.parallel import parallel
from dvtool.store.remote.snapshot import Snapshot

if TYPE_CHECKING:
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.backend import Backend, Spool
    from dvtool.store.remote.fetch import FetchResult
    from dvtool.store.remote.push import PushResult

JOBS: Final = 8
"""How many transfers run at once unless the caller says otherwise."""
_LOOKS: Final = 3


class Remote:
    """One remote of one clone. Safe to use from several threads."""

    def __init__(
        self,
        backend: Backend,
        *,
        cache_dir: Path,
        name: str = "",
        progress: Progress = SILENT,
        now_s: Callable[[], float] = time.time,
        jobs: int = JOBS,
    ) -> None:
        """Takes where objects are and where to keep what never changes; sends nothing.

        Args:
            backend: See `open_backend`.
            cache_dir: A directory for this remote alone; made when needed.
            name: What the user calls it.
            progress: Told of all transfers, and of damage met on the way.
            now_s: This machine's time in seconds since 1970; nothing is deleted by it.
            jobs: How many small objects are read at once.
        """
        self.backend = backend
        self.name = name
        self.cache = Cache(cache_dir)
        self.progress = progress
        self.now_s = now_s
        self._jobs = jobs
        # Parsing takes a second a million rows, and one command may look more than once.
        self._parsed: dict[str, tuple[int, PackIndex]] = {}

    @property
    def url(self) -> str:
        """The address, without credentials."""
        return self.backend.url

    def close(self) -> None:
        """Lets go of connections."""
        self.backend.close()

    def snapshot(self, *, leaning: bool = False) -> Snapshot:
        """Returns what the remote has: one listing, and what of it was never read before.

        Args:
            leaning: Whether something new will be built on what is there, as a push does: then
                what garbage collection has condemned counts as absent.

        Raises:
            RemoteFailed: Unreachable, refused, or of a format that this dvtool does not know.
            CorruptObject: Somebody leans, and what is condemned cannot be told.
        """
        from dvtool.store.remote.gc.notes import read_notes

        listed = self.backend.list()
        for _ in range(_LOOKS):
            found = self._format(listed)
            names = [name for name in listed if layout.INDEX.fullmatch(name)]
            results = parallel(lambda name: self._index(name, listed[name]), names, jobs=self._jobs)  # noqa: B023
            damaged = {n: r for n, r in zip(names, results, strict=True) if isinstance(r, str)}
            if not damaged:
                break
            # Garbage collection may have replaced an index since the listing.
            again = self.backend.list()
            if again.keys() >= damaged.keys():
                break
            listed = again
        for name, what in damaged.items():
            self.progress.note(f"{self.url}/{name}: {what}")
        self._parsed = {n: self._parsed[n] for n in names if n in self._parsed}
        indexes = {n: r for n, r in zip(names, results, strict=True) if isinstance(r, PackIndex)}
        notes = read_notes(self, listed, strict=leaning)
        plain = Snapshot(
            self.url,
            listed,
            indexes,
            format=found,
            problems=damaged,
            load_roots=self._roots,
            notes=notes,
        )
        if not leaning:
            return plain
        return Snapshot(
            self.url,
            dict(listed),
            indexes,
            format=found,
            problems=damaged,
            load_roots=self._roots,
            notes=notes,
            plain=plain,
        )

    def push_blobs(
        self,
        snapshot: Snapshot,
        store: LocalStore,
        digests: Mapping[Digest, int] | Iterable[Digest],
        *,
        jobs: int | None = None,
    ) -> PushResult:
        """Makes the remote have all of `digests`; see `push.push_blobs`."""
        from dvtool.store.remote.push import push_blobs

        return push_blobs(self, snapshot, store, digests, jobs=jobs, progress=self.progress)

    def fetch_blobs(
        self,
        snapshot: Snapshot,
        store: LocalStore,
        digests: Mapping[Digest, int] | Iterable[Digest],
        *,
        jobs: int | None = None,
    ) -> FetchResult:
        """Brings blobs into the store; see `fetch.fetch_blobs`."""
        from dvtool.store.remote.fetch import fetch_blobs

        return fetch_blobs(self, snapshot, store, digests, jobs=jobs, progress=self.progress)

    def write_root(
        self,
        snapshot: Snapshot,
        root: Root,
        *,
        before: Sequence[Root] = (),
        new_digests: Iterable[Digest] = (),
    ) -> Root:
        """Writes down what is reachable; see `protect.write_root`."""
        from dvtool.store.remote.protect import write_root

        return write_root(self, snapshot, root, before=before, new_digests=new_digests)

    def is_in_force(self, snapshot: Snapshot, root: Root) -> bool:
        """Says whether a push may rely on a root; see `protect.is_in_force`."""
        from dvtool.store.remote.protect import is_in_force, object_name

        return is_in_force(self, snapshot, object_name(root))

    def rescue(self, snapshot: Snapshot, digests: Iterable[Digest]) -> set[Digest]:
        """Copies what only condemned packs have; see `gc.lean.rescue`."""
        from dvtool.store.remote.gc.lean import rescue

        return rescue(self, snapshot, digests)

    def settle(self, snapshot: Snapshot, roots: Sequence[Root], store: LocalStore) -> None:
        """Looks again after roots were written; see `gc.lean.settle`."""
        from dvtool.store.remote.gc.lean import settle

        settle(self, snapshot, roots, store)

    def digests_of(self, snapshot: Snapshot, root: Root) -> set[Digest]:
        """Returns everything a root protects; see `protect.digests_of`."""
        from dvtool.store.remote.protect import digests_of

        return digests_of(self, snapshot, root)

    def read_data(
        self, snapshot: Snapshot, *, jobs: int | None = None
    ) -> tuple[int, dict[Digest, DvtoolError]]:
        """Reads and proves every record; see `verify.read_data`."""
        from dvtool.store.remote.verify import read_data

        return read_data(self, snapshot, jobs=jobs or JOBS, progress=self.progress)

    def replace_damaged(
        self,
        snapshot: Snapshot,
        store: LocalStore,
        digests: Iterable[Digest],
        *,
        jobs: int | None = None,
    ) -> PushResult:
        """Uploads sound copies of blobs; `snapshot` must be the one `read_data` has judged."""
        return self.push_blobs(snapshot, store, list(digests), jobs=jobs)

    def resend_segments(self, snapshot: Snapshot, digests: Iterable[Digest]) -> set[Digest]:
        """Uploads damaged segments again; see `protect.resend_segments`."""
        from dvtool.store.remote.protect import resend_segments

        return resend_segments(self, snapshot, digests)

    def put(self, name: str, data: bytes | Spool) -> None:
        """Creates an object, or proves that the one of that name has the same bytes.

        Raises:
            CorruptObject: An object of that name exists and differs.
        """
        if self.backend.create(name, data):
            return
        expected = sha256(data).digest() if isinstance(data, bytes) else data.sha256()
        size = len(data) if isinstance(data, bytes) else data.size
        with self.cache.spool() as found:
            self.backend.read_range(name, 0, size + 1, found)
            if found.size != size or found.sha256() != expected:
                raise CorruptObject(f"{self.url}/{name} exists already and has other bytes")

    def put_format(self, snapshot: Snapshot) -> None:
        """Creates `dvtool.json` where there is none yet."""
        name = layout.FORMAT_NAME
        if name in snapshot.listed:
            return
        text = layout.encode_format(snapshot.format)
        if not self.backend.create(name, text):
            # Somebody pushed at the same moment: theirs counts, if we know it.
            text = self.backend.read(name, size_limit=layout.FORMAT_BYTES_MAX)
            snapshot.format = layout.parse_format(text, url=self.url)
        snapshot.listed[name] = Listed(len(text), 0.0)

    def _format(self, listed: dict[str, Listed]) -> RemoteFormat:
        facts = listed.get(layout.FORMAT_NAME)
        if facts is None:
            if any(layout.PACK.fullmatch(name) for name in listed):
                self.progress.note(f"{self.url}/{layout.FORMAT_NAME} is gone; reading as format 1")
            return layout.NEW_REMOTE
        key = f"{layout.FORMAT_NAME}.{facts.size}.{int(facts.modified_s * 1e6)}"
        text = self.cache.get(key)
        if text is None:
            text = self.backend.read(layout.FORMAT_NAME, size_limit=layout.FORMAT_BYTES_MAX)
            if len(text) != facts.size:  # it has no name to prove it by, and would be kept
                raise RemoteTemporary(f"{self.url}/{layout.FORMAT_NAME} arrived cut off")
            self.cache.put(key, text)
        return layout.parse_format(text, url=self.url)

    def _index(self, name: str, facts: Listed) -> PackIndex | str:
        """Returns an index, or what is wrong with it."""
        known = self._parsed.get(name)
        if known is not None and known[0] == facts.size:
            return known[1]
        if facts.size > layout.INDEX_BYTES_MAX:
            return f"is larger than {layout.INDEX_BYTES_MAX} bytes"
        data = self.named(name, layout.INDEX.fullmatch(name)[1], facts.size)  # type: ignore[index]
        if isinstance(data, str):
            return data
        try:
            index = parse_index(data)
        except CorruptObject as error:
            return str(error)
        self._parsed[name] = (facts.size, index)
        return index

    def _roots(self, snapshot: Snapshot) -> list[Root]:
        """Returns all readable roots.

        One that is cut off or altered is noted and left out: what it protected is then pushed
        again, never assumed.
        """
        names = [
            name
            for name in snapshot.listed
            if layout.ROOT.fullmatch(name) and name not in snapshot.notes.retired
        ]
        results = parallel(self.root, names, jobs=self._jobs)
        for name, result in zip(names, results, strict=True):
            if isinstance(result, str):
                self.progress.note(f"{self.url}/{name}: {result}")
        return [result for result in results if isinstance(result, Root)]

    def root(self, name: str) -> Root | str:
        """Returns a root by its object name, or what is wrong with it."""
        match = layout.ROOT.fullmatch(name)
        assert match is not None
        data = self.named(name, match[2], None)
        if isinstance(data, str):
            return data
        try:
            return parse_root(data)
        except CorruptObject as error:
            return str(error)

    def named(self, name: str, digest: str, listed_bytes: int | None) -> bytes | str:
        """Returns the bytes of an object named by its sha256, or what is wrong with it."""
        data = self.cache.get(name)
        if data is not None and sha256(data).hexdigest() == digest:
            if listed_bytes in (None, len(data)):
                return data
            return f"has {listed_bytes} bytes, expected {len(data)}"
        limit = layout.ROOT_BYTES_MAX if listed_bytes is None else listed_bytes
        try:
            data = self.backend.read(name, size_limit=limit)
        except (ObjectMissing, CorruptObject) as error:
            return str(error)
        if sha256(data).hexdigest() != digest:
            return "does not match its name"
        self.cache.put(name, data)
        return data
