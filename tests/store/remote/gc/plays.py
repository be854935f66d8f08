"""What the actors of a schedule do: push, fetch, collect and forget refs, all by the real code."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dvtool.core.digest import Digest
from dvtool.core.roots import Root
from dvtool.store.remote.gc.collect import GcReport, collect
from dvtool.store.remote.gc.lean import rescue, settle
from dvtool.store.remote.layout import RemoteFormat, encode_format
from dvtool.store.remote.protect import digests_of, object_name, read_blob, write_root
from dvtool.store.remote.push import push_bytes
from dvtool.store.remote.remote import Remote
from tests.store.remote.gc.world import DAY_S, Actor, World

FORMAT = encode_format(RemoteFormat(part_bytes=64, pack_bytes=4000))


def _universe() -> dict[Digest, bytes]:
    source = random.Random(7)
    shared = source.randbytes(64)
    contents = [source.randbytes(source.randrange(1, 60)) for _ in range(9)]
    # Large ones, of parts; two of them share a part.
    contents += [shared + source.randbytes(100), source.randbytes(64) + shared + b"end"]
    return {Digest(hashlib.sha256(data).digest()): data for data in contents}


BLOBS = _universe()


@dataclass
class Repository:
    """Refs of one repository, as everybody who pushed with success has published them."""

    id: str
    refs: dict[str, tuple[str, frozenset[Digest]]] = field(default_factory=dict)


@dataclass
class Stage:
    """One schedule: the world, its repositories, and what came of it."""

    world: World
    folder: Path
    repositories: list[Repository] = field(default_factory=list)
    pushed: int = 0
    collected: list[GcReport] = field(default_factory=list)
    grace_s: float = 14 * DAY_S
    merge_from: int = 8

    def remote(self, actor: Actor) -> Remote:
        return Remote(
            actor,
            cache_dir=self.folder / actor.name,
            now_s=lambda: self.world.now_s,
            jobs=1,
        )

    def push(self, actor: Actor, repository: Repository, dice: random.Random) -> None:
        remote = self.remote(actor)
        for number in range(dice.randrange(1, 3)):
            view = remote.snapshot(leaning=True)
            proven = [
                root
                for root in view.roots
                if root.repository == repository.id and root.scope == "full"
                if not view.missing(digests_of(remote, view, root))
            ]
            before = dice.sample(proven, min(len(proven), dice.randrange(2)))
            wanted = set(dice.sample(sorted(BLOBS), dice.randrange(1, 5)))
            missing = view.missing(wanted)
            if dice.random() < 0.5:  # this clone does not have them all itself
                missing -= rescue(remote, view, missing)
            push_bytes(remote, view, [BLOBS[digest] for digest in missing])
            commit = dice.randbytes(20).hex()
            root = Root(repository.id, "refs/heads/main", commit, "full", ())
            done = write_root(remote, view, root, before=before, new_digests=wanted)
            settle(remote, view, [done])
            inherited = (digests_of(remote, view, one) for one in before)
            holds = wanted.union(*inherited) & BLOBS.keys()
            repository.refs[f"{actor.name}-{number}"] = (commit, frozenset(holds))
            self.pushed += 1

    def collect(self, actor: Actor, repository: Repository) -> None:
        remote = self.remote(actor)

        def dead(view: object) -> list[str]:
            kept = {commit for commit, _ in repository.refs.values()}
            roots = remote.snapshot().roots
            return [
                object_name(root)
                for root in roots
                if root.repository == repository.id and root.commit not in kept
            ]

        self.collected.append(
            collect(
                remote,
                find_dead=dead,
                grace_s=self.grace_s,
                delete=True,
                live_share=0.5,
                merge_from=self.merge_from,
            )
        )

    def compact(self, actor: Actor, dice: random.Random) -> None:
        for _ in range(dice.randrange(1, 4)):
            report = collect(
                self.remote(actor), grace_s=self.grace_s, delete=True, live_share=0, merge_from=2
            )
            self.collected.append(report)

    def fetch(self, actor: Actor, dice: random.Random) -> None:
        remote = self.remote(actor)
        snapshot = remote.snapshot()
        for repository in self.repositories:
            for _, (_, digests) in sorted(repository.refs.items())[:2]:
                for digest in sorted(digests):
                    assert read_blob(remote, snapshot, digest) == BLOBS[digest]

    def forget(self, actor: Actor, repository: Repository, dice: random.Random) -> None:
        for _ in range(3):
            actor.list()
            if repository.refs and dice.random() < 0.7:
                del repository.refs[dice.choice(sorted(repository.refs))]

    def what_is_lost(self, name: str = "judge") -> list[str]:
        """Returns what of all published refs cannot be restored; nothing fails any more."""
        remote = self.remote(Actor(self.world, name))
        snapshot = remote.snapshot()
        lost = []
        for repository in self.repositories:
            for ref, (_, digests) in sorted(repository.refs.items()):
                for digest in sorted(digests):
                    try:
                        good = read_blob(remote, snapshot, digest) == BLOBS[digest]
                    except Exception as error:
                        lost.append(f"{ref}: {error}")
                    else:
                        assert good
        return lost


@contextmanager
def repeatable_nonces(seed: int) -> Iterator[None]:
    """Draws the nonces of packs from a seed, so that a schedule comes out the same every time."""
    truly_random = os.urandom
    os.urandom = random.Random(seed).randbytes
    try:
        yield
    finally:
        os.urandom = truly_random


def play_schedule(seed: int, folder: Path) -> Stage:
    """Runs one random schedule to its end; the same one for the same seed."""
    with repeatable_nonces(seed):
        return _play(seed, folder)


def _play(seed: int, folder: Path) -> Stage:
    dice = random.Random(seed)
    world = World(
        seed,
        faults=dice.choice([0.0, 0.02, 0.08]),
        stride_s=dice.choice([60.0, 6 * 3600.0, 2 * DAY_S]),
        holds=dice.choice([0.0, 0.05, 0.15]),
    )
    stage = Stage(world, folder)
    stage.grace_s = dice.choice([0.0, 3600.0, 14 * DAY_S])
    stage.merge_from = dice.choice([2, 3, 8])
    world.put("dvtool.json", FORMAT)
    stage.repositories = [Repository(f"{n:032x}") for n in range(dice.choice([1, 2]))]
    conditional = dice.random() < 0.5
    for name in ("first", "second", "third"):
        stage.push(Actor(world, name), dice.choice(stage.repositories), dice)
        world.now_s += dice.uniform(0, 40 * DAY_S)
    for repository in stage.repositories:  # what is dead already may be wanted again
        for ref in dice.sample(sorted(repository.refs), len(repository.refs) * 2 // 3):
            del repository.refs[ref]

    def with_own_dice(play: object, *given: object) -> object:
        own = random.Random(dice.random())

        def go(actor: Actor) -> None:
            actor.conditional = conditional
            play(actor, *given, own)  # type: ignore[operator]

        return go

    plays = {}
    for number in range(dice.randrange(2, 4)):
        plays[f"push{number}"] = with_own_dice(stage.push, dice.choice(stage.repositories))
    for number in range(dice.randrange(1, 3)):
        repository = dice.choice(stage.repositories)

        def gc(actor: Actor, repository: Repository, own: random.Random) -> None:
            for _ in range(own.randrange(1, 4)):
                stage.collect(actor, repository)

        plays[f"gc{number}"] = with_own_dice(gc, repository)
    if dice.random() < 0.7:
        plays["forget"] = with_own_dice(stage.forget, dice.choice(stage.repositories))
    if dice.random() < 0.3:
        # Nothing is retired here, so that mostly indexes are merged, beside collections.
        plays["compact"] = with_own_dice(stage.compact)
    if dice.random() < 0.3:
        plays["fetch"] = with_own_dice(stage.fetch)
    world.run(plays)  # type: ignore[arg-type]
    return stage
