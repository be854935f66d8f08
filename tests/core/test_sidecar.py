"""Sidecars: one text for each value, strict to the byte, and YAML all the same."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core import manifest
from dvtool.core.digest import format_digest
from dvtool.core.manifest import encode_lines
from dvtool.core.quote import quote
from dvtool.core.sidecar import Sidecar, encode_sidecar, file_sidecar, parse_sidecar
from dvtool.core.tree import Entry, Tree
from dvtool.errors import InvalidText, UnsafePath
from tests.core.strategies import digest, file, folder, is_peaceful, law, tree, trees

SHA = "sha256:" + "0123456789abcdef" * 4
FILE = f"dvt: 1\nkind: file\ndigest: {SHA}\nsize: 12\nmode: f\n"
INLINE = f"dvt: 1\nkind: directory\nlayout: inline\nfiles: |\n  {SHA} 12 f a\n  - 0 d b\n"
SHARDED = f"dvt: 1\nkind: directory\nlayout: sharded\nshards: |\n  {SHA} 99 a\n  {SHA} 99 b\n"

extra_values = st.one_of(
    st.sampled_from(
        ["MIT", "/a/b", "1", "12345678", '"quoted: #"', '""', "a: b"[:1], "yes", "null"]
    ),
    st.from_regex(r"[A-Za-z][A-Za-z0-9 /.,-]{0,10}[a-z]", fullmatch=True),
    st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=10).map(
        lambda t: '"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
)
extras = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True).filter(
        lambda k: k not in {"dvt", "kind", "digest", "size", "mode", "layout", "files", "shards", "tree"}
    ),
    extra_values, max_size=3,
).map(lambda d: tuple(sorted(d.items())))  # fmt: skip


@st.composite
def sidecars(draw):
    """Sidecars with the shards they need."""
    extra = draw(extras)
    if draw(st.booleans()):
        entry = Entry(b"", digest(draw(st.text(max_size=3))), draw(st.integers(0, 2**63 - 1)),
                      draw(st.sampled_from("fx")))  # fmt: skip
        return Sidecar("file", entries=(entry,), extra=extra), {}
    empty = Sidecar("directory", draw(st.sampled_from(["inline", "sharded"])), extra=extra)
    return empty.with_tree(draw(trees))


@law
@given(sidecars())
def test_a_sidecar_reads_back_as_its_value(made):
    sidecar, shards = made

    text = encode_sidecar(sidecar)

    assert parse_sidecar(text) == sidecar
    assert sidecar.tree(lambda d, size: shards[d]) == parse_sidecar(text).tree(
        lambda d, s: shards[d]
    )


@law
@given(sidecars())
def test_a_sidecar_is_yaml_that_says_the_same(made):
    sidecar, _ = made

    loaded = yaml.safe_load(encode_sidecar(sidecar))

    assert (loaded["dvt"], loaded["kind"]) == (1, sidecar.kind)
    if sidecar.kind == "file":
        (entry,) = sidecar.entries
        assert loaded["digest"] == format_digest(entry.digest)
        assert (loaded["size"], loaded["mode"]) == (entry.size, entry.mode)
    elif sidecar.layout == "inline":
        assert loaded["files"].encode() == encode_lines(sidecar.entries)
    else:
        assert loaded["shards"].encode() == b"".join(
            b"%s %d %s\n" % (format_digest(s.digest).encode(), s.size, quote(s.first))
            for s in sidecar.shards
        )
    known = {"dvt", "kind", "digest", "size", "mode", "layout", "files", "shards"}
    for key, value in sidecar.extra:
        if value.startswith('"'):
            assert loaded[key] == value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        elif value.isdigit():
            assert loaded[key] == int(value)
    assert len(set(loaded) - known) == len(sidecar.extra)


@law
@given(
    sidecars(),
    st.integers(0, 2_000),
    st.sampled_from([*'\n :|-"\\#0a<\r\t', "", "\x00", "é", "  "]),
)
def test_no_altered_text_is_a_second_spelling(made, at, patch):
    text = encode_sidecar(made[0])
    at %= len(text) + 1
    for altered in (
        text[:at] + patch.encode() + text[at:],
        text[:at] + patch.encode() + text[at + 1 :],
    ):
        try:
            value = parse_sidecar(altered)
        except InvalidText:
            continue
        assert encode_sidecar(value) == altered


@pytest.mark.parametrize("text", [FILE, INLINE, SHARDED])
@pytest.mark.parametrize(
    "alter",
    [
        lambda t: "",
        lambda t: "\n",
        lambda t: t[:-1],
        lambda t: t + "\n",
        lambda t: "\n" + t,
        lambda t: "\ufeff" + t,
        lambda t: "---\n" + t,
        lambda t: "# comment\n" + t,
        lambda t: t.replace("\n", "\r\n"),
        lambda t: t.replace(": ", ":  ", 1),
        lambda t: t.replace(": ", ":", 1),
        lambda t: t.replace("dvt: 1", "dvt: 2"),
        lambda t: t.replace("dvt: 1", "dvt: 01"),
        lambda t: t.replace("dvt: 1\n", ""),
        lambda t: t.replace("dvt: 1\n", "dvt: 1\ndvt: 1\n"),
        lambda t: t.replace("kind: ", "kind: x"),
        lambda t: t.replace("sha256", "SHA256", 1),
        lambda t: t.replace("abcdef", "ABCDEF", 1),
        lambda t: t.replace("\nkind", " \nkind"),
        lambda t: t + "tree: x\n",
        lambda t: t + "<<<<<<< ours\n",
        lambda t: "<<<<<<< ours\n" + t,
        lambda t: t.replace("\n", "\n\n", 1),
        lambda t: t + "dvt: 1\n",
    ],
)
def test_text_that_differs_in_any_way_is_refused(text, alter):
    with pytest.raises(InvalidText):
        parse_sidecar(alter(text).encode())


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kind: directory", "kind: folder", 2),
        ("layout: inline", "layout: packed", 3),
        ("files: |", "files:", 4),
        ("files: |", "shards: |", 4),
        ("files: |", "files: |-", 4),
        ("files: |", "b: 1\na: 1\nfiles: |", 5),
        ("files: |", "a: 1\na: 1\nfiles: |", 5),
        ("files: |", "a: 2024-13-45\nfiles: |", 4),
        ("files: |", "a: 0x_\nfiles: |", 4),
        ("files: |", "a: .5\nfiles: |", 4),
        ("files: |", "a: =\nfiles: |", 4),
        ("files: |", "a: b: c\nfiles: |", 4),
        ("files: |", "a: b:\nfiles: |", 4),
        ("files: |", "a: b #c\nfiles: |", 4),
        ("files: |", "a: [b]\nfiles: |", 4),
        ("files: |", "a: *b\nfiles: |", 4),
        ("files: |", "a: !!python/object:x\nfiles: |", 4),
        ("files: |", 'a: "\\x41"\nfiles: |', 4),
        ("  - 0 d b", " - 0 d b", 6),
        ("  - 0 d b", "   - 0 d b", 6),
        ("  - 0 d b", "  - 0 d a", 6),
        ("f a\n  - 0 d b", "f A\n  - 0 d a", 0),
        ("  - 0 d b", "  - 0 d a/b", 0),
        ("  - 0 d b", "  - 0 d .git", 6),
    ],
)
def test_the_line_at_fault_is_named(old, new, line):
    with pytest.raises(InvalidText) as caught:
        parse_sidecar(INLINE.replace(old, new).encode(), source="data.dvt")

    assert caught.value.line == line
    assert str(caught.value).startswith(f"data.dvt:{line}: " if line else "data.dvt: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" 99 b", " 0 b"),
        (" 99 b", " 099 b"),
        (" 99 b", " 999999999 b"),
        (" 99 b", " 99999999999 b"),
        (" 99 b", " 99 a"),
        (" 99 b", " 99 ../b"),
        (" 99 b", ' 99 "b"'),
        (" 99 b", " 99 "),
    ],
)
def test_shard_line_that_is_wrong_is_refused(old, new):
    with pytest.raises(InvalidText):
        parse_sidecar(SHARDED.replace(old, new).encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [("size: 12", "size: 012"), ("size: 12", "size: 9223372036854775808"), ("size: 12", "size: 1e3"),
     ("mode: f", "mode: l"), ("mode: f", "mode: d"), ("mode: f", "mode: fx"),
     ("size: 12\nmode: f", "mode: f\nsize: 12"), ("mode: f", "mode: f\n  a"),
     (f"digest: {SHA}", "digest: -"), ("mode: f", "mode: f\nlayout: inline")],
)  # fmt: skip
def test_file_sidecar_that_is_wrong_is_refused(old, new):
    with pytest.raises(InvalidText):
        parse_sidecar(FILE.replace(old, new).encode())


def test_conflict_markers_lead_to_resolve():
    with pytest.raises(InvalidText) as caught:
        parse_sidecar(INLINE.replace("  - 0", "<<<<<<< ours\n  - 0").encode())

    assert caught.value.hint == "dvtool resolve"


def test_control_characters_of_a_text_do_not_reach_the_message():
    for text in ("dvt: \x1b[31m\n", FILE.replace("file", "\x1b[31m"), FILE.replace(": f", ": \x1b[31m"),
                 INLINE.replace("inline", "\x1b[31m"), INLINE.replace("- 0", "\x1b[31m")):  # fmt: skip
        with pytest.raises(InvalidText) as caught:
            parse_sidecar(text.encode())
        assert "\x1b" not in str(caught.value)


def test_unsafe_paths_keep_their_kind_of_error():
    with pytest.raises(UnsafePath):
        parse_sidecar(INLINE.replace("d b", "d ..").encode())


def test_unknown_keys_are_kept_when_the_tree_changes():
    sidecar = parse_sidecar(INLINE.replace("files", 'licence: MIT\nnote: "a: b"\nfiles').encode())

    changed, _ = sidecar.with_tree(tree(file("x")))

    assert changed.extra == (("licence", "MIT"), ("note", '"a: b"'))
    assert changed.entries == (file("x"),)


def test_layout_is_kept_whatever_the_number_of_entries():
    sharded, shards = Sidecar("directory", "sharded").with_tree(tree(file("x")))
    emptied, none = sharded.with_tree(Tree())

    assert (len(sharded.shards), len(shards)) == (1, 1)
    assert (emptied.layout, emptied.shards, none) == ("sharded", (), {})


def test_clash_of_paths_in_two_shards_is_refused_when_the_tree_is_read(monkeypatch):
    monkeypatch.setattr(manifest, "SHARD_DIVISOR", 1)
    sidecar, shards = Sidecar("directory", "sharded").with_tree(tree(file("A"), file("a")))

    with pytest.raises(InvalidText, match="side by side"):
        parse_sidecar(encode_sidecar(sidecar)).tree(lambda d, size: shards[d])


def test_file_sidecar_has_no_path_of_its_own():
    assert file_sidecar(file("data/a.csv")).entries[0].path == b""


def test_empty_directory_data_set_is_valid_in_both_layouts():
    for layout in ("inline", "sharded"):
        sidecar = Sidecar("directory", layout)

        assert parse_sidecar(encode_sidecar(sidecar)) == sidecar
        assert len(sidecar.tree(lambda d, size: b"")) == 0


def test_folders_recorded_as_empty_read_back():
    sidecar, _ = Sidecar("directory").with_tree(tree(folder("a/b"), folder("c")))

    assert b"  - 0 d a/b\n  - 0 d c\n" in encode_sidecar(sidecar)
    assert is_peaceful(parse_sidecar(encode_sidecar(sidecar)).tree(lambda d, s: b""))
