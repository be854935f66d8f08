"""Drift as the checks ask for it: rows in blocks, and the experimental models."""

from __future__ import annotations

import datetime as dt
import random
import sys
from pathlib import Path

import pytest

from dvtool.errors import InvalidText
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.findings import Outcome, Severity
from dvtool.quality.judged import JudgedTable
from tests.quality.two_versions import judged


def of(table: JudgedTable, code: str) -> list[tuple[str, Outcome, Severity]]:
    return [(one.column, one.outcome, one.severity) for one in table.findings if one.code == code]


def visits(seed: int, *, people: int, each: int, shift: float = 0.0) -> str:
    """Returns a CSV of people who come often and spend nearly the same each time."""
    draw = random.Random(seed)
    lines = ["person,day,spent,shop"]
    start = dt.date(2024, 1, 1)
    for person in range(people):
        level, shop = draw.gauss(50 + shift, 10), draw.choice("abc")
        for visit in range(each):
            day = start + dt.timedelta(days=person * 3 + visit % 3)
            spent = f"{level + draw.gauss(0, 0.5):.2f}"
            lines.append(f"p{seed}-{person},{day},{spent},{shop}")
    return "\n".join(lines) + "\n"


def numbered(first: int, start: dt.date) -> str:
    lines = [f"{first + n},{start + dt.timedelta(n)},{n % 7}" for n in range(300)]
    return "\n".join(["id,day,n", *lines]) + "\n"


def test_thresholds_for_the_table_are_not_meant_for_columns_that_name_rows_or_moments(
    tmp_path: Path,
) -> None:
    before, after = numbered(0, dt.date(2024, 1, 1)), numbered(5000, dt.date(2026, 1, 1))

    whole = judged(tmp_path, before, after, "drift: {psi: 0.25, ks: 0.1}\nkey: [id]\n")
    own = judged(tmp_path, before, after, "columns: {id: {drift: {psi: 0.25}}}\nkey: [id]\n")

    assert {one["column"] for one in whole.drift} == {"n"}
    assert ("id", Outcome.VIOLATED, Severity.FAIL) in of(own, "psi")


# -- blocks --------------------------------------------------------------------------------------

DRIFTS = ("wasserstein", "tails", "js-distance-base2", "psi")


def measured(seed: int, *, out: int = 0, shop: str = "ab") -> str:
    """Returns 2,000 rows of a number, of which some lie far out, and a shop."""
    draw = random.Random(seed)
    values = [draw.gauss(50, 10) for _ in range(2000 - out)] + [900.0] * out
    draw.shuffle(values)
    rows = [f"{at},{value:.2f},{shop[at * 7 % len(shop)]}" for at, value in enumerate(values)]
    return "\n".join(["id,n,shop", *rows]) + "\n"


@pytest.mark.parametrize(
    ("column", "method", "strict", "loose"),
    [
        ("n", "tails", 0.02, 0.1),
        ("n", "far_tails", 1, 10),
        ("n", "wasserstein_iqr", 0.5, 9),
        ("shop", "tvd", 0.1, 0.6),
    ],
)
def test_every_method_that_is_computed_can_be_asked_for(
    tmp_path: Path, column: str, method: str, strict: float, loose: float
) -> None:
    before, after = measured(1), measured(2, out=100, shop="abbb" if column == "shop" else "ab")
    checks = "columns: {%s: {drift: {%s: %s}}}\nkey: [id]\n"

    found = judged(tmp_path, before, after, checks % (column, method, strict))
    fine = judged(tmp_path, before, after, checks % (column, method, loose))

    code = method.replace("_", "-")
    assert of(found, code) == [(column, Outcome.VIOLATED, Severity.FAIL)]
    assert f"allowed {strict}" in next(one.message for one in found.findings if one.code == code)
    assert of(fine, code) == []


def test_psi_can_be_asked_for_with_room_in_the_tails_that_it_brings_along(tmp_path: Path) -> None:
    before, after = measured(1), measured(2, out=60)
    checks = "columns: {n: {drift: {psi: 0.25%s}}}\nkey: [id]\n"

    found = judged(tmp_path, before, after, checks % "")
    roomy = judged(tmp_path, before, after, checks % ", tails: 0.2, far_tails: 9")

    assert [(one.column, one.outcome) for one in found.findings if one.column == "n"] == [
        ("n", Outcome.VIOLATED)
    ]
    assert [one for one in roomy.findings if one.column == "n"] == []


def test_what_the_table_asks_of_numbers_leaves_other_columns_to_the_defaults(
    tmp_path: Path,
) -> None:
    before, after = measured(1), measured(2, out=100, shop="abbb")

    found = judged(tmp_path, before, after, "drift: {tails: 0.01}\nkey: [id]\n")

    assert of(found, "tails") == [("n", Outcome.VIOLATED, Severity.FAIL)]
    assert of(found, "js-distance-base2") == [("shop", Outcome.VIOLATED, Severity.WARN)]
    own = judged(tmp_path, before, after, "columns: {shop: {drift: {tails: 0.01}}}\nkey: [id]\n")
    assert of(own, "tails") == [("shop", Outcome.UNDECIDED, Severity.FAIL)]


