"""Plans of reads: laws that hold for any places, and the cases the numbers come from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.digest import Digest
from dvtool.core.packindex import Location, PackRef
from dvtool.store.remote.plan import GAP_BYTES, plan_ranges, runs_in_order

PACK = PackRef(bytes(32), 64 * 2**20)
KIB = 1024


def name(number: int) -> Digest:
    return Digest(number.to_bytes(32, "big"))


def at(offset: int, length: int, pack: PackRef = PACK) -> Location:
    return Location(pack, offset, length)


records = st.lists(
    st.tuples(st.integers(0, 5), st.integers(32, 60 * 2**20), st.integers(64, 2**20)), max_size=60
)


@given(records)
def test_every_record_is_read_once_and_requests_are_at_most_twice_the_packs(
    drawn: list[tuple[int, int, int]],
) -> None:
    places = {
        name(number): at(offset, length, PackRef(bytes([pack]) * 32, 64 * 2**20))
        for number, (pack, offset, length) in enumerate(drawn)
    }

    ranges = plan_ranges(places)

    read = [record for one in ranges for record in one.records]
    assert dict(read) == places
    assert len(read) == len(places)
    assert all(
        one.start <= where.offset
        and where.offset + where.length <= one.end
        and where.pack == one.pack
        for one in ranges
        for _, where in one.records
    )
    assert len(ranges) <= 2 * len({where.pack for where in places.values()})


def test_nothing_wanted_is_no_request() -> None:
    assert plan_ranges({}) == []
    assert runs_in_order([]) == []


def test_records_closer_than_the_gap_are_one_request() -> None:
    near = {name(1): at(32, KIB), name(2): at(32 + KIB + GAP_BYTES - 1, KIB)}
    far = {name(1): at(32, KIB), name(2): at(32 + KIB + GAP_BYTES, KIB)}

    assert [(one.start, one.end) for one in plan_ranges(near)] == [
        (32, 32 + 2 * KIB + GAP_BYTES - 1)
    ]
    assert len(plan_ranges(far)) == 2


def test_a_pack_of_which_more_than_half_is_wanted_is_one_request() -> None:
    pack = PackRef(bytes(32), 4 * 2**20)
    places = {
        name(1): at(32, 2**20, pack),
        name(2): at(3 * 2**20 - 100, 2**20 + 36, pack),
    }

    assert len(plan_ranges(places)) == 1


def test_the_smallest_gaps_are_given_up_first() -> None:
    places = {
        name(1): at(0, KIB),
        name(2): at(10 * 2**20, KIB),
        name(3): at(11 * 2**20, KIB),
        name(4): at(40 * 2**20, KIB),
    }

    ranges = plan_ranges(places)

    assert [[number[-1] for number, _ in one.records] for one in ranges] == [[1, 2, 3], [4]]


def test_parts_in_a_row_are_one_request_and_a_repeated_part_another() -> None:
    first, second = (name(1), at(32, KIB)), (name(2), at(32 + KIB, KIB))

    assert [len(one.records) for one in runs_in_order([first, second])] == [2]
    assert [len(one.records) for one in runs_in_order([first, first, second])] == [1, 2]
    assert [len(one.records) for one in runs_in_order([second, first])] == [1, 1]
