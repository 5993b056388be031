from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trivet.features import FeatureService, FeatureView, RequestFeature, TimePart, plan_to_json
from trivet.registry import Signature
from trivet.serving import (
    Feedback,
    JournalReader,
    RevisionSpec,
    Role,
    Status,
    assign,
    find_prediction,
)
from trivet.serving.process import RunningGateway
from trivet.storage.online import OnlineRow
from trivet.storage.sql import Database
from trivet.testing.serving import START, House, full_disk

CARRIER = Signature(
    inputs=("x",), request={"x": "number", "carrier": "string"}, slices=("carrier",)
)


def drain(running: RunningGateway) -> None:
    """Let the shadow thread finish what waits."""
    running._shadows.start()
    running._shadows.stop()


def test_an_answer_says_who_gave_it_and_is_in_the_journal(house: House) -> None:
    house.release(house.models.put(1, signature=CARRIER))
    client = house.client(house.open_gateway())
    row = {"x": 0.75, "carrier": "UA", "event_at": "2013-03-01T10:00:00Z", "other": [1]}
    reply = client.post("/predict/delay", {"rows": [row]})
    assert reply.status == 200
    assert reply.json["generation"] == 1
    (answer,) = reply.json["predictions"]
    assert (answer["probability"], answer["label"]) == (0.75, 1)
    assert (answer["revision"], answer["model"]) == (1, "model:delay@1")
    assert reply.headers["x-trivet-generation"] == "1"
    assert reply.headers["x-trivet-revision"] == "1"
    assert reply.headers["x-trivet-prediction"] == answer["id"]
    kept = find_prediction(house.home / "journal", answer["id"])
    assert kept.inputs == {"x": 0.75, "carrier": "UA"}
    assert kept.event_at == datetime(2013, 3, 1, 10, tzinfo=UTC)
    assert (kept.features, kept.output, kept.role) == ([0.75], 0.75, Role.PRIMARY)


def test_the_open_inference_protocol_gives_the_same_answer(house: House) -> None:
    house.release(house.models.put(1))
    client = house.client(house.open_gateway())
    body = {
        "id": "mine",
        "inputs": [{"name": "m", "datatype": "FP32", "shape": [2, 1], "data": [[0.25], [0.75]]}],
    }
    reply = client.post("/v2/models/delay/infer", body)
    assert reply.status == 200
    assert (reply.json["model_name"], reply.json["id"]) == ("delay", "mine")
    outputs = {output["name"]: output for output in reply.json["outputs"]}
    assert outputs["probability"]["data"] == [0.25, 0.75]
    assert outputs["label"] == {
        "name": "label",
        "datatype": "INT64",
        "shape": [2],
        "data": [0, 1],
    }
    assert reply.json["parameters"] == {"generation": 1}
    assert reply.headers["x-trivet-prediction"] == outputs["prediction_id"]["data"][0]


def test_named_tensors_are_the_request_columns(house: House) -> None:
    house.release(house.models.put(1, signature=CARRIER), unit="carrier")
    client = house.client(house.open_gateway())
    inputs = [
        {"name": "x", "datatype": "FP64", "shape": [2], "data": [0.5, 1]},
        {"name": "carrier", "datatype": "BYTES", "shape": [2, 1], "data": ["UA", "AA"]},
        {"name": "event_at", "datatype": "BYTES", "shape": [2], "data": [START.isoformat()] * 2},
    ]
    body = {"inputs": inputs, "outputs": [{"name": "label"}]}
    reply = client.post("/v2/models/delay/infer", body)
    assert [output["name"] for output in reply.json["outputs"]] == ["label"]
    assert [record.unit for record in house.predictions()] == ["UA", "AA"]
    described = client.get("/v2/models/delay").json
    assert described["platform"] == "onnx"
    assert {"name": "carrier", "datatype": "BYTES", "shape": [-1]} in described["inputs"]


def canary_of(house: House, candidate: RevisionSpec, weight: float) -> RunningGateway:
    stable = house.models.put(1, signature=CARRIER)
    house.release(stable, candidate, candidate=candidate.number, weight=weight, unit="carrier")
    return house.open_gateway()


def test_units_stick_to_the_revision_they_are_assigned(house: House) -> None:
    running = canary_of(house, house.models.put(2, signature=CARRIER, factor=0.5), 0.5)
    rows = [{"x": 0.5, "carrier": f"C{number}"} for number in range(40)] * 2
    answers = house.client(running).post("/predict/delay", {"rows": rows}).json["predictions"]
    table = house.routing.list_tables()[0]
    expected = [assign(table, str(row["carrier"])) for row in rows]
    assert [answer["revision"] for answer in answers] == expected
    assert set(expected) == {1, 2}
    factor = {1: 0.5, 2: 0.25}
    assert [a["probability"] for a in answers] == [factor[a["revision"]] for a in answers]


