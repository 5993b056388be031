"""A world with real stores on SQLite for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.testing.releases import Clock, World


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated database, to be copied: quicker than to migrate for each test."""
    file = tmp_path_factory.mktemp("empty") / "trivet.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def world(tmp_path: Path, empty_database: Path) -> Iterator[World]:
    """A world with nothing in it."""
    database = Database(f"sqlite:///{shutil.copy(empty_database, tmp_path)}")
    yield World(database, Clock())
    database.close()


@pytest.fixture
def serving(world: World) -> World:
    """A world where revision 1 serves `model:delay@1`, and `model:delay@2` is registered."""
    world.serve_first()
    return world
