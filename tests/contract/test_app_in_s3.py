"""A home whose blobs and tables are in S3, named as a user names them: by the environment."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pytest

from trivet.app import App
from trivet.data import diff_commits, merge_branch, profile_commit, verify_commit
from trivet.settings import Settings

SALES = pa.table({"id": [1, 2, 3], "amount": [1.0, 2.0, 3.0]})
DEARER = pa.table({"id": [3, 4], "amount": [9.0, 4.0]})


def amounts(table: pa.Table) -> dict[int, float]:
    return dict(zip(table["id"].to_pylist(), table["amount"].to_pylist(), strict=True))


@pytest.fixture(params=["options in the URL", "the usual AWS environment"])
def settings(
    request: pytest.FixtureRequest, s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    place, _, options = s3_url.partition("?")
    if request.param == "options in the URL":
        options = f"?{options}"
    else:
        for name, value in parse_qsl(urlsplit(s3_url).query):
            monkeypatch.setenv(f"AWS_{name.upper()}", value)
        options = ""
    environment = {
        "TRIVET_HOME": str(tmp_path / "home"),
        "TRIVET_BLOBS": f"{place}/blobs{options}",
        "TRIVET_TABLES": f"{place}/tables{options}",
    }
    return Settings.read(environment, folder=tmp_path)


def test_datasets_live_their_life_in_s3(settings: Settings) -> None:
    with App.open(settings) as app:
        app.datasets.create("sales", key=("id",))
        first = app.datasets.commit("sales", SALES, message="first")
        app.datasets.create_branch("sales", "dearer")
        made = app.datasets.commit("sales", DEARER, message="dearer", branch="dearer")
        digest = app.blobs.put(b"weights")

    with App.open(settings) as app:
        assert amounts(app.datasets.read("sales")) == {1: 1.0, 2: 2.0, 3: 3.0}
        assert amounts(app.datasets.read("sales", "dearer", where="id > 2")) == {3: 9.0, 4: 4.0}
        diff = diff_commits(app.datasets, "sales", "main", "dearer")
        assert (diff.before, diff.after) == (first.id, made.id)
        assert (diff.rows_added, diff.rows_changed, diff.rows_deleted) == (1, 1, 0)
        assert {each.name for each in profile_commit(app.datasets, "sales", "dearer")} == {
            "id",
            "amount",
        }
        merge_branch(app.datasets, "sales", "dearer")
        assert amounts(app.datasets.read("sales")) == {1: 1.0, 2: 2.0, 3: 9.0, 4: 4.0}
        assert verify_commit(app.datasets, "sales").content == made.content
        assert app.blobs.get(digest) == b"weights"

    assert sorted(file.name for file in settings.home.iterdir() if file.is_dir()) == []