def test_the_stable_revision_answers_where_the_candidate_is_invalid(house: House) -> None:
    bad = house.models.put(2, signature=CARRIER, factor=3.0)
    client = house.client(canary_of(house, bad, 1.0))
    rows = [{"x": 0.25, "carrier": "UA"}, {"x": 0.5, "carrier": "AA"}]
    good, fallen = client.post("/predict/delay", {"rows": rows}).json["predictions"]
    assert (good["revision"], good["probability"]) == (2, 0.75)
    assert "fallback" not in good
    assert (fallen["revision"], fallen["probability"], fallen["fallback"]) == (1, 0.5, True)
    kept = {(record.revision, record.status): record for record in house.predictions()}
    assert set(kept) == {(2, Status.OK), (2, Status.INVALID), (1, Status.OK)}
    assert "1.5" in str(kept[2, Status.INVALID].error)
    assert kept[1, Status.OK].id == fallen["id"]


def test_a_candidate_that_wants_more_columns_fails_and_its_caller_does_not(house: House) -> None:
    greedy = replace(CARRIER, request={**CARRIER.request, "origin": "string"})
    client = house.client(canary_of(house, house.models.put(2, signature=greedy), 1.0))
    reply = client.post("/predict/delay", {"rows": [{"x": 0.5, "carrier": "UA"}]})
    (answer,) = reply.json["predictions"]
    assert (answer["revision"], answer["fallback"]) == (1, True)
    failed = next(record for record in house.predictions() if record.revision == 2)
    assert failed.status is Status.ERROR
    assert "origin" in str(failed.error)


def test_a_row_that_nobody_can_answer_has_an_error_and_no_number(house: House) -> None:
    house.release(house.models.put(1))
    client = house.client(house.open_gateway())
    good, bad = client.post("/predict/delay", {"rows": [{"x": 0.5}, {"x": 7}]}).json["predictions"]
    assert good["probability"] == 0.5
    assert (bad["probability"], bad["label"]) == (None, None)
    assert "outside" in bad["error"]
    tensor = {"name": "x", "datatype": "FP64", "shape": [2], "data": [0.5, 7]}
    outputs = client.post("/v2/models/delay/infer", {"inputs": [tensor]}).json["outputs"]
    assert outputs[0]["data"] == [0.5, None]
    assert outputs[-1]["name"] == "error"


def test_shadows_are_computed_beside_the_answer(house: House) -> None:
    stable = house.models.put(1, signature=CARRIER)
    candidate = house.models.put(2, signature=CARRIER, factor=1.5)
    house.release(stable, candidate, candidate=2, shadow=1.0)
    running = house.open_gateway()
    row = {"x": 0.4, "carrier": "UA"}
    (answer,) = house.client(running).post("/predict/delay", {"rows": [row]}).json["predictions"]
    assert answer["revision"] == 1
    drain(running)
    shadow = next(record for record in house.predictions() if record.role is Role.SHADOW)
    assert (shadow.revision, shadow.primary, shadow.primary_label) == (2, answer["id"], 0)
    assert shadow.output == pytest.approx(0.6)
    assert (shadow.label, shadow.status) == (1, Status.OK)


def test_shadows_beyond_the_queue_are_dropped_and_counted(house: House) -> None:
    candidate = house.models.put(2)
    house.release(house.models.put(1), candidate, candidate=2, shadow=1.0)
    running = house.open_gateway()
    client = house.client(running)
    for _ in range(1_003):
        client.post("/predict/delay", {"rows": [{"x": 0.5}]})
    assert 'event="shadow_dropped"} 3' in client.get("/metrics").body.decode()
    drain(running)
    assert sum(record.role is Role.SHADOW for record in house.predictions()) == 1_000


def test_feedback_is_journalled(house: House) -> None:
    house.release(house.models.put(1))
    client = house.client(house.open_gateway())
    item = {"prediction": "a" * 32, "outcome": True, "event_at": "2013-03-01T10:00:00+01:00"}
    assert client.post("/feedback/delay", {"items": [item]}).json == {"accepted": 1}
    ((kept,), _) = JournalReader(house.home / "journal").read({})
    assert isinstance(kept, Feedback)
    assert (kept.prediction, kept.outcome) == ("a" * 32, 1.0)
    assert kept.event_at == datetime(2013, 3, 1, 9, tzinfo=UTC)


def test_a_full_disk_takes_no_feedback_and_callers_are_answered_all_the_same(house: House) -> None:
    house.release(house.models.put(1))
    client = house.client(house.open_gateway())
    item = {"prediction": "a" * 32, "outcome": 1}
    with full_disk(0):
        answered = client.post("/predict/delay", {"rows": [{"x": 0.5}]})
        refused = client.post("/feedback/delay", {"items": [item]})
    assert (answered.status, answered.headers["x-trivet-journal"]) == (200, "failed")
    assert answered.json["predictions"][0]["probability"] == 0.5
    assert refused.status == 507
    assert "Nothing was acknowledged" in refused.json["error"]
    assert 'event="journal_failed"} 1' in client.get("/metrics").body.decode()
    assert client.post("/feedback/delay", {"items": [item]}).status == 200
    assert "x-trivet-journal" not in client.post("/predict/delay", {"rows": [{"x": 1}]}).headers


