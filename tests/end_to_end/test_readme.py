"""What the README shows works as it is written there."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from trivet.cli.main import cli
from trivet.testing.processes import Caller, command, everything_up

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in README.splitlines() if line.startswith("    ")]


def python_example() -> str:
    return README.partition("## In Python")[2].partition("```python\n")[2].partition("```")[0]


def promised_output() -> str:
    """Return the indented lines that follow the example."""
    after = README.partition("## In Python")[2].partition("```python\n")[2].partition("```")[2]
    match = re.match(r"\s*\n((?:    .*\n)+)", after)
    assert match is not None
    return "\n".join(line.strip() for line in match[1].splitlines())


def test_make_knows_what_the_readme_tells_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    told = re.findall(r"(?:^    |`)make ([a-z]+)((?: [A-Z]+=\S+?)?)[ `\n]", README, re.MULTILINE)
    assert {target for target, _ in told} >= {"demo", "test"}
    for target, variable in told:
        assert target in targets
        name = variable.strip().partition("=")[0]
        assert not name or f"$({name})" in makefile, f"make {target}{variable}"


def test_trivet_knows_every_command_that_the_readme_shows() -> None:
    shown = [line for line in COMMANDS if re.match(r"trivet [a-z]", line)]
    assert len(shown) > 5
    for line in shown:
        words = shlex.split(re.split(r"\s+#|…|&", line)[0])[1:]
        group: click.Command = cli
        context = click.Context(cli, info_name="trivet")
        for word in words:
            if not isinstance(group, click.Group):
                break
            found = group.get_command(context, word)
            assert found is not None, line
            group = found


@pytest.mark.slow
def test_the_python_example_prints_what_it_promises_and_is_served(tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(python_example(), encoding="utf-8")
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path,
        env={**os.environ, "TRIVET_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == promised_output()

    (materialize,) = (line for line in COMMANDS if line.startswith("trivet features material"))
    filled = subprocess.run(command(home, *shlex.split(materialize)[1:]), check=False)
    assert filled.returncode == 0
    rows = re.search(r"-d '(\{.*\})'", README)
    path = re.search(r"curl -s \S+?(/predict/\S+)", README)
    assert rows is not None
    assert path is not None
    with everything_up(home) as trivet:
        caller = Caller(trivet.address("gateway"))
        reply = caller.post(path[1], json.loads(rows[1]))
        caller.close()
    assert 0 <= reply["predictions"][0]["probability"] <= 1


def test_the_python_example_is_short() -> None:
    _, _, counted = python_example().partition("# From here on")
    assert len([line for line in counted.splitlines()[1:] if line.strip()]) <= 25
