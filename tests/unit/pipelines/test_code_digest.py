import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.kernel.errors import InvalidInput
from trivet.pipelines.code_digest import digest_code
from trivet.pipelines.source import load_module

TEXT = """
import math
import code_helper_of_test

RATE = 0.1

class Model:
    depth = 3
    def fit(self):
        return self.depth

def inner(x):
    return x * RATE

def outer(x):
    def again(y):
        return inner(y)
    return again(x) + math.sqrt(x) + Model().fit() + code_helper_of_test.more(x)

def unrelated():
    return 1
"""
HELPER = "def more(x):\n    return x + 1\n"


@pytest.fixture(autouse=True)
def _clean_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


def digest(folder: Path, text: str = TEXT, helper: str = HELPER) -> str:
    folder.mkdir()
    (folder / "code_helper_of_test.py").write_text(helper)
    (folder / "code_of_test.py").write_text(text)
    for name in ("code_of_test", "code_helper_of_test"):
        sys.modules.pop(name, None)
    sys.path[:] = [place for place in sys.path if not place.startswith(str(folder.parent))]
    module = load_module(folder / "code_of_test.py")
    return digest_code(module.outer, folder)


def test_equal_code_has_one_digest_wherever_it_lies(tmp_path: Path) -> None:
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_comments_and_unrelated_functions_change_nothing(tmp_path: Path) -> None:
    commented = TEXT.replace("return 1", "return 2").replace("def inner", "# why\n\ndef inner")
    assert digest(tmp_path / "a") == digest(tmp_path / "b", commented)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x * RATE", "x / RATE"),
        ("RATE = 0.1", "RATE = 0.2"),
        ("depth = 3", "depth = 4"),
        ("return self.depth", "return self.depth + 1"),
        ("math.sqrt", "math.exp"),
    ],
)
def test_what_the_function_uses_changes_the_digest(tmp_path: Path, old: str, new: str) -> None:
    assert digest(tmp_path / "a") != digest(tmp_path / "b", TEXT.replace(old, new))


def test_modules_of_the_project_count(tmp_path: Path) -> None:
    changed = HELPER.replace("x + 1", "x + 2")
    assert digest(tmp_path / "a") != digest(tmp_path / "b", helper=changed)


def test_a_file_that_imports_what_is_not_installed_says_what(tmp_path: Path) -> None:
    (tmp_path / "needy_of_test.py").write_text("import no_such_package_of_test.part\n")
    with pytest.raises(InvalidInput, match=r"needy_of_test\.py.*'no_such_package_of_test'"):
        load_module(tmp_path / "needy_of_test.py")
    assert "needy_of_test" not in sys.modules
