from pathlib import Path

import pytest

from trivet.app import App, DatabaseGone
from trivet.settings import Settings
from trivet.storage.online import OnlineStoreUnavailable


def test_a_new_home_is_made_and_opened_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new", actor="user:test")
    with App.open(settings) as app:
        app.ledger.note("test.noted", "gateway:g1", {})
    with App.open(settings) as app:
        assert len(app.ledger.list_facts(kind="test.noted")) == 1


def test_closing_closes_the_online_store_if_it_was_opened(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, actor="user:test")
    with App.open(settings) as app:
        online = app.online
        online.write_state("view@1/state", b"kept")
    with pytest.raises(OnlineStoreUnavailable):
        online.write_state("view@1/state", b"late")
    App.open(settings).close()


def test_a_home_that_was_in_use_gets_no_empty_database_in_place_of_its_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, actor="user:test")
    App.open(settings).close()
    settings.processes.mkdir()
    for file in tmp_path.glob("trivet.db*"):
        file.unlink()
    with pytest.raises(DatabaseGone, match="Put it back"):
        App.open(settings)
    assert list(tmp_path.glob("trivet.db*")) == []


def test_a_database_elsewhere_is_made_wherever_processes_ran(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database=f"sqlite:///{tmp_path}/other/trivet.db")
    settings.processes.mkdir()
    App.open(settings).close()
    assert (tmp_path / "other" / "trivet.db").exists()
