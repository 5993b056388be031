import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.features import (
    Aggregate,
    FeatureService,
    FeatureView,
    RequestFeature,
    Rolling,
    TimePart,
    plan_to_json,
)
from trivet.registry import Signature
from trivet.serving.asgi import MAX_BODY_BYTES, GatewayApp
from trivet.testing.serving import Client, House, Models

COLUMNS = Signature(
    inputs=("x",),
    request={
        "x": "number",
        "carrier": "string",
        "count": "integer",
        "late": "boolean",
        "seen": "time",
    },
)
ROW = {"x": 0.5, "carrier": "UA", "count": 3, "late": False, "seen": "2013-03-01T10:00:00Z"}


@pytest.fixture(scope="module")
def client(shared_house: House) -> Client:
    shared_house.release(shared_house.models.put(1, signature=COLUMNS), unit="carrier")
    _release_planned(shared_house)
    return shared_house.client(shared_house.open_gateway())


def _release_planned(house: House) -> None:
    """Release `planned`, whose signature says nothing of its request: the plan must refuse."""
    rolling = Rolling(
        name="mean", column="rate", function=Aggregate.MEAN, window=timedelta(hours=3)
    )
    view = FeatureView(
        name="columns", entity=("carrier",), source="landings", event_time="at", columns=("rate",)
    )
    house.features.apply(view)
    house.features.apply(replace(view, name="rolling", columns=(), rolling=(rolling,)))
    request = (
        RequestFeature(name="hour", part=TimePart.HOUR, column="seen"),
        RequestFeature(name="number", column="x"),
        RequestFeature(name="word", column="late", vocabulary=("a", "b")),
    )
    service = FeatureService(name="all", views=(("columns", ()), ("rolling", ())), request=request)
    plan = house.features.plan(house.features.apply(service))
    signature = Signature(inputs=plan.names, plan=plan_to_json(plan))
    models = Models(house.models.blobs, deployment="planned")
    house.release(
        models.put(1, signature=signature, settings={"unknown_entities": "missing"}),
        unit="carrier",
    )


def tensor(**values: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "FP64", "shape": [1], "data": [0.5], **values}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"x": "0.5"}, "rows[0].x"),
        ({"x": True}, "rows[0].x"),
        ({"x": [0.5]}, "rows[0].x"),
        ({"x": 2**63}, "rows[0].x"),
        ({"x": 10**400}, "rows[0].x"),
        ({"carrier": 5}, "rows[0].carrier"),
        ({"carrier": "U" * 5000}, "rows[0].carrier"),
        ({"count": 1.5}, "rows[0].count"),
        ({"late": "yes"}, "rows[0].late"),
        ({"seen": "yesterday"}, "rows[0].seen"),
        ({"event_at": "2013-03-01T10:00:00"}, "rows[0].event_at"),
        ({"event_at": 5}, "rows[0].event_at"),
        ({"event_at": "0001-01-01T00:00:00+23:00"}, "rows[0].event_at"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    client: Client, change: dict[str, Any], field: str
) -> None:
    reply = client.post("/predict/delay", json.dumps({"rows": [{**ROW, **change}]}).encode())
    assert reply.status == 422
    assert reply.json["error"].startswith(f"{field}: ")


