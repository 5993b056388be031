"""Run a `trivet` command in this process, exactly as the command line would."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from trivet.cli.main import cli


class Shell:
    """Runs commands on one home, and shows what was typed.

    The demo does nothing that a person could not do: every command it runs is printed in the
    form in which it can be repeated.
    """

    def __init__(self, home: Path, console: Console) -> None:
        self._home = home
        self._console = console

    def run(self, *arguments: str, quiet: bool = False, silent: bool = False) -> Any:
        """Run the command with `--json` and return what it printed; `silent` ones print nothing.

        Raises:
            TrivetError: The command failed; the error is the one the command line would word.
        """
        if not quiet:
            words = " ".join(_quoted(argument) for argument in arguments)
            self._console.print(Text(f"    $ trivet {words}", style="cyan"), soft_wrap=True)
        printed = io.StringIO()
        with redirect_stdout(printed):
            cli.main(
                ["--home", str(self._home), *arguments, *([] if silent else ["--json"])],
                prog_name="trivet",
                standalone_mode=False,
            )
        text = printed.getvalue().strip()
        return None if silent else json.loads(text)


def _quoted(argument: str) -> str:
    return f"'{argument}'" if " " in argument or "*" in argument else argument
