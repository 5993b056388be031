"""The reference of the settings says what the code does."""

import getpass
import re
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path

import pytest

import trivet
from trivet.kernel.errors import InvalidInput
from trivet.settings import Origin, Settings, find_origins, variable_of

REFERENCE = Path(trivet.__file__).parents[2] / "docs/reference/settings.md"


def docstring_meanings() -> dict[str, str]:
    _, _, attributes = cleandoc(Settings.__doc__ or "").partition("Attributes:\n")
    return dict(re.findall(r"^    (\w+): (.+)$", attributes, re.MULTILINE))


def reference_rows() -> dict[str, tuple[str, str, str]]:
    """Return variable, default and meaning of each setting in the table of the reference."""
    rows = {}
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 4:
            rows[cells[0].strip("`")] = (cells[1].strip("`"), cells[2].strip("`"), cells[3])
    return rows


def test_the_reference_lists_each_setting_as_its_docstring_says() -> None:
    rows = reference_rows()
    assert list(rows) == [each.name for each in fields(Settings)]
    assert {name: meaning for name, (_, _, meaning) in rows.items()} == docstring_meanings()
    assert all(variable == variable_of(name) for name, (variable, _, _) in rows.items())


def test_the_reference_gives_the_defaults() -> None:
    settings = Settings(home=Path("/srv/home"))
    for name, (_, default, _) in reference_rows().items():
        value = str(getattr(settings, name)).replace("/srv/home", "<home>")
        value = value.replace(getpass.getuser(), "<you>") if name == "actor" else value
        assert default == (".trivet" if name == "home" else value or "none"), name


def test_the_later_overrides_the_earlier_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "trivet.yaml").write_text("settings: {port: 1, gateway_port: 1, host: a}\n")
    environment = {"TRIVET_PORT": "2", "TRIVET_GATEWAY_PORT": "2", "TRIVET_ON_CALL": ""}
    read = Settings.read(environment, folder=tmp_path, port=3, home=None)
    origins = find_origins(environment, folder=tmp_path, port=3, home=None)
    assert (read.port, read.gateway_port, read.host, read.on_call) == (3, 2, "a", "")
    assert origins["port"] is Origin.COMMAND_LINE
    assert origins["gateway_port"] is Origin.ENVIRONMENT
    assert origins["host"] is Origin.FILE
    assert origins["on_call"] is origins["home"] is Origin.DEFAULT


def test_a_setting_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trivet.yaml").write_text("settings: {prot: 1}\n")
    with pytest.raises(InvalidInput, match="no setting 'prot'"):
        Settings.read({}, folder=tmp_path)
    with pytest.raises(InvalidInput, match="port is 'x'"):
        Settings.read({"TRIVET_PORT": "x"}, folder=tmp_path / "elsewhere")
