"""Commands that judge take the same options under the same words, and say which one to take instead."""

from __future__ import annotations

import click
import pytest

from dvtool.cli.app import app

SHARED = (
    "python",
    "examples",
    "memory_mib",
    "record",
    "remote",
    "verbose",
    "report_dir",
    "formats",
)
JUDGING = ("check", "verify", "diff", "drift", "profile", "ci")


def _command(name: str) -> click.Command:
    found = app.get_command(click.Context(app), name)
    assert found is not None
    return found


def test_check_and_ci_share_their_options_in_one_order_and_wording() -> None:
    of = [
        [
            (one.opts, one.secondary_opts, getattr(one, "help", ""), one.default)
            for one in _command(name).params
            if one.name in SHARED
        ]
        for name in ("check", "ci")
    ]

    assert len(of[0]) == len(SHARED)
    assert of[0] == of[1]


@pytest.mark.parametrize("name", JUDGING)
def test_each_help_page_says_which_one_was_not_wanted(name: str) -> None:
    page = _command(name).help or ""
    told = page.partition("Not this one:")[2]

    others = {other for other in JUDGING if other != name and other in told.split()}
    assert others or "status" in told
    assert name == "check" or "check judges" in " ".join(told.split())
