"""How long the command line takes to start."""

import subprocess
import sys

from benchmarks.figures import Figure, timed


def measure() -> list[Figure]:
    """Time `trivet --help` beside a Python that does nothing."""

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    bare = timed("python -c pass", lambda: run("-c", "pass"), repeats=15)
    shown = timed(
        "trivet --help",
        lambda: run("-m", "trivet.cli.main", "--help"),
        repeats=15,
        target="within 150 ms of python -c pass",
    )
    imported = timed("import trivet", lambda: run("-c", "import trivet"), repeats=15)
    return [bare, shown, imported]
