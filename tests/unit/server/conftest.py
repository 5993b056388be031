import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from trivet.app import App
from trivet.server.asgi import create_server
from trivet.server.security import TOKEN_COOKIE
from trivet.settings import Settings
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate

TOKEN = "a-token-of-this-test"  # noqa: S105 - of a test


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated database, to be copied: quicker than to migrate for each test."""
    file = tmp_path_factory.mktemp("empty") / "trivet.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def app(tmp_path: Path, empty_database: Path) -> Iterator[App]:
    (tmp_path / "home").mkdir()
    shutil.copy(empty_database, tmp_path / "home" / "trivet.db")
    with App.open(Settings(home=tmp_path / "home", actor="user:test")) as opened:
        yield opened


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    """A browser on this machine, which has no cookies yet."""
    server = create_server(app, new_token=lambda: TOKEN)
    with TestClient(
        server,
        base_url="http://127.0.0.1:5050",
        follow_redirects=False,
        raise_server_exceptions=False,
    ) as opened:
        yield opened


@pytest.fixture
def browser(client: TestClient) -> TestClient:
    """The same, after it has read a page."""
    client.get("/ui/patterns", headers={"accept": "text/html"})
    assert client.cookies[TOKEN_COOKIE] == TOKEN
    return client
