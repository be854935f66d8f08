"""Findings about drift say what changed, by how much, and where to look."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

from dvtool.quality.drift.compare import PRIOR, compare_column
from dvtool.quality.drift.decisions import ColumnDrift, Effect
from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.distributions import CategoricalDistribution, numeric
from dvtool.quality.drift.wording import to_findings
from dvtool.quality.findings import Evidence, Finding, Outcome, Place, Severity

PLACE, RULE = Place("data/train.csv"), Place("data/train.csv.checks.yaml", line=4)


def drift_of(effect: Effect, role: str = "covariate") -> ColumnDrift:
    return ColumnDrift("age", (effect,), (1000, 900), (0, 3), role)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1
    return findings[0]


def test_a_failing_column_is_one_finding_with_figure_interval_and_limit() -> None:
    found = only(to_findings(drift_of(Effect("psi", 0.412, 0.33, 0.48, 0.25)), PLACE, rule=RULE))

    assert found.message == (
        "drifted from the baseline: population stability index 0.412"
        " (95 % interval 0.33 to 0.48), allowed 0.25"
    )
    assert (found.key, found.rule, found.evidence) == ("age.psi", RULE, Evidence.DRIFT)
    assert (found.outcome, found.severity) == (Outcome.VIOLATED, Severity.FAIL)


def test_a_shift_of_the_label_is_named_so() -> None:
    found = to_findings(drift_of(Effect("tvd", 0.4, 0.3, 0.5, 0.1), PRIOR), PLACE)

    assert only(found).message.startswith("prior probability shifted from the baseline: ")


def test_an_undecided_column_says_why() -> None:
    few = Effect("wasserstein", 0.2, 0, 0.4, 0.1, reason="12 rows in the new version")
    wide = Effect("js_distance_base2", 0.12, 0.05, 0.17, 0.1)

    first, second = (only(to_findings(drift_of(one), PLACE)) for one in (few, wide))
    assert first.message == (
        "drift undecided: 12 rows in the new version (normed Wasserstein distance)"
    )
    assert second.message == (
        "drift undecided: Jensen-Shannon distance 0.12 (95 % interval 0.05 to 0.17), allowed 0.1;"
        " 1000 against 900 rows cannot tell"
    )
    assert {first.outcome, second.outcome} == {Outcome.UNDECIDED}
    assert second.code == "js-distance-base2"


def test_a_passing_column_is_no_finding() -> None:
    assert to_findings(drift_of(Effect("psi", 0.01, 0, 0.02, 0.25)), PLACE) == []


def test_an_effect_that_is_only_shown_makes_no_finding() -> None:
    shown = Effect("psi", 0.9, 0.8, 1.0, 0.25).advisory()

    assert to_findings(drift_of(shown), PLACE) == []


def test_the_likely_fault_stands_in_the_message_and_gives_the_hint() -> None:
    before = np.random.default_rng(1).normal(50, 5, 3000)
    drift = compare_column(numeric(before), numeric(before * 1000), column="weight")
    fault = likely_fault(numeric(before), numeric(before * 1000))

    found = only(to_findings(drift, PLACE, fault=fault))
    assert found.message.endswith("likely fault: multiplied by 1000, about 100% of the rows")
    assert found.hint == "check the unit at the source of this column"


def test_nothing_of_a_private_column_but_counts_and_shares_is_told() -> None:
    before = CategoricalDistribution({"canary-old": 500, "b": 500}, 1000)
    after = CategoricalDistribution({"canary-new": 500, "b": 500}, 1000)
    drift = compare_column(before, after)
    fault = likely_fault(before, after)

    private = only(to_findings(drift, PLACE, fault=fault, private=True))
    public = only(to_findings(drift, PLACE, fault=fault))
    assert "canary" not in f"{private.message}{private.hint}{json.dumps(private.figures)}"
    assert "'canary-old' was renamed to 'canary-new'" in public.message


def test_figures_are_json_even_without_a_number() -> None:
    drift = compare_column(numeric([]), numeric([]))

    text = json.dumps(only(to_findings(drift, PLACE)).figures, allow_nan=False)
    assert '"value": null' in text


def test_words_and_thresholds_are_read_without_numpy() -> None:
    code = (
        "import sys, dvtool.quality.drift.wording, dvtool.quality.drift.methods;"
        "sys.exit('numpy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
