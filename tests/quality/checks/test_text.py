"""YAML to a tree with lines: what is read, and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.errors import InvalidText
from dvtool.quality.checks.text import MAX_BYTES, Node, parse_tree


def _plain(node: Node):
    if node.kind == "mapping":
        return {key.value: _plain(value) for key, value in node.pairs}
    return [_plain(one) for one in node.items] if node.kind == "list" else node.value


def test_scalars_follow_yaml_1_2s_core_schema():
    text = (
        "[NO, yes, on, 2027-01-01, 012, 0o14, 1e3, .5, true, ~, null, '1', 1_000, 12:30:00, .inf]"
    )

    assert _plain(parse_tree(text)) == [
        "NO", "yes", "on", "2027-01-01", 12, "0o14", 1000.0, 0.5, True, None, None, "1", "1_000",
        "12:30:00", ".inf",
    ]  # fmt: skip


def test_every_key_and_value_knows_its_line():
    root = parse_tree("a: 1\nb:\n  c:\n    - x\n    - y\n")

    (_, _), (b, inner) = root.pairs
    (c, items) = inner.pairs[0]
    assert (b.line, c.line, [one.line for one in items.items]) == (2, 3, [4, 5])


def test_an_alias_repeats_its_anchor():
    assert _plain(parse_tree("a: &x {min: 1}\nb: *x")) == {"a": {"min": 1}, "b": {"min": 1}}


def test_an_empty_file_is_an_empty_mapping():
    assert parse_tree("# nothing\n").pairs == ()


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("a: 1\nb: 2\na: 3", "a stands twice, first on line 1", 3),
        ("a: !!python/object:os.system x", "tags", 1),
        ("a: !x 1", "tags", 1),
        ("a: [1, 2", "not YAML", 1),
        ("a: 1\n---\nb: 2", "a second document", 2),
        ("%YAML 1.1\n---\na: 1", "YAML 1.2", 2),
        ("- &a [*a]", "names nothing above", 1),
        ("? [a]\n: 1", "a key is one word", 1),
        ("[" * 5000, "nested deeper", 1),
        ("a: \x00", "not YAML", 0),
        ("\ta: 1", "not YAML", 1),
    ],
)
def test_what_checks_do_not_need_is_refused_with_its_line(text, says, line):
    with pytest.raises(InvalidText, match=says) as caught:
        parse_tree(text)

    assert caught.value.line == line


def test_aliases_cannot_multiply_without_end():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    with pytest.raises(InvalidText, match="aliases counted"):
        parse_tree("\n".join(lines))


def test_a_file_that_is_too_large_is_not_parsed():
    with pytest.raises(InvalidText, match="larger than"):
        parse_tree("#" * (MAX_BYTES + 1))


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_invalid_text(text):
    with contextlib.suppress(InvalidText):
        assert isinstance(parse_tree(text), Node)
