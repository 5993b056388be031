"""What holds for every command: its help, its form of an answer, and its way of saying no."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from trivet.cli.main import cli, main
from trivet.testing.processes import make_served_home

NONSENSE = (
    "nonsense",
    "",
    "a b",
    "..",
    "model:x@y",
    "model:churn@99999999999999999999",
    "run:zzz",
    "dataset:sales@zz",
    "deployment:churn#abc",
    "features:by_shop@abc",
    "evidence:zz",
    "é" * 300,
)
STARTS_SOMETHING = {"up", "demo flights", "server", "controller", "gateway", "init"}


def _walk(
    command: click.Command, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command, click.Context]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command, context
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        below = click.Context(found, parent=context, info_name=name)
        yield from _walk(found, below, (*path, name))


COMMANDS = {
    name: (command, context)
    for name, command, context in _walk(cli, click.Context(cli, info_name="trivet"))
    if not command.hidden
}


def takes_json(command: click.Command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_of_the_command(name: str) -> None:
    command, context = COMMANDS[name]
    help_text = command.get_help(context)
    assert "\n  Example:\n    trivet " in help_text
    assert f"trivet {name}" in help_text.partition("Example:")[2]
    assert "\\b" not in help_text
    assert "\b" not in help_text


@pytest.mark.parametrize("name", COMMANDS)
def test_what_shows_something_can_show_it_to_a_script(name: str) -> None:
    command, _ = COMMANDS[name]
    is_showing = name.split()[-1] in {"show", "list", "log", "diff", "status", "ask", "verify"}
    assert takes_json(command) or not is_showing


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cli") / "home"
    make_served_home(home)
    return home


def call(*arguments: str) -> int:
    """Run `trivet` as its entry point does, and return the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["trivet", *arguments])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - STARTS_SOMETHING))
def test_nonsense_is_refused_in_one_sentence(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _ = COMMANDS[name]
    places = [part for part in command.params if isinstance(part, click.Argument)]
    needed = [part for part in command.params if isinstance(part, click.Option) and part.required]
    options = [text for option in needed for text in (option.opts[-1], "x")]
    for value in NONSENSE:
        for first in (value, "churn", "sales"):
            arguments = [first, *[value] * (len(places) - 1)][: len(places)]
            code = call("--home", str(home), *name.split(), *options, "--", *arguments)
            said = capsys.readouterr().err.strip().splitlines()
            assert code in (0, 1, 2), (value, code, said)
            assert "Traceback" not in "\n".join(said)
            if code == 1:
                assert said[-1].startswith("Error: "), said
                assert said[-1].rstrip().endswith((".", "…", ")"))
            if code == 2:
                assert said[0].startswith("Usage: "), said


def test_a_word_that_is_no_command_is_a_matter_of_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("frobnicate") == 2
    assert "frobnicate" in capsys.readouterr().err


def test_a_database_that_does_not_answer_may_be_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIVET_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    assert call("--home", str(tmp_path), "models", "list") == 75
    said = capsys.readouterr().err.strip()
    assert said.startswith("Error: The database did not answer")
    assert "\n" not in said


def test_what_is_listed_is_json_on_demand(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, (command, _) in COMMANDS.items():
        has_arguments = any(isinstance(part, click.Argument) for part in command.params)
        if takes_json(command) and not has_arguments:
            assert call("--home", str(home), *name.split(), "--json") == 0, name
            json.loads(capsys.readouterr().out)
