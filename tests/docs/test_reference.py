"""The generated reference is up to date, and every help page keeps the house's grammar."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import click
import pytest

from dvtool.cli.app import COMMANDS, SECTIONS

DOCS = Path(__file__).parents[2] / "docs"
# Verbs as people are told to do something; a new command may well add one.
IMPERATIVES = (
    "Accept Add Bring Change Clone Connect Copy Delete Download Erase Finish Judge List Look Make Manage Merge Move Print Prove"
    " Remove Show Stop Store Track Try Upload Version Write"
)


def _load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _load_generator()
CONTEXTS = {
    context.command_path: context for name in COMMANDS for context in generate.contexts(name)
}
FOR_PEOPLE = [path for path in CONTEXTS if path.removeprefix("dvtool ") not in SECTIONS["Internal"]]


@pytest.mark.parametrize("name", ["cli.md", "exit-codes.md"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    committed = (DOCS / name).read_text(encoding="utf-8")

    assert committed == generate.pages()[name], "python docs/generate.py writes it anew"


def test_check_tells_an_outdated_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "HERE", tmp_path)

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "outdated: docs/cli.md\noutdated: docs/exit-codes.md\n"
    assert list(tmp_path.iterdir()) == []

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_every_help_page_shows_an_example_of_the_command_itself(path: str) -> None:
    epilog = CONTEXTS[path].command.epilog or ""

    assert "Example:" in epilog
    assert path in epilog


@pytest.mark.parametrize("path", CONTEXTS)
def test_the_first_line_of_help_is_a_short_imperative(path: str) -> None:
    # The sentence ends with a full stop in the docstring; where it is shown as a line of its own,
    # in the list of commands, it has none.
    first = (CONTEXTS[path].command.help or "").split("\n")[0].removesuffix(".")

    verb, _, _ = first.partition(" ")
    assert f" {verb} " in f" {IMPERATIVES} "
    assert len(first) <= 60
    assert not first.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_help_page_says(name: str) -> None:
    first = (CONTEXTS[f"dvtool {name}"].command.help or "").split("\n")[0]

    assert COMMANDS[name] == first.removesuffix(".")
    assert len(COMMANDS[name]) <= 60


@pytest.mark.parametrize("path", CONTEXTS)
def test_every_command_that_reports_has_json_and_quiet(path: str) -> None:
    command = CONTEXTS[path].command
    assert command.callback is not None
    reports = "Output" in inspect.unwrap(command.callback).__code__.co_names
    options = {name for option in command.params for name in option.opts}

    assert ({"--json", "--quiet"} <= options) == reports


@pytest.mark.parametrize("path", CONTEXTS)
def test_every_option_is_explained(path: str) -> None:
    options = [p for p in CONTEXTS[path].command.params if isinstance(p, click.Option)]

    assert [option.name for option in options if not option.help] == []
