"""How often a fetch looks at its remote."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from dvtool.ops.fetch import fetch
from dvtool.ops.workspace import Workspace
from dvtool.store.remote.remote import Remote
from tests.journeys.harness import Repo
from tests.remote.parts import Counting


@dataclass(frozen=True)
class Watched(Workspace):
    """A workspace whose remote was opened by somebody who counts its requests."""

    opened: Remote | None = None

    def remote(self, name: str | None = None) -> Remote:
        assert self.opened is not None
        return self.opened


def test_a_fetch_of_lists_and_files_lists_the_remote_once(repo: Repo) -> None:
    for number in range(3000):  # so many that their list is a shard
        repo.write(f"many/{number:05}.txt", str(number))
    repo.run("add", "many")
    repo.commit()
    repo.run("push")
    clone = repo.clone("clone")
    remote = Workspace.open(clone.path, environ={}).remote()
    remote.backend = counting = Counting(remote.backend)
    watched = dataclasses.replace(Watched.open(clone.path, environ={}), opened=remote)

    report = fetch(watched)

    assert report.fetched > 3000
    assert counting.calls["list"] == 1
