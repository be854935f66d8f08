"""Addresses: one reading of each text, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.address import Address, parse_address
from dvtool.errors import UsageError
from tests.core.strategies import law


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dvt://v1.2@data/train.csv", Address("", "v1.2", "data/train.csv")),
        ("v1.2@data/train.csv", Address("", "v1.2", "data/train.csv")),
        ("dvt://data/train.csv", Address("", "", "data/train.csv")),
        ("dvt://@odd@name.csv", Address("", "", "odd@name.csv")),
        ("dvt://feature/new@a.csv", Address("", "feature/new", "a.csv")),
        ("dvt://HEAD%40{1}@a.csv", Address("", "HEAD@{1}", "a.csv")),
        ("dvt:///srv/repo:v1@a.csv", Address("/srv/repo", "v1", "a.csv")),
        ("dvt://https://host/x.git:main@a.csv", Address("https://host/x.git", "main", "a.csv")),
        ("dvt://git%40host:org/x:v1@a@b.csv", Address("git@host:org/x", "v1", "a@b.csv")),
        ("dvt://v1@", Address("", "v1", "")),
        ("dvt://v1@data/", Address("", "v1", "data")),
    ],
)
def test_an_address_has_one_reading(text: str, expected: Address) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["dvt://v1@../x", "dvt://v1@a/./b", "dvt:///srv/repo:@a.csv"])
def test_addresses_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


@law
@given(
    st.text(st.characters(exclude_characters=":\0\n", exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_characters=":\0\n", exclude_categories=["Cs"]), min_size=1),
    st.text("ab@%:.", min_size=1).filter(lambda path: set(path) - {"."} != set()),
)
def test_what_is_put_together_is_taken_apart_again(repository: str, rev: str, path: str) -> None:
    address = Address(repository, rev, path)

    assert parse_address(f"dvt://{address}") == address
