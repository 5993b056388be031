"""What no import may do, held by reading the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trivet

SOURCE = Path(trivet.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))


def test_nothing_inside_imports_the_package_root() -> None:
    # The root re-exports the public names, so importing it from inside closes a cycle. Exceptions
    # are the demo's project and models, which are a user's code, and the version number.
    for path in MODULES:
        if "demo/flights" in path.as_posix() or path.name == "bad_models.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert "trivet" not in [alias.name for alias in node.names], path
            if isinstance(node, ast.ImportFrom) and node.module == "trivet":
                assert [alias.name for alias in node.names] == ["__version__"], path


def test_only_the_clock_reads_the_clock() -> None:
    forbidden = {("datetime", "now"), ("datetime", "utcnow"), ("time", "time"), ("date", "today")}
    for path in MODULES:
        if path.name == "clock.py" or "template" in path.as_posix():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in forbidden, f"{path}:{node.lineno}"


def test_every_table_is_named_once_and_kept_by_a_migration() -> None:
    versions = SOURCE / "storage/sql/migrations/versions"
    assert sorted(path.name[:4] for path in versions.glob("0*.py")) == ["0001"]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import trivet", ["numpy", "sqlalchemy", "duckdb", "pyarrow", "lance", "click"]),
        ("import trivet.cli.main", ["numpy", "sqlalchemy", "duckdb", "pyarrow", "lance", "rich"]),
    ],
)
def test_a_light_import_loads_nothing_heavy(statement: str, absent: list[str]) -> None:
    program = f"import sys; {statement}; print([m for m in {absent!r} if m in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
