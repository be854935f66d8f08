"""A remote in which one step happens at a time, in an order that a seed decides.

Each actor runs in a thread of its own and stops before every request; the world picks who goes on,
moves its own clock, and may lose an answer, let a request arrive later or twice, cut an answer
short, or kill the actor.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from dvtool.errors import DvtoolError, ObjectMissing, RemoteTemporary
from dvtool.store.remote.backend import Listed, Sink, Spool

DAY_S = 24 * 3600.0


class Killed(BaseException):
    """The actor's process died."""


@dataclass
class Late:
    due_s: float
    apply: Callable[[], None]


@dataclass
class World:
    """Objects, a clock, and the dice.

    Attributes:
        faults: Chance that something goes wrong with a request, 0 to 1.
        stride_s: The clock moves by up to this between two requests.
        holds: Chance that an actor is held back for long, 0 to 1.
    """

    seed: int
    faults: float = 0.0
    stride_s: float = 600.0
    holds: float = 0.0
    objects: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.now_s = 1_700_000_000.0
        self.late: list[Late] = []
        self.moved = threading.Semaphore(0)
        self.actors: list[Actor] = []

    def run(self, plays: dict[str, Callable[[Actor], None]]) -> None:
        """Runs all plays to their ends."""
        self.actors = [Actor(self, name, play) for name, play in plays.items()]
        for actor in self.actors:
            actor.thread.start()
        while True:
            while not all(actor.done or actor.waiting for actor in self.actors):
                assert self.moved.acquire(timeout=60), "an actor hangs outside of the remote"
            ready = [actor for actor in self.actors if not actor.done]
            if not ready:
                break
            self.tick()
            actor = self.choose(ready)
            actor.waiting -= 1
            actor.turn.release()
        for actor in self.actors:
            actor.thread.join(10)
            if actor.crash is not None:
                raise actor.crash
        self.settle_down()

    def choose(self, ready: list[Actor]) -> Actor:
        """Returns who goes on. Now and then one is held for long, so that others overtake it."""
        if self.dice.random() < self.holds:
            self.dice.choice(ready).held += self.dice.randrange(5, 120)
        free = [actor for actor in ready if not actor.held]
        for actor in ready:
            actor.held = max(0, actor.held - 1)
        return self.dice.choice(free or ready)

    def tick(self) -> None:
        self.now_s += self.dice.uniform(0, self.stride_s)
        if self.dice.random() < 0.02:
            self.now_s += self.dice.uniform(0, 8 * DAY_S)
        for late in [late for late in self.late if late.due_s <= self.now_s]:
            self.late.remove(late)
            late.apply()

    def settle_down(self) -> None:
        """Lets everything arrive that is under way; from then on nothing fails."""
        for late in self.late:
            late.apply()
        self.late.clear()
        self.faults = 0.0
        self.actors = []

    # -- what a server does -------------------------------------------------------------------

    def put(self, name: str, data: bytes) -> bool:
        if name in self.objects:
            return False
        self.objects[name] = (data, self.now_s)
        return True

    def overwrite(self, name: str, data: bytes) -> bool:
        """What a store without conditional writes does."""
        self.objects[name] = (data, self.now_s)
        return True

    def drop(self, name: str) -> None:
        self.objects.pop(name, None)


class Actor:
    """One process: a thread that plays, and the backend through which it sees the world."""

    url = "memory://world"

    def __init__(
        self, world: World, name: str, play: Callable[[Actor], None] | None = None
    ) -> None:
        self.world = world
        self.name = name
        self.waiting = 0
        self.held = 0
        self.turn = threading.Semaphore(0)
        self.done = False
        self.crash: BaseException | None = None
        self.dead = False
        self.conditional = True
        self._play = play
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        assert self._play is not None
        try:
            self._play(self)
        except (DvtoolError, Killed):
            pass
        except BaseException as error:
            self.crash = error
        self.done = True
        self.world.moved.release()

    # -- the backend ---------------------------------------------------------------------------

    def list(self) -> dict[str, Listed]:
        return self._step("list", "", self._listing)

    def _listing(self) -> dict[str, Listed]:
        found = {n: Listed(len(data), at) for n, (data, at) in self.world.objects.items()}
        return dict(sorted(found.items()))

    def read(self, name: str, *, size_limit: int) -> bytes:
        return self._step("read", name, lambda: self._cut(self._get(name)))

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        sink.append(self._step("read", name, lambda: self._cut(self._get(name)[start:end])))

    def create(self, name: str, data: bytes | Spool) -> bool:
        body = data if isinstance(data, bytes) else b"".join(data.blocks())
        put = self.world.put if self.conditional else self.world.overwrite
        return self._step("create", name, lambda: put(name, body))

    def delete(self, name: str) -> None:
        self._step("delete", name, lambda: self.world.drop(name))

    def close(self) -> None:
        pass

    def _get(self, name: str) -> bytes:
        try:
            return self.world.objects[name][0]
        except KeyError:
            raise ObjectMissing(f"no object {self.url}/{name}") from None

    def _cut(self, data: bytes) -> bytes:
        world = self.world
        if world.actors and world.dice.random() < world.faults / 8:
            return data[: world.dice.randrange(len(data) + 1)]
        return data

    def _step(self, kind: str, name: str, action: Callable[[], object]) -> object:
        world = self.world
        if not world.actors:
            return action()
        if self.dead:
            raise Killed
        self.waiting += 1
        world.moved.release()
        self.turn.acquire()
        world.trace.append(f"{self.name} {kind} {name}")
        return self._with_luck(kind, action)

    def _with_luck(self, kind: str, action: Callable[[], object]) -> object:
        world = self.world
        if not world.faults or world.dice.random() >= world.faults:
            return action()
        fate = world.dice.choice(["refused", "lost", "late", "twice", "killed", "killed after"])
        world.trace[-1] += f" [{fate}]"
        if fate == "refused":
            raise RemoteTemporary("busy")
        if fate.startswith("killed"):
            if fate == "killed after":
                action()
            self.dead = True
            raise Killed
        if kind in ("create", "delete") and fate in ("late", "twice"):
            answer = action() if fate == "twice" else None
            due_s = world.now_s + world.dice.uniform(0, 2 * DAY_S)
            world.late.append(Late(due_s, lambda: action() and None))
            if fate == "twice":
                return answer
            raise RemoteTemporary("timed out")
        action()
        raise RemoteTemporary("connection closed")
