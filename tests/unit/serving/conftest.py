from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.testing.serving import House, open_house


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "trivet.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def house(tmp_path: Path, empty_database: Path) -> Iterator[House]:
    with open_house(tmp_path, empty_database) as house:
        yield house


@pytest.fixture(scope="module")
def shared_house(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path
) -> Iterator[House]:
    """A house for tests that leave it as it is."""
    with open_house(tmp_path_factory.mktemp("shared"), empty_database) as house:
        yield house