@pytest.mark.parametrize("column", ROW)
def test_a_missing_column_is_named_and_null_is_a_value(client: Client, column: str) -> None:
    without = {name: value for name, value in ROW.items() if name != column}
    reply = client.post("/predict/delay", {"rows": [ROW, without]})
    assert (reply.status, reply.json["error"]) == (
        422,
        f"rows[1].{column}: this column is missing.",
    )
    assert client.post("/predict/delay", {"rows": [{**ROW, column: None}]}).status == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b'{"rows": [{"x": NaN}]}', 400, "JSON"),
        (b'{"rows": [{"x": "\xff"}]}', 400, "JSON"),
        (b'{"rows": [{"x": "\\ud800"}]}', 400, "JSON"),
        (b'{"rows": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", 400, "deep"),
        (b'{"rows": [{"x": 1e999}]}', 422, "rows[0]"),
        (b"[]", 422, "body"),
        (b"{}", 422, "rows"),
        (b'{"rows": 5}', 422, "rows"),
        (b'{"rows": [5]}', 422, "rows[0]"),
        (b'{"rows": []}', 422, "rows"),
        (b'{"rows": [' + b",".join([b"{}"] * 10_001) + b"]}", 422, "rows"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(
    client: Client, body: bytes, status: int, field: str
) -> None:
    reply = client.post("/predict/delay", body)
    assert reply.status == status
    assert field in reply.json["error"]


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ([], "inputs"),
        ([tensor(), tensor()], "inputs.x"),
        ([tensor(shape=[-1])], "inputs.x.shape"),
        ([tensor(shape=[0], data=[])], "inputs.x.shape"),
        ([tensor(shape=[2**70])], "shape"),
        ([tensor(shape=[2**62, 1])], "inputs.x.shape"),
        ([tensor(shape=[1, 2])], "inputs.x.shape"),
        ([tensor(shape=[])], "inputs.x.shape"),
        ([tensor(shape=["1"])], "inputs[0].shape"),
        ([tensor(shape=[2])], "inputs.x.data"),
        ([tensor(data=[[[0.5]]])], "inputs.x.data"),
        ([tensor(data=["0.5"])], "inputs.x.data"),
        ([tensor(datatype="FP128")], "inputs.x.datatype"),
        ([tensor(datatype="INT8", data=[128])], "inputs.x.data"),
        ([tensor(datatype="UINT8", data=[-1])], "inputs.x.data"),
        ([tensor(datatype="BYTES", data=[1])], "inputs.x.data"),
        ([tensor(datatype="BOOL", data=[1])], "inputs.x.data"),
        ([tensor(), tensor(name="carrier", datatype="BYTES", shape=[2])], "inputs.carrier"),
        ([tensor()], "rows[0].carrier"),
        ([{"name": "x"}], "inputs[0]"),
    ],
)
def test_a_malformed_tensor_is_named(client: Client, inputs: list[Any], field: str) -> None:
    reply = client.post("/v2/models/delay/infer", json.dumps({"inputs": inputs}).encode())
    assert reply.status == 422
    assert field in reply.json["error"]


def test_outputs_that_do_not_exist_are_named(client: Client) -> None:
    body = {"inputs": [tensor()], "outputs": [{"name": "shap"}]}
    assert "'shap'" in client.post("/v2/models/delay/infer", body).json["error"]


