import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_of_the_command_line_is_what_the_commands_say() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "cli_reference.py"))
    written = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert written == tool["render"](), "'make fmt' writes it anew"
