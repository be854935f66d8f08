"""What the system says about free memory, from texts as systems write them, and what rows may take."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.quality.tables import csvfile, sampling
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.headroom import available_bytes, group_free, group_paths, row_bytes
from dvtool.quality.tables.opening import open_table

MIB = 1 << 20
MEMINFO = """MemTotal:       24684092 kB
MemFree:        19921244 kB
MemAvailable:    8192000 kB
Buffers:          377960 kB
"""
UNLIMITED = "9223372036854771712\n"


def system(root: Path, files: dict[str, str]) -> Path:
    """Returns a folder with files of `/proc` and `/sys`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")
    return root


def group(folder: str, limit: str, used: str, stat: str = "") -> dict[str, str]:
    """Returns the files of a control group of version 2."""
    return {
        f"{folder}/memory.max": limit,
        f"{folder}/memory.high": "max\n",
        f"{folder}/memory.current": used,
        f"{folder}/memory.stat": stat,
    }


def old_group(folder: str, limit: str, used: str, stat: str = "") -> dict[str, str]:
    """Returns the files of a control group of version 1."""
    return {
        f"{folder}/memory.limit_in_bytes": limit,
        f"{folder}/memory.usage_in_bytes": used,
        f"{folder}/memory.stat": stat,
    }


def test_without_control_groups_the_machine_decides(tmp_path: Path) -> None:
    root = system(tmp_path, {"proc/meminfo": MEMINFO})

    assert available_bytes(root) == 8_388_608_000


def test_a_system_that_tells_nothing_is_known_to_tell_nothing(tmp_path: Path) -> None:
    assert available_bytes(tmp_path) is None
    assert available_bytes(system(tmp_path, {"proc/meminfo": "MemTotal: 1 kB\n"})) is None


def test_a_limit_counts_without_what_is_used_and_cache_does_not_count_as_used(
    tmp_path: Path,
) -> None:
    stat = "anon 500000000\ninactive_file 300000000\nactive_file 5\n"
    files = group("sys/fs/cgroup/ci/job", "2000000000\n", "1000000000\n", stat)
    own = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/ci/job\n"}

    assert available_bytes(system(tmp_path, own | files)) == 1_300_000_000


def test_the_narrowest_of_the_groups_around_decides(tmp_path: Path) -> None:
    files = group("sys/fs/cgroup/a/b", "max\n", "1000\n")
    files |= group("sys/fs/cgroup/a", "900000000\n", "400000000\n")
    files |= {"sys/fs/cgroup/a/memory.high": "600000000\n"}
    own = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/a/b\n"}

    assert available_bytes(system(tmp_path, own | files)) == 200_000_000


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    files = group("sys/fs/cgroup", "4294967296\n", "294967296\n")
    own = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/\n"}

    assert available_bytes(system(tmp_path, own | files)) == 4_000_000_000


def test_groups_of_version_1_are_read_beside_an_empty_tree_of_version_2(tmp_path: Path) -> None:
    stat = "cache 7\ntotal_inactive_file 100000000\n"
    files = old_group("sys/fs/cgroup/memory", "1500000000\n", "700000000\n", stat)
    lines = "9:name=systemd:/\n4:memory:/docker/4f1c\n1:cpu,cpuacct:/docker/4f1c\n0::/\n"
    own = {"proc/meminfo": MEMINFO, "proc/self/cgroup": lines}

    # the path is the host's, of which the container sees only the last folder, as the root
    assert available_bytes(system(tmp_path, own | files)) == 900_000_000


def test_a_group_of_version_1_without_a_limit_leaves_it_to_the_machine(tmp_path: Path) -> None:
    files = old_group("sys/fs/cgroup/memory/user", UNLIMITED, "700000000\n")
    own = {"proc/meminfo": MEMINFO, "proc/self/cgroup": "4:memory:/user\n"}

    assert available_bytes(system(tmp_path, own | files)) == 8_388_608_000


def test_a_group_that_is_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    files = group("sys/fs/cgroup", "1000\n", "5000\n")

    assert available_bytes(system(tmp_path, {"proc/self/cgroup": "0::/\n"} | files)) == 0


def test_texts_that_no_system_should_write_are_passed_over() -> None:
    assert group_free("", "", "") is None
    assert group_free("lots", "12", "") is None
    assert group_free("12", "", "") is None
    assert group_free("12", "2", "odd\n\n") == 10
    assert group_paths("what is this\n\n") == (None, None)


