"""The written pages agree with the code, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from dvtool.core.config import CLONE_KEYS, COMMITTED_KEYS, ENVIRONMENT
from dvtool.core.remoteurl import CLONE_OPTIONS, COMMITTED_OPTIONS
from dvtool.ops.add import INLINE_MAX_ENTRIES
from dvtool.ops.remotes import TRUST_VARIABLE
from dvtool.worktree.status import State

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
PAGES = sorted([TOP / "README.md", TOP / "CHANGELOG.md", *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def concepts() -> str:
    return (DOCS / "concepts.md").read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Returns the anchors that a page sets, and those that git hosts give to its headings."""
    text = without_code(page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain} | set(
        re.findall(r'<a id="([^"]+)">', text)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_to_files_and_headings_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("name", [*ENVIRONMENT, TRUST_VARIABLE, "DVTOOL_DEBUG", "DVTOOL_SKIP_PUSH"])
def test_every_environment_variable_is_explained(name: str) -> None:
    assert f"`{name}`" in concepts()


@pytest.mark.parametrize("key", sorted((COMMITTED_KEYS | CLONE_KEYS) - {"format"}))
def test_every_setting_is_explained(key: str) -> None:
    assert f"`{key}`" in concepts()


@pytest.mark.parametrize("protocol", sorted(set(COMMITTED_OPTIONS) - {"file", "memory"}))
def test_the_options_of_a_protocol_are_listed_where_they_are_allowed(protocol: str) -> None:
    rows = [line for line in concepts().splitlines() if re.match(rf"\|.*`{protocol}`.*\|", line)]

    listed = [set(re.findall(r"`([^`]+)`", row.split("|")[2])) for row in rows]
    assert listed == [set(COMMITTED_OPTIONS[protocol]), set(CLONE_OPTIONS[protocol])]


def test_every_state_of_a_file_is_explained() -> None:
    assert {state for state in get_args(State) if f"**{state}**" not in concepts()} == set()


def test_the_limit_for_inline_lists_is_the_one_in_the_pages() -> None:
    assert f"more than {INLINE_MAX_ENTRIES:,} entries" in " ".join(concepts().split())


def test_decision_records_are_numbered_without_gaps_and_say_all_four_things() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))

    assert [record.name[:4] for record in records] == [
        f"{number:04}" for number in range(1, len(records) + 1)
    ]
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(record.name[:4])}. ")
        for part in ("Context", "Options", "Decision", "Consequence", "How we would know"):
            assert f"**{part}" in text, f"{record.name} lacks {part}"
