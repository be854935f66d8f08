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
    Aim("add: 1/12 of DVC", "files", "add", "cpu_s", 1 / 12, "dvc"),
    Aim("add: 1.7 x read + sha256 + append", "files", "add", "cpu_s", 1.7, "floor: python"),
    Aim("add: memory", "files", "add", "peak_bytes", 100 * MIB),
    Aim("add of nothing new: 1/15 of DVC", "files", "add-nothing", "cpu_s", 1 / 15, "dvc"),
    Aim("add of 1 %: 1/15 of DVC", "files", "add-1pct", "cpu_s", 1 / 15, "dvc"),
    Aim("add of 1 %: git-lfs", "files", "add-1pct", "cpu_s", 1.0, "git-lfs"),
    Aim("status: 1/8 of DVC", "files", "status", "cpu_s", 1 / 8, "dvc"),
    Aim("status: 2 x git status", "files", "status", "cpu_s", 2.0, "git"),
    Aim("status: memory", "files", "status", "peak_bytes", 100 * MIB),
    Aim("checkout of 1 %: 1/15 of DVC", "files", "checkout-1pct", "cpu_s", 1 / 15, "dvc"),
    Aim("checkout of 1 %: git-lfs", "files", "checkout-1pct", "cpu_s", 1.0, "git-lfs"),
    Aim("checkout of all: 1.4 x cp -r", "files", "checkout-all", "cpu_s", 1.4, "floor: cp -r"),
    Aim("checkout of all: memory", "files", "checkout-all", "peak_bytes", 100 * MIB),
    Aim("status of a million: memory", "million", "status", "peak_bytes", 500 * MIB),
    Aim("add of a million: memory", "million", "add", "peak_bytes", 500 * MIB),
    Aim("push: requests", "transfer", "push", "requests", 10),
    Aim("push: 1/20 of DVC", "transfer", "push", "cpu_s", 1 / 20, "dvc"),
    Aim("push: s5cmd", "transfer", "push", "cpu_s", 1.0, "floor: s5cmd"),
    Aim("push of nothing: requests", "transfer", "push-nothing", "requests", 2),
    Aim("pull: 1.4 x creating the files", "transfer", "pull", "cpu_s", 1.4, "floor: python"),
    Aim("pull of nothing: requests", "transfer", "pull-nothing", "requests", 2),
    Aim("2 GiB add: 1.3 x sha256 + cp", "big", "add", "cpu_s", 1.3, "floor: sha256 + cp"),
    Aim("2 GiB push: memory", "big", "push", "peak_bytes", 150 * MIB),
    Aim("2 GiB pull: memory", "big", "pull", "peak_bytes", 150 * MIB),
    Aim("2 GiB push: 1/5 of DVC", "big", "push", "cpu_s", 1 / 5, "dvc"),
    Aim("2 GiB pull: 1/5 of DVC", "big", "pull", "cpu_s", 1 / 5, "dvc"),
    Aim("--version: 3 x bare Python", "startup", "version", "cpu_s", 3.0, "floor: python"),
    Aim("status of one file: 1/6 of DVC", "startup", "status", "cpu_s", 1 / 6, "dvc"),
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
