"""Health of git's set-up: what `init` put in place and somebody may have taken away.

Reads only. Called by `doctor`; putting it right is `dvtool.git.attributes`.
"""

from __future__ import annotations

import os

from dvtool.git.attributes import DRIVERS
from dvtool.git.plumbing import Git

_PROBE = "probe.dvt"


def missing_drivers(git: Git) -> list[str]:
    """Returns the configuration keys of our drivers that this clone lacks; one process."""
    listed = git.run("config", "-z", "--get-regexp", r"^(merge|diff)\.dvtool\.", ok=(0, 1))
    found = {item.partition("\n")[0] for item in os.fsdecode(listed).split("\0")}
    return [key for key in DRIVERS if key not in found]


def missing_attributes(git: Git) -> bool:
    """Tells whether sidecars lack the attributes that name our drivers; one process."""
    answer = git.run("check-attr", "-z", "diff", "merge", "--", _PROBE).split(b"\0")
    return answer[2:6:3] != [b"dvtool", b"dvtool"]
