"""Figures and a chart from replays of gates: tables as markdown, false alarms against detection as SVG.

    python benchmarks/gates/chart.py --gatebench DIR OUT.jsonl [--windows WINDOWS.jsonl] [--svg FILE]

The reference gates' figures are those that come with the benchmark (`reference/PUBLIC.md`).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment

WIDTH, HEIGHT, MARGIN = 640, 400, 52
LARGEST_RATE = 80
"""Percent of false alarms at the right end; gates that cry more often stand at it."""
WHERE_VERSIONS_HELP = (
    "rows_misaligned",
    "stale_batch",
    "int_became_float",
    "time_shift",
    "category_renamed",
)
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" role="img" \
font-family="sans-serif" font-size="12" aria-label="False alarms against detection, by gate">
<rect width="{{ width }}" height="{{ height }}" fill="#ffffff"/>
{% for line in lines -%}
<line x1="{{ line[0] }}" y1="{{ line[1] }}" x2="{{ line[2] }}" y2="{{ line[3] }}" stroke="#d8d8d8"/>
{% endfor -%}
{% for text in texts -%}
<text x="{{ text[0] }}" y="{{ text[1] }}" fill="#444444" text-anchor="{{ text[2] }}">{{ text[3] }}</text>
{% endfor -%}
{% for dot in dots -%}
<circle cx="{{ dot.x }}" cy="{{ dot.y }}" r="{{ dot.r }}" fill="{{ dot.fill }}">\
<title>{{ dot.title }}</title></circle>
<text x="{{ dot.tx }}" y="{{ dot.ty }}" text-anchor="{{ dot.anchor }}" fill="{{ dot.fill }}"\
{% if dot.bold %} font-weight="bold"{% endif %}>{{ dot.name }}</text>
{% endfor -%}
</svg>
"""


def references(gatebench: Path) -> dict[str, tuple[float, float]]:
    """Returns false alarms and detection of the reference gates, in percent."""
    found = {}
    for line in (gatebench / "reference" / "PUBLIC.md").read_text().splitlines():
        cells = [one.strip() for one in line.strip("|").split("|")]
        if cells[0] in ("gate", "accept_all", "reject_all") or cells[0].startswith("-"):
            continue
        if len(cells) < 6:
            break  # the table of single failures follows
        try:
            found[cells[0]] = float(cells[1]), float(cells[4])
        except ValueError:
            break
    return found


def chart(gates: dict[str, tuple[float, float]], ours: str) -> str:
    """Returns the chart as SVG text."""

    def x(rate: float) -> float:
        share = min(rate, LARGEST_RATE) / LARGEST_RATE
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)

    def y(rate: float) -> float:
        return round(HEIGHT - MARGIN - rate / 100 * (HEIGHT - 2 * MARGIN), 1)

    lines = [(x(at), y(0), x(at), y(100)) for at in range(0, LARGEST_RATE + 1, 20)]
    lines += [(x(0), y(at), x(LARGEST_RATE), y(at)) for at in range(0, 101, 20)]
    texts = [(x(at), y(0) + 16, "middle", f"{at} %") for at in range(0, LARGEST_RATE + 1, 20)]
    texts += [(x(0) - 6, y(at) + 4, "end", f"{at} %") for at in range(0, 101, 20)]
    texts += [
        (WIDTH / 2, HEIGHT - 12, "middle", "good versions that alarm"),
        (x(0), 24, "start", "spoilt versions that are found"),
    ]
    dots, taken = [], []
    for name, (far, found) in sorted(gates.items(), key=lambda one: -one[1][1]):
        right = x(far) < WIDTH - 140
        place = y(found) + 4
        while any(abs(place - above) < 13 and abs(x(far) - left) < 110 for left, above in taken):
            place += 3
        taken.append((x(far), place))
        dots.append(
            {
                "x": x(far),
                "y": y(found),
                "r": 6 if name == ours else 4,
                "fill": "#b3261e" if name == ours else "#555555",
                "tx": x(far) + (9 if right else -9),
                "ty": place,
                "anchor": "start" if right else "end",
                "name": name,
                "bold": name == ours,
                "title": f"{name}: {far:.1f} % false alarms, {found:.1f} % found",
            }
        )
    template = Environment(autoescape=True).from_string(_SVG)
    return template.render(width=WIDTH, height=HEIGHT, lines=lines, texts=texts, dots=dots)