def failed(table: JudgedTable) -> set[str]:
    return {
        one.column
        for one in table.findings
        if one.code in DRIFTS and one.outcome is Outcome.VIOLATED
    }


def test_rows_of_one_group_are_resampled_together(tmp_path: Path) -> None:
    before, after = visits(1, people=40, each=100), visits(2, people=40, each=100)
    asked = "columns:\n  spent: {drift: {wasserstein: 0.1}}\n  shop: {drift: {js: 0.05}}\n"

    alone = judged(tmp_path, before, after, asked)
    grouped = judged(tmp_path, before, after, asked + "group: person\n")
    in_time = judged(tmp_path, before, after, asked + "time: {column: day}\n")

    assert failed(alone) == {"spent", "shop", "person"}
    assert failed(grouped) == set()
    assert failed(in_time) - {"person"} == set()


def test_a_real_shift_is_found_in_blocks_as_well(tmp_path: Path) -> None:
    before = visits(1, people=300, each=10)
    after = visits(2, people=300, each=10, shift=60)
    asked = "columns:\n  spent: {drift: {wasserstein: 0.1}}\ngroup: person\n"

    assert failed(judged(tmp_path, before, after, asked)) == {"spent"}


def test_too_few_blocks_decide_nothing(tmp_path: Path) -> None:
    before, after = visits(1, people=5, each=100), visits(2, people=5, each=100)

    table = judged(tmp_path, before, after, "columns: {spent: {drift: {ks: 0.1}}}\ngroup: person\n")

    (found,) = [one for one in table.findings if one.code == "ks"]
    assert found.outcome is Outcome.UNDECIDED
    assert "5 blocks, at least 8 needed" in found.message


# -- models --------------------------------------------------------------------------------------


def labelled(seed: int, *, flipped: bool = False, shift: float = 0.0, rows: int = 1500) -> str:
    draw = random.Random(seed)
    lines = ["id,x,y,kind,label"]
    for number in range(rows):
        x, y = draw.gauss(shift, 1), draw.gauss(0, 1)
        answer = (x > 0) != flipped
        lines.append(f"{number},{x:.4f},{y:.4f},{draw.choice('ab')},{'yes' if answer else 'no'}")
    return "\n".join(lines) + "\n"


CONCEPT = "label: label\nconcept: 0.1\nkey: [id]\n"


def test_concept_drift_is_found_where_the_label_means_something_else(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    table = judged(tmp_path, labelled(1), labelled(2, flipped=True), CONCEPT)

    (found,) = [one for one in table.findings if one.code == "performance-change"]
    assert (found.outcome, found.severity) == (Outcome.VIOLATED, Severity.FAIL)
    assert "concept drift" in found.message and "not called" not in found.message
    assert found.rule is not None and found.rule.line == 2
    (shown,) = [one for one in table.drift if one["role"] == "concept"]
    assert (shown["column"], shown["decision"]) == ("label", "fail")
    assert shown["is_concept_drift"] is True
    assert [(one["method"], one["experimental"]) for one in shown["effects"]] == [
        ("performance_change", True),
        ("performance_change_reweighted", True),
    ]
    assert "(experimental)" in found.message
    assert not any(
        effect["experimental"]
        for one in table.drift
        if one["role"] == "covariate"
        for effect in one["effects"]
    )


def test_without_a_change_of_meaning_there_is_no_concept_drift(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    table = judged(tmp_path, labelled(1), labelled(2), CONCEPT.replace("0.1", "1.0"))

    assert of(table, "performance-change") == []


def test_a_model_that_tells_the_versions_apart_names_the_columns(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    table = judged(
        tmp_path, labelled(1), labelled(2, shift=2), "two_sample: 0.6\nkey: [id]\ndrift: false\n"
    )

    (found,) = [one for one in table.findings if one.code == "classifier-auc"]
    assert found.outcome is Outcome.VIOLATED
    assert found.message.startswith("a small model (experimental) tells the versions apart")
    (shown,) = [one for one in table.drift if one["column"] == "(all columns)"]
    assert [one["experimental"] for one in shown["effects"]] == [True]
    assert "; by x (0." in found.message
    assert "id" not in found.message.rpartition("; by ")[2]


def test_versions_that_look_alike_pass(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    table = judged(tmp_path, labelled(1), labelled(2), "two_sample: 0.6\nkey: [id]\n")

    assert of(table, "classifier-auc") == []
    assert [one["decision"] for one in table.drift if one["column"] == "(all columns)"] == ["pass"]


def test_without_the_extra_the_models_are_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "sklearn.ensemble", raising=False)

    table = judged(tmp_path, labelled(1), labelled(2), CONCEPT + "two_sample: 0.6\n")

    found = [one for one in table.findings if one.outcome is Outcome.UNDECIDED]
    assert {one.code for one in found} >= {"performance-change", "classifier-auc"}
    models = [one for one in found if one.code in ("performance-change", "classifier-auc")]
    assert all(one.message.startswith("could not run (experimental): ") for one in models)
    assert all(one.hint == "pip install 'dvtool[ml]'" for one in models)


def test_concept_needs_a_label() -> None:
    with pytest.raises(InvalidText, match="concept needs a label"):
        parse_checks("concept: 0.1\n", source="x.checks.yaml")