def by_carrier(house: House) -> tuple[Signature, FeatureView]:
    view = house.features.apply(
        FeatureView(
            name="by_carrier",
            entity=("carrier",),
            source="landings",
            event_time="at",
            columns=("rate",),
            ttl=timedelta(days=7),
        )
    )
    service = house.features.apply(
        FeatureService(
            name="delay",
            views=(("by_carrier", ()),),
            request=(RequestFeature(name="hour", part=TimePart.HOUR),),
        )
    )
    plan = house.features.plan(service)
    signature = Signature(
        inputs=plan.names, plan=plan_to_json(plan), request={"carrier": "string"}
    )
    return signature, view


def test_features_are_looked_up_and_pushed(house: House) -> None:
    signature, view = by_carrier(house)
    house.release(house.models.put(1, signature=signature))
    client = house.client(house.open_gateway())
    rows = [{"carrier": "UA", "event_at": "2013-03-01T10:00:00Z"}]
    df = {"carrier": ["UA"], "at": ["2013-03-01T09:00:00Z"], "rate": [0.25]}
    for body in (
        {"source": "landings", "df": df, "to": "online"},
        {"push_source_name": "by_carrier", "df": df},
    ):
        reply = client.post("/push", body)
        assert (reply.status, reply.json["written"]) == (200, {"by_carrier": 1})
    (answer,) = client.post("/predict/delay", {"rows": rows}).json["predictions"]
    assert answer["probability"] == 0.25
    assert house.predictions()[0].features == [0.25, 10.0]
    assert view.online_name == "by_carrier@1"


def test_pushes_go_on_without_the_database_and_reach_older_versions(house: House) -> None:
    signature, first = by_carrier(house)
    house.release(house.models.put(1, signature=signature))
    house.features.apply(replace(first, description="The same again.", ttl=timedelta(days=1)))
    running = house.open_gateway()
    df = {"carrier": ["UA"], "at": ["2013-03-01T09:00:00Z"], "rate": [0.25]}
    both = {"by_carrier": 1, "by_carrier (older)": 1}
    assert house.client(running).post("/push", {"source": "landings", "df": df}).json == {
        "written": both
    }
    assert house.online.count("by_carrier@1") == house.online.count("by_carrier@2") == 1
    house.close(running)
    (house.home / "trivet.db").unlink()
    gone = Database(f"sqlite:///{house.home}/trivet.db", create=False)
    house.routing._database = house.features._database = gone
    again = house.client(house.open_gateway())
    assert again.post("/push", {"source": "landings", "df": df}).json == {"written": both}


def test_an_unknown_entity_is_refused_by_name_and_an_outdated_one_is_not(house: House) -> None:
    signature, view = by_carrier(house)
    old = START - timedelta(days=90)
    house.online.write(view.online_name, [OnlineRow("UA", old, old, (0.25,))])
    house.release(house.models.put(1, signature=signature))
    client = house.client(house.open_gateway())
    unknown = client.post("/predict/delay", {"rows": [{"carrier": "UA"}, {"carrier": "ZZ"}]})
    assert unknown.status == 422
    assert "rows[1].carrier" in unknown.json["error"]
    assert "'ZZ'" in unknown.json["error"]
    outdated = client.post("/predict/delay", {"rows": [{"carrier": "UA"}]})
    assert outdated.status == 200
    assert house.predictions()[-1].features[0] is None


def test_a_revision_may_let_unknown_entities_pass(house: House) -> None:
    signature, _ = by_carrier(house)
    spec = house.models.put(1, signature=signature, settings={"unknown_entities": "missing"})
    house.release(spec)
    client = house.client(house.open_gateway())
    assert client.post("/predict/delay", {"rows": [{"carrier": "ZZ"}]}).status == 200


def test_metrics_count_answers_latency_and_stages(house: House) -> None:
    house.release(house.models.put(1))
    client = house.client(house.open_gateway())
    for value in (0.5, 7):
        client.post("/predict/delay", {"rows": [{"x": value}]})
    client.post("/predict/delay", b"{")
    text = client.get("/metrics").body.decode()
    labels = 'deployment="delay",revision="1",role="primary"'
    assert f'trivet_gateway_answers_total{{{labels},status="ok"}} 1' in text
    assert f'trivet_gateway_answers_total{{{labels},status="invalid"}} 1' in text
    assert 'trivet_gateway_request_seconds_bucket{deployment="delay",le="+Inf"} 2' in text
    assert 'trivet_gateway_stage_seconds_total{deployment="delay",stage="predict"}' in text
    assert 'trivet_gateway_responses_total{code="400"} 1' in text
    assert 'trivet_gateway_generation{deployment="delay"} 1' in text
    for line in text.splitlines():
        assert line.startswith("#") or float(line.rsplit(" ", 1)[1]) >= 0
