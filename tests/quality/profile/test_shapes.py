"""Shapes of many texts are found together; they are those of the texts one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.profile.patterns import shape, shapes_of

LETTERS = "aAbZ09 .,-+eE?!\n\t\r\x1f\x85\u00a0é\u00dfÉ\u01c5你٣\u0301\ud800\U0001f600\0"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(LETTERS, max_size=300)))
def test_shapes_of_many_texts_are_the_shapes_of_each(texts: list[str]) -> None:
    assert shapes_of(texts) == [shape(text) for text in texts]


def test_line_breaks_inside_of_texts_do_not_move_shapes() -> None:
    texts = ["Smith,\nJ.", "", "KA-12", "a" * 300, "\n"]

    assert shapes_of(texts) == ["Aa, A.", "", "A-99", "a…", " "]