def records(path: Path) -> list[dict[str, Any]]:
    """Returns the lines of a replay."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def percent(share: float) -> str:
    """Returns a share as a figure with one decimal."""
    return "-" if math.isnan(share) else f"{100 * share:.1f}"


def by_window(lines: Sequence[dict[str, Any]], summarize: Any) -> list[str]:
    """Returns the table of figures by length of the past."""
    out = ["| versions | false alarms % | detection % (low / mid / high) | balanced % |"]
    out.append("|--:|--:|--:|--:|")
    for window in sorted({one["window"] for one in lines}):
        chosen = [one for one in lines if one["window"] == window]
        # Spoilt versions that stand where no good one was judged have none to be compared with.
        clean = {(one["series"], one["t"]) for one in chosen if one["case"] == "clean"}
        (m,) = summarize([one for one in chosen if (one["series"], one["t"]) in clean]).values()
        levels = " / ".join(percent(m[level]) for level in ("low", "mid", "high"))
        out.append(
            f"| {window} | {percent(m['far'])} | {percent(m['dr'])} ({levels})"
            f" | {percent(m['bacc'])} |"
        )
    return out


def by_failure(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Returns what is found of each failure, by magnitude."""
    found: dict[str, dict[str, list[bool]]] = {}
    for one in lines:
        name, _, level = one["case"].partition(":")
        if level in ("low", "mid", "high"):
            found.setdefault(name, {}).setdefault(level, []).append(one["reject"])
    order = [*WHERE_VERSIONS_HELP, *sorted(set(found) - set(WHERE_VERSIONS_HELP))]
    out = ["| failure | detected %, low / mid / high |", "|---|---|"]
    for name in [one for one in order if one in found]:
        shares = [found[name].get(level, []) for level in ("low", "mid", "high")]
        told = " / ".join(f"{100 * sum(one) / len(one):.0f}" if one else "-" for one in shares)
        out.append(f"| {name.replace('_', ' ')} | {told} |")
    return out


def main() -> None:
    """Prints the tables; writes the chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("replays", type=Path, nargs="+")
    parser.add_argument("--gatebench", type=Path, required=True)
    parser.add_argument("--windows", type=Path)
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    sys.path.insert(0, str(given.gatebench))
    from gatebench import report  # type: ignore[import-not-found]

    lines = [one for path in given.replays for one in records(path)]
    cases = [one for one in lines if "target" in one]
    real = [one for one in lines if "kind" in one]
    (m,) = report.summarize(cases).values()
    for name in ("far", "far_pooled", "dr", "low", "mid", "high", "net", "bacc", "auroc"):
        print(f"{name}: {percent(m[name])}")
    print(f"loc: {percent(m['loc'])}\nbenign: {percent(m['benign'])} of {m['n_benign']}")
    print(f"real dirt: {percent(m['dirty10'])} / {percent(m['dirty'])}, cases: {len(cases)}")
    print("\n| series | false alarms % | detection % |\n|---|--:|--:|")
    for series in dict.fromkeys(one["series"] for one in cases):
        (own,) = report.summarize([one for one in cases if one["series"] == series]).values()
        print(f"| {series} | {100 * own['far']:.0f} | {100 * own['dr']:.0f} |")
    print("\n" + "\n".join(by_failure(cases)))
    if real:
        print("\n" + report.incidents(real))
    if given.windows:
        print("\n" + "\n".join(by_window(records(given.windows), report.summarize)))
    if given.svg:
        ours = "dvtool history"
        gates = references(given.gatebench) | {ours: (100 * m["far"], 100 * m["dr"])}
        given.svg.parent.mkdir(parents=True, exist_ok=True)
        given.svg.write_text(chart(gates, ours), encoding="utf-8")


if __name__ == "__main__":
    main()
