"""The aims: one table of what dvtool promises about its cost, and how a run is judged by it.

Every aim is a ratio of two medians of one run on one machine, or, where a machine cannot make a
difference, a plain number (requests). Wall seconds are avoided where CPU seconds tell the same:
on a shared machine they say more about the neighbours. Changing a limit is a decision to be
argued for in review, not an adjustment after a bad run.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench import Results

MIB = float(2**20)


@dataclass(frozen=True, slots=True)
class Aim:
    """One promise: `metric` of `tool` at most `limit` times that of `against`.

    Args:
        name: What is promised, in words.
        case: Which case measures it.
        step: Which step of it.
        metric: A field of `measure.Usage` or `serverprocess.Traffic`.
        limit: The largest ratio; without `against`, the largest value, in the metric's unit.
        against: The tool or floor compared with; empty for a plain limit.
        against_step: The step to take the floor from, when it is another one.
    """

    name: str
    case: str
    step: str
    metric: str
    limit: float
    against: str = ""
    against_step: str = ""
    tool: str = "dvtool"


@dataclass(frozen=True, slots=True)
class Judged:
    """An aim with what was measured; `value` is None, and nothing promised, where data lack."""

    aim: Aim
    numerator: float | None
    denominator: float | None
    value: float | None

    @property
    def verdict(self) -> str:
        """Returns met, missed or "not measured"."""
        if self.value is None:
            return "not measured"
        return "met" if self.value <= self.aim.limit else "missed"


AIMS = (
    Aim("add near reading, hashing, writing once", "files", "add", "cpu_s", 4.0, "floor: python"),
    Aim("add a fifth of DVC", "files", "add", "cpu_s", 0.2, "dvc"),
    Aim("add cheaper than plain git", "files", "add", "cpu_s", 0.5, "git"),
    Aim("add needs half the memory of DVC", "files", "add", "peak_bytes", 0.5, "dvc"),
    Aim("add of nothing new near status", "files", "add-nothing", "cpu_s", 2.0, "dvtool", "status"),
    Aim("add of 1 % a tenth of DVC", "files", "add-1pct", "cpu_s", 0.1, "dvc"),
    Aim("add of 1 % near git-lfs", "files", "add-1pct", "cpu_s", 1.5, "git-lfs"),
    Aim("status near git status", "files", "status", "cpu_s", 2.0, "git"),
    Aim("status near asking every file", "files", "status", "cpu_s", 2.0, "floor: python"),
    Aim("status a tenth of DVC", "files", "status", "cpu_s", 0.1, "dvc"),
    Aim("status needs half the memory of DVC", "files", "status", "peak_bytes", 0.5, "dvc"),
    Aim("checkout of 1 % near git-lfs", "files", "checkout-1pct", "cpu_s", 1.5, "git-lfs"),
    Aim("checkout of all near cp -r", "files", "checkout-all", "cpu_s", 1.5, "floor: cp -r"),
    Aim(
        "status of a million files near asking", "million", "status", "cpu_s", 2.0, "floor: python"
    ),
    Aim("status of a million files in memory", "million", "status", "peak_bytes", 500 * MIB),
    Aim("add of a million files in memory", "million", "add", "peak_bytes", 1000 * MIB),
    Aim("push a tenth of DVC", "transfer", "push", "cpu_s", 0.1, "dvc"),
    Aim("push in a hundredth of DVC's requests", "transfer", "push", "requests", 0.01, "dvc"),
    Aim("push faster than a copy", "transfer", "push", "wall_s", 1.0, "floor: s5cmd"),
    Aim("push of nothing in a few requests", "transfer", "push-nothing", "requests", 5),
    Aim("push of nothing a fifth of DVC", "transfer", "push-nothing", "cpu_s", 0.2, "dvc"),
    Aim("pull a fifth of DVC", "transfer", "pull", "cpu_s", 0.2, "dvc"),
    Aim("pull in a hundredth of DVC's requests", "transfer", "pull", "requests", 0.01, "dvc"),
    Aim("pull faster than a copy", "transfer", "pull", "wall_s", 1.0, "floor: s5cmd"),
    Aim("pull near creating the files", "transfer", "pull", "cpu_s", 4.0, "floor: python"),
    Aim("pull of nothing asks nothing", "transfer", "pull-nothing", "requests", 0),
    Aim("add of a large file near sha256 + cp", "big", "add", "cpu_s", 1.5, "floor: sha256 + cp"),
    Aim("add of a large file in little memory", "big", "add", "peak_bytes", 128 * MIB),
    Aim("push of a large file as fast as a copy", "big", "push", "wall_s", 1.0, "floor: s5cmd"),
    Aim("push of a large file in bounded memory", "big", "push", "peak_bytes", 512 * MIB),
    Aim("pull of a large file as fast as a copy", "big", "pull", "wall_s", 1.0, "floor: s5cmd"),
    Aim("pull of a large file in bounded memory", "big", "pull", "peak_bytes", 512 * MIB),
    Aim("start near bare Python", "startup", "version", "cpu_s", 3.0, "floor: python"),
    Aim("status of one file a third of DVC", "startup", "status", "cpu_s", 0.33, "dvc"),
)


def judge(results: Results) -> list[Judged]:
    """Returns all aims with what this run says about them."""
    judged = []
    for aim in AIMS:
        top = results.median(aim.case, aim.step, aim.tool, aim.metric)
        if not aim.against:
            judged.append(Judged(aim, top, None, top))
            continue
        bottom = results.median(aim.case, aim.against_step or aim.step, aim.against, aim.metric)
        value = top / bottom if top is not None and bottom else None
        judged.append(Judged(aim, top, bottom, value))
    return judged