@pytest.mark.parametrize(
    ("shape", "datatype", "field"),
    [([1, 2], "FP32", "shape"), ([1], "FP32", "shape"), ([1, 1], "INT64", "datatype")],
)
def test_a_malformed_matrix_is_named(
    house: House, shape: list[int], datatype: str, field: str
) -> None:
    house.release(house.models.put(1))
    client = house.client(house.open_gateway())
    body = {"inputs": [tensor(name="m", shape=shape, datatype=datatype)]}
    reply = client.post("/v2/models/delay/infer", body)
    assert reply.status == 422
    assert f"inputs.m.{field}" in reply.json["error"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"prediction": "no id", "outcome": 1}, "items[0].prediction"),
        ({"prediction": "a" * 32, "outcome": "late"}, "items[0].outcome"),
        ({"prediction": "a" * 32}, "items[0]"),
        ({"prediction": "a" * 32, "outcome": 1, "event_at": "soon"}, "items[0].event_at"),
    ],
)
def test_feedback_that_says_nothing_is_refused(
    client: Client, item: dict[str, Any], field: str
) -> None:
    reply = client.post("/feedback/delay", {"items": [item]})
    assert reply.status == 422
    assert field in reply.json["error"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"df": {"a": [1]}}, 422, "push_source_name"),
        ({"df": {"a": [1]}, "source": "a", "push_source_name": "b"}, 422, "push_source_name"),
        ({"df": {}, "source": "a"}, 422, "df"),
        ({"df": {"a": [1], "b": []}, "source": "a"}, 422, "df"),
        ({"df": {"a": [1]}, "source": "a", "to": "offline"}, 422, "to"),
        ({"df": {"a": [1, "x"]}, "source": "a"}, 422, "df.a"),
        ({"df": {"a": [1]}, "source": "a"}, 404, "'a'"),
    ],
)
def test_a_push_that_leads_nowhere_is_refused(
    client: Client, body: dict[str, Any], status: int, field: str
) -> None:
    reply = client.post("/push", body)
    assert reply.status == status
    assert field in reply.json["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/predict/delay", 405),
        ("DELETE", "/health", 405),
        ("POST", "/predict/unknown", 404),
        ("POST", "/predict/../../etc/passwd", 404),
        ("POST", "/feedback/unknown", 404),
        ("POST", "/v2/models/unknown/infer", 404),
        ("GET", "/v2/models/unknown", 404),
        ("GET", "/v2/models/unknown/ready", 404),
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("GET", "/v2", 200),
        ("GET", "/v2/health/live", 200),
        ("GET", "/v2/health/ready", 200),
        ("GET", "/v2/models/delay", 200),
        ("GET", "/v2/models/delay/ready", 200),
        ("GET", "/routing", 200),
        ("GET", "/metrics", 200),
    ],
)
def test_each_path_answers_its_method_and_no_other(
    client: Client, method: str, path: str, status: int
) -> None:
    reply = client.call(method, path, b'{"rows":[{}]}')
    assert reply.status == status
    assert status < 400 or set(reply.json) == {"error"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "LOCALHOST:5051"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:5050"}, 200),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"content-length": str(MAX_BODY_BYTES + 1)}, 413),
        ({"content-length": "9" * 30}, 413),
        ({"inference-header-content-length": "5"}, 400),
    ],
)
def test_requests_that_no_client_of_ours_makes_are_refused(
    client: Client, headers: dict[str, str], status: int
) -> None:
    assert client.post("/predict/delay", {"rows": [ROW]}, headers).status == status


def test_a_body_that_is_longer_than_it_said_is_cut_off(client: Client) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    reply = client.call("POST", "/predict/delay", body, {"content-length": "5"})
    assert (reply.status, reply.headers["connection"]) == (413, "close")


def test_requests_beyond_the_limit_are_told_to_come_back(house: House) -> None:
    running = house.open_gateway()
    endpoints = running.app._endpoints
    app = GatewayApp(
        endpoints.gateway,
        endpoints.follower,
        None,
        hosts=frozenset({"localhost"}),
        stopwatch=lambda: 0.0,
        max_in_flight=1,
    )
    started: list[int] = []

    async def one(release: asyncio.Event) -> int:
        async def receive() -> Any:
            await release.wait()
            return {"type": "http.request", "body": b"{}"}

        statuses: list[int] = []

        async def send(message: Any) -> None:
            if "status" in message:
                statuses.append(message["status"])

        scope = {"type": "http", "method": "POST", "path": "/predict/delay", "headers": []}
        started.append(1)
        await app(scope, receive, send)
        return statuses[0]

    async def both() -> tuple[int, int]:
        release = asyncio.Event()
        first = asyncio.create_task(one(release))
        while not started:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = await one(release)
        release.set()
        return await first, second

    assert house.runner.run(both()) == (404, 429)


def test_a_large_batch_is_answered_whole(house: House) -> None:
    house.release(house.models.put(1, signature=COLUMNS))
    client = house.client(house.open_gateway())
    rows = [{**ROW, "x": number / 10_000} for number in range(5_000)]
    answers = client.post("/predict/delay", {"rows": rows}).json["predictions"]
    assert [answer["probability"] for answer in answers[:2]] == pytest.approx([0, 1e-4])
    assert len(house.predictions()) == 5_000


anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2013-03-01T10:00:00Z", "BYTES", "FP64", "x", "a" * 32]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["x", "carrier", "rows", "name", "data", "event_at"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
rows = st.lists(
    st.fixed_dictionaries({}, optional=dict.fromkeys((*ROW, "event_at"), anything)), max_size=3
)
tensors = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from([*ROW, "event_at"]) | st.text(max_size=3),
            "datatype": st.sampled_from(["BYTES", "FP64", "FP32", "INT64", "BOOL", "BF16"]),
            "shape": st.lists(st.integers(-2, 3), max_size=3) | anything,
            "data": st.lists(anything, max_size=3) | anything,
        }
    ),
    max_size=3,
)
items = st.lists(
    st.fixed_dictionaries(
        {"prediction": st.just("a" * 32) | anything, "outcome": anything},
        optional={"event_at": anything},
    ),
    max_size=3,
)
frames = st.dictionaries(st.text(max_size=3), st.lists(anything, max_size=3), max_size=3)
values = st.lists(
    st.sampled_from(["2013-03-01T10:00:00Z", "UA", "", "\x1f", 0, 1, 0.5, 1e300, True, None])
    | anything,
    min_size=1,
    max_size=1,
)
landings = st.fixed_dictionaries(
    {"carrier": values, "rate": values},
    optional={
        "at": st.just(["2013-03-01T10:00:00Z"]) | st.just(["9999-12-31T00:00:00Z"]) | values
    },
)
REQUESTS = st.one_of(
    st.tuples(
        st.sampled_from(["/predict/delay", "/predict/planned"]),
        st.fixed_dictionaries({"rows": rows | anything}),
    ),
    st.tuples(
        st.just("/v2/models/delay/infer"), st.fixed_dictionaries({"inputs": tensors | anything})
    ),
    st.tuples(st.just("/feedback/delay"), st.fixed_dictionaries({"items": items | anything})),
    st.tuples(
        st.just("/push"),
        st.fixed_dictionaries(
            {
                "df": frames | landings | anything,
                "source": st.sampled_from(["landings", "columns", "rolling"]) | anything,
            }
        ),
    ),
)
PATHS = ("/predict/delay", "/v2/models/delay/infer", "/feedback/delay", "/push")


def test_what_is_fuzzed_answers_when_it_is_asked_well(client: Client) -> None:
    df = {"carrier": ["UA"], "at": ["2013-03-01T09:00:00Z"], "rate": [0.25]}
    pushed = client.post("/push", {"source": "landings", "df": df})
    assert pushed.json == {"written": {"columns": 1, "rolling": 1}}
    row = {**ROW, "late": "a", "event_at": "2013-03-01T10:00:00Z"}
    assert client.post("/predict/planned", {"rows": [row]}).status == 200
    refused = client.post("/predict/planned", {"rows": [{**row, "late": 5}]})
    assert (refused.status, refused.json["error"]) == (
        422,
        "rows[0].late: must be a text, not a number.",
    )


NO_FAILURE = settings(max_examples=300, deadline=None)


def assert_answered(client: Client, path: str, body: bytes) -> None:
    reply = client.post(path, body)
    assert reply.status in (200, 400, 404, 422), (reply.status, reply.body)
    assert reply.status == 200 or list(reply.json) == ["error"]


@given(sent=REQUESTS)
@NO_FAILURE
def test_no_json_is_answered_with_a_failure(client: Client, sent: tuple[str, Any]) -> None:
    path, body = sent
    assert_answered(client, path, json.dumps(body).encode())


@given(path=st.sampled_from(PATHS), body=st.binary(max_size=100))
@NO_FAILURE
def test_no_bytes_are_answered_with_a_failure(client: Client, path: str, body: bytes) -> None:
    assert_answered(client, path, body)


@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PUT", "HEAD"]))
@NO_FAILURE
def test_no_path_is_answered_with_a_failure(client: Client, path: str, method: str) -> None:
    reply = client.call(method, f"/{path}", b"{}")
    assert reply.status in (200, 400, 404, 405, 422)
