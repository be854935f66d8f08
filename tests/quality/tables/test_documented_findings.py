"""Every structural finding that can be made is documented, with what it does to the verdict."""

from __future__ import annotations

import re
from pathlib import Path

from dvtool.quality.tables.options import NULLS
from dvtool.quality.tables.structure import SEVERITIES

PAGE = (Path(__file__).parents[3] / "docs" / "reading-tables.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`[a-z-]+`(?: `[a-z-]+`)*) \| (fail|warn|note) \|", PAGE, re.MULTILINE)


def test_every_code_is_documented_with_its_verdict():
    told = {code: verdict for codes, verdict in ROWS for code in re.findall(r"`(.+?)`", codes)}

    assert told == {code: severity.value for code, severity in SEVERITIES.items()}


def test_every_missing_word_is_documented():
    paragraph = PAGE.split("## Missing values")[1].split("##")[0]

    assert [one for one in NULLS if one and f"`{one}`" not in paragraph] == []
