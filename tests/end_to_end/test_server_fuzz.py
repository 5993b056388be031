"""Whatever the server is asked, it answers: never with a 5xx, and never late."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route
from starlette.testclient import TestClient

from trivet.app import App
from trivet.ledger import Recorder
from trivet.server.asgi import create_server
from trivet.server.security import TOKEN_COOKIE, TOKEN_FIELD
from trivet.settings import Settings
from trivet.storage.sql import Database

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from seed import seed_home

TOKEN = "a-token-of-this-test"  # noqa: S105 - of a test
QUERIES = (
    "at",
    "from",
    "to",
    "run",
    "version",
    "q",
    "kind",
    "subject",
    "after",
    "before",
    "limit",
)
BODIES = ("reason", "to", "back", "theme", "language", "token", "action")
fuzz = settings(
    max_examples=60,
    deadline=5_000,  # milliseconds; a request that takes longer counts as a hang
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App.open(seed_home(tmp_path_factory.mktemp("seeded"), datetime.now(UTC))) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(app: App) -> Iterator[TestClient]:
    with TestClient(
        create_server(app, new_token=lambda: TOKEN),
        base_url="http://127.0.0.1:5050",
        follow_redirects=False,
        raise_server_exceptions=False,
        cookies={TOKEN_COOKIE: TOKEN},
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def names(app: App) -> list[str]:
    """Names and ids that there are, so that what is asked is not always for nothing."""
    runs = [run.id for run in app.runs.list_runs(limit=5)]
    alerts = [alert.id for alert in app.alerts.list_alerts(limit=3)]
    evidence = [item.id for item in app.ledger.list_evidence(limit=3)]
    refs = ["model:delay@1", "deployment:delay#1", "dataset:flights@main", "features:by_carrier"]
    return ["delay", "flights", "by_carrier", "flight-delay", *runs, *alerts, *evidence, *refs]


def _routes() -> dict[str, set[str]]:
    """Return the methods of every path, which the application knows without a home."""
    found: dict[str, set[str]] = {}
    nowhere = App(Settings(), Database("sqlite://"), Recorder("user:nobody"))
    for route in create_server(nowhere).routes:
        if isinstance(route, Route):
            found.setdefault(route.path, set()).update(route.methods or ())
    return found


ROUTES = _routes()
READS = sorted(path for path, methods in ROUTES.items() if "GET" in methods)
WRITES = sorted(path for path, methods in ROUTES.items() if "POST" in methods)

awkward = st.sampled_from(
    ["", "..", "a/../b", "%00", "\x00", "x" * 5_000, "-1", "0", "99999999999999999999", "1e9",
     "nan", "main", "@", "model:x@y", "deployment:delay#abc", "features:by_carrier@abc",
     "model:delay@99999999999999999999", "blob:sha256:zz", "run:zzz", "é", "\ud7ff", "'\"<script>"]
)  # fmt: skip
texts = awkward | st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def fill(data: st.DataObject, path: str, names: list[str]) -> str:
    """Return the path with something in place of its parameters."""

    def value(match: re.Match[str]) -> str:
        chosen = data.draw(st.sampled_from(names) | texts)
        return quote(chosen, safe="/:@" if match[1].endswith(":path") else "")

    return re.sub(r"\{([^}]+)\}", value, path)


@pytest.mark.parametrize("path", READS)
@fuzz
@given(data=st.data())
def test_any_question_is_answered(
    path: str, client: TestClient, names: list[str], data: st.DataObject
) -> None:
    address = fill(data, path, names)
    asked = st.sampled_from(names) | texts
    query = data.draw(st.lists(st.tuples(st.sampled_from(QUERIES), asked), max_size=4))
    accept = data.draw(st.sampled_from(["text/html", "application/json", "*/*", ""]))
    answer = client.get(f"{address}?{urlencode(query)}", headers={"accept": accept})
    assert answer.status_code < 500, answer.text[:500]
    if path.endswith(".json") and answer.status_code == 200:
        json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("path", WRITES)
@fuzz
@given(data=st.data())
def test_any_order_is_carried_out_or_refused(
    path: str, client: TestClient, names: list[str], data: st.DataObject
) -> None:
    address = fill(data, path, names)
    kind = data.draw(st.sampled_from(["json", "form", "bytes"]))
    if kind == "json":
        fields = st.dictionaries(st.sampled_from(BODIES), json_values, max_size=4)
        body = json.dumps(data.draw(fields | json_values)).encode()
        content_type = "application/json"
    elif kind == "form":
        fields = st.dictionaries(st.sampled_from(BODIES), texts, max_size=4)
        body = urlencode({**data.draw(fields), TOKEN_FIELD: TOKEN}).encode()
        content_type = "application/x-www-form-urlencoded"
    else:
        body = data.draw(st.binary(max_size=200))
        content_type = data.draw(
            st.sampled_from(["application/json", "application/x-www-form-urlencoded", "x", ""])
        )
    answer = client.post(address, content=body, headers={"content-type": content_type})
    assert answer.status_code < 500, answer.text[:500]


@pytest.mark.parametrize("path", [*READS, *WRITES])
def test_another_method_is_refused(path: str, client: TestClient) -> None:
    address = re.sub(r"\{[^}]+\}", "delay", path)
    for method in ("PUT", "DELETE", "PATCH", "FROB"):
        answer = client.request(method, address, json={})
        assert answer.status_code in (404, 405), (method, answer.status_code)
