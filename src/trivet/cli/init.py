"""`trivet init`."""

import runpy
from importlib.resources import files
from pathlib import Path

import click

from trivet.kernel.errors import Conflict

_FILES = {
    "trivet.yaml": "trivet.yaml",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "features.py": "features.py",
    "pipeline.py": "pipeline.py",
    "contract.yaml": "contract.yaml",
    "make_data.py": "make_data.py",
    "test_features.py": "tests/test_features.py",
}
"""The templates, which end in `.txt` so that nobody takes them for our code, and their names."""


NEXT_STEPS = (
    "cd {folder}",
    "trivet data create customers --key customer_id --event-time asked_at",
    "trivet data contract set customers contract.yaml",
    'trivet data commit customers data/customers.csv -m "First customers"',
    "trivet features apply features.py",
    "trivet run pipeline.py",
)
"""What to do with a new project; a test does it."""


class ProjectExists(Conflict):
    """The folder holds a file that a new project would overwrite."""

    def __init__(self, folder: str, file: str) -> None:
        super().__init__(folder, file)
        self.folder = folder
        self.file = file

    def __str__(self) -> str:
        return f"{self.folder!r} has a file {self.file!r} already; choose another folder."


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Make a project that runs, in a folder: data, contract, features, pipeline and tests.

    Nothing is overwritten. The README that it writes names the commands to go on with.

    \b
    Example:
      trivet init churn
    """
    written = make_project(folder)
    click.echo(f"Made {folder}/ with {len(written)} files. {folder}/README.md says how to go on:")
    for command in NEXT_STEPS:
        click.echo(f"  {command.format(folder=folder)}")


def make_project(folder: Path) -> list[Path]:
    """Write the project's files into `folder`, and its sample table; return the files.

    Raises:
        ProjectExists: One of the files is there already; nothing is written then.
    """
    for name in _FILES.values():
        if (folder / name).exists():
            raise ProjectExists(str(folder), name)
    templates = files("trivet.cli") / "project"
    written = []
    for template, name in _FILES.items():
        text = (templates / f"{template}.txt").read_text(encoding="utf-8")
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{name}", folder.resolve().name), encoding="utf-8")
        written.append(file)
    runpy.run_path(str(folder / "make_data.py"), run_name="__main__")
    return [*written, folder / "data" / "customers.csv"]
