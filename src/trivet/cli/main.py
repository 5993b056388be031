"""The `trivet` command: finds the module of a noun when it is asked for, and words errors."""

import sys
from dataclasses import dataclass
from importlib import import_module

import click

from trivet import __version__
from trivet.kernel.errors import TrivetError, Unavailable

_EXIT_FAILED, _EXIT_TRY_AGAIN = 1, 75  # 75 is EX_TEMPFAIL of sysexits.h


@dataclass(frozen=True, slots=True)
class _Command:
    """Where a command is, and what `trivet --help` says of it without importing it."""

    target: str
    help: str


_COMMANDS = {
    "init": _Command("trivet.cli.init:init", "Make a project that runs, in a folder."),
    "up": _Command("trivet.cli.up:up", "Start server, controller and gateway together."),
    "demo": _Command("trivet.demo.command:demo", "Watch a real model live its whole life."),
    "data": _Command("trivet.cli.data:data", "Commit, branch, diff and check datasets."),
    "features": _Command("trivet.cli.features:features", "Define and fill features."),
    "run": _Command("trivet.cli.run:run", "Run a pipeline."),
    "runs": _Command("trivet.cli.runs:runs", "Look at runs and compare them."),
    "experiments": _Command("trivet.cli.experiments:experiments", "State and conclude inquiries."),
    "reproduce": _Command("trivet.cli.reproduce:reproduce", "Run a run again and compare."),
    "models": _Command("trivet.cli.models:models", "Register models and move aliases."),
    "deploy": _Command("trivet.cli.deploy:deploy", "Release a model version."),
    "rollback": _Command("trivet.cli.rollback:rollback", "Go back to the previous revision."),
    "status": _Command("trivet.cli.status:status", "What runs, serves and needs attention."),
    "monitoring": _Command("trivet.cli.monitoring:monitoring", "How deployments do, by week."),
    "alerts": _Command("trivet.cli.alerts:alerts", "Triage, confirm and dismiss alerts."),
    "ask": _Command("trivet.cli.ask:ask", "The three questions, answered from facts."),
    "show": _Command("trivet.cli.show:show", "Show whatever a ref names."),
    "lineage": _Command("trivet.cli.lineage:lineage", "What a ref came of, and what came of it."),
    "why": _Command("trivet.cli.why:why", "What happened to a ref, and on what evidence."),
    "ledger": _Command("trivet.cli.ledger:ledger", "Read, seal and verify the ledger."),
    "config": _Command("trivet.cli.config:config", "The settings in force, and who said so."),
    "server": _Command("trivet.cli.server:server", "Run the server with UI and API."),
    "controller": _Command("trivet.cli.controller:controller", "Run the reconciler."),
    "gateway": _Command("trivet.cli.gateway:gateway", "Run a gateway that answers predictions."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used.

    `trivet --help` imports none of them, so it answers as fast as Python starts.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a model's life."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None if there is none of this name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trivet")
@click.option("--home", type=click.Path(file_okay=False), help="Where everything is kept.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, home: str | None, debug: bool) -> None:
    """Take a predictive model from idea to production and keep it there.

    \b
    Example:
      trivet demo flights
    """
    context.ensure_object(dict)
    context.obj.update(home=home, debug=debug)


def main() -> None:
    """Run the command line; a trivet error is a sentence on stderr, never a traceback."""
    try:
        cli(prog_name="trivet")
    except TrivetError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"Error: {error}", err=True)
        sys.exit(_EXIT_TRY_AGAIN if isinstance(error, Unavailable) else _EXIT_FAILED)


if __name__ == "__main__":
    main()