def test_a_limit_of_the_address_space_counts() -> None:
    script = "from dvtool.quality.tables.headroom import available_bytes\nprint(available_bytes())"
    limit = 900 * MIB
    done = subprocess.run(
        [sys.executable, "-c", script],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        check=True,
    )

    assert 0 < int(done.stdout) < limit


def test_rows_are_held_within_the_engines_memory_whatever_is_free() -> None:
    with Engine(available=lambda: 0) as engine:
        assert engine.can_hold(480 * MIB)
        assert not engine.can_hold(480 * MIB + 1)


def test_more_rows_are_held_in_a_third_of_what_is_free() -> None:
    with Engine(available=lambda: 6000 * MIB) as engine:
        assert engine.can_hold(2000 * MIB)
        assert not engine.can_hold(2001 * MIB)


def test_nobody_asks_the_machine_where_somebody_said_how_much() -> None:
    def asked() -> int:
        raise AssertionError("asked")

    with Engine(memory_bytes=1000 * MIB, available=asked) as engine:
        assert engine.can_hold(750 * MIB)
        assert not engine.can_hold(751 * MIB)


def test_where_nobody_knows_what_is_free_nothing_more_is_held() -> None:
    with Engine(available=lambda: None) as engine:
        assert not engine.can_hold(481 * MIB)


def test_rows_that_are_held_count_and_leave_the_engine_a_half() -> None:
    free = [9000 * MIB]
    with Engine(available=lambda: free[0]) as engine:
        engine.keep("one", "SELECT 1 AS x", 8, held_bytes=2000 * MIB)
        free[0] -= 2000 * MIB

        assert engine.can_hold(1000 * MIB)
        assert not engine.can_hold(1001 * MIB)
        with engine.handing_out():
            assert engine.rows("SELECT current_setting('memory_limit')") == [("320.0 MiB",)]
        assert engine.memory_bytes == 640 * MIB


def test_a_row_takes_what_its_values_take() -> None:
    assert row_bytes([]) == 8
    assert row_bytes(["BIGINT", "DATE", "BOOLEAN"]) == 8 + (8 + 2) + (4 + 2) + (1 + 2)
    assert row_bytes(["VARCHAR", "BIGINT[]"]) == 8 + 18 + 18


@pytest.mark.parametrize(("free", "is_held"), [(0, False), (1 << 40, True)])
def test_a_table_says_the_same_whatever_memory_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_held: bool
) -> None:
    monkeypatch.setattr(csvfile, "LARGE_BYTES", 0)
    monkeypatch.setattr(sampling, "held_bytes", lambda *_: 500 * MIB)
    path = tmp_path / "x.csv"
    path.write_text("n,t\n" + "".join(f"{n},{n:x>30}\n" for n in range(500)) + "1\n7,\n", "ascii")
    with Engine(available=lambda: free) as engine:
        table = open_table(engine, path, name="x.csv")

        assert engine.rows(f"SELECT count(n), sum(n), max(t) FROM {table.source}") == [
            (501, 124757, "x" * 29 + "9")
        ]
        assert [(one.code, one.place.line) for one in table.findings] == [("ragged-rows", 502)]
        tables = engine.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'csv%'")
        assert tables == [(0 if is_held else 1,)]


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "rows"), [(2, 300_000), (60, 50_000)])
def test_rows_take_about_as_much_memory_as_was_reckoned(
    tmp_path: Path, columns: int, rows: int
) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", encoding="ascii") as file:
        file.write(",".join(f"c{n}" for n in range(columns)) + "\n")
        for n in range(rows):
            file.write(",".join(str((n * 7 + c) % 97 or "") for c in range(columns)) + f"{n:040}\n")
    script = f"""
from pathlib import Path
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * {resource.getpagesize()}
keep = Engine.keep
def measured(self, stem, query, size_bytes, *, held_bytes):
    keep(self, stem, query, size_bytes, held_bytes=held_bytes)  # takes what was given back before
    before = resident()
    name = keep(self, stem, query, size_bytes, held_bytes=held_bytes)
    print(held_bytes / (resident() - before))
    return name
Engine.keep = measured
with Engine() as engine:
    open_table(engine, Path({str(path)!r}), contents=False)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert 0.7 < float(done.stdout) < 1.4
