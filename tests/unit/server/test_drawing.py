"""Numbers, times, graphs and charts, as pages write and draw them. Pure."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from trivet.ledger import Edge
from trivet.server.ui.addresses import address_of, find_address
from trivet.server.ui.charts import Axis, Chart, line, thinned
from trivet.server.ui.formatting import ago, duration, number, percent, short_ref, size, tone
from trivet.server.ui.graph import HEIGHT, Node, draw
from trivet.server.ui.latency import latency_percentile
from trivet.server.ui.lineage import draw_edges
from trivet.server.ui.page import to_json
from trivet.server.ui.pipelines import describe
from trivet.server.ui.runs import tabulate
from trivet.server.ui.words import Words

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0"),
        (41200, "41,200"),
        (-3.0, "\N{MINUS SIGN}3"),
        (0.74213, "0.7421"),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_are_written_with_four_figures(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 ms", "0ms"),
        (0.0004, "< 1 ms", "< 1ms"),
        (0.0421, "42 ms", "42ms"),
        (7, "7 s", "7초"),
        (90, "1 min 30 s", "1분 30초"),
        (11520, "3 h 12 min", "3시간 12분"),
        (86_400 * 3 + 7200, "3 d 2 h", "3일 2시간"),
        (604_800, "7 d", "7일"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, english: str, korean: str) -> None:
    assert duration(Words("en"), seconds) == english.replace("<", "&lt;")
    assert duration(Words("ko"), seconds) == korean.replace("<", "&lt;")


def test_instants_are_told_from_now_backwards_and_forwards() -> None:
    words = Words("en")
    assert ago(words, NOW - timedelta(hours=3), NOW) == "3 h ago"
    assert ago(words, NOW + timedelta(minutes=2), NOW) == "in 2 min"
    assert ago(words, NOW, NOW) == "just now"


def test_shares_sizes_and_states() -> None:
    assert (percent(0.781), percent(None)) == ("78.1 %", "\N{EN DASH}")
    assert (size(999), size(12_400_000), size(None)) == ("999 B", "12.4 MB", "\N{EN DASH}")
    assert [tone(s) for s in ("passed", "failed", "forced", "stepping", "no_data")] == [
        "good", "bad", "warn", "live", "unknown",
    ]  # fmt: skip


def test_a_long_id_is_cut_in_the_middle_since_neighbours_differ_at_the_end() -> None:
    assert (
        short_ref("run:0193a1b2c3d47e5f8a9b0c1d2e3f4a5b") == "run:0193\N{HORIZONTAL ELLIPSIS}4a5b"
    )
    assert short_ref("model:delay@7") == "model:delay@7"


@pytest.mark.parametrize(
    ("ref", "address"),
    [
        ("dataset:flights@main", "/data/flights?at=main"),
        ("features:by_carrier@3", "/features/by_carrier?version=3"),
        ("model:delay", "/models/delay"),
        ("model:team/delay@champion", "/models/team/delay/versions/champion"),
        ("deployment:delay#12", "/deployments/delay"),
        ("run:1", "/runs/1"),
        ("prediction:1", "/ref/prediction%3A1"),
    ],
)
def test_every_ref_has_a_page(ref: str, address: str) -> None:
    assert address_of(ref) == address
    assert find_address("no ref") is None


def test_a_node_stands_after_all_it_follows() -> None:
    nodes = [Node(id=name, title=name) for name in "abcd"]
    links = [("a", "b", ""), ("a", "d", ""), ("b", "c", ""), ("c", "d", "")]
    place = {node.id: node.x for node in draw(nodes, links).nodes}
    assert place["a"] < place["b"] < place["c"] < place["d"]


def test_a_cycle_is_drawn_and_nodes_of_a_layer_do_not_touch() -> None:
    nodes = [Node(id=name, title=name) for name in "abc"]
    drawing = draw(nodes, [("a", "b", ""), ("b", "a", ""), ("c", "b", ""), ("x", "a", "")])
    assert len(drawing.nodes) == 3
    boxes = sorted((node.x, node.y) for node in drawing.nodes)
    assert all(x1 != x2 or y2 - y1 >= HEIGHT for (x1, y1), (x2, y2) in pairwise(boxes))


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([], []).nodes == ()


def test_lineage_leaves_out_a_dataset_history_but_not_the_neighbours() -> None:
    chain = [f"dataset:d@{n}" for n in range(4)]
    edges = [Edge(from_ref=a, to_ref=b, role="parent") for a, b in pairwise(chain)]
    names = {node.id for node in draw_edges("dataset:d@3", edges).nodes}
    assert names == {"dataset:d@2", "dataset:d@3"}


def test_a_chart_is_a_table_too() -> None:
    chart = Chart(
        axis=Axis.NUMBER,
        x_name="step",
        series=(line("a", [(0, 1.0), (2, None)]), line("b", [(1, 3.0)])),
    )
    assert chart.rows == [["0", 1.0, None], ["1", None, 3.0], ["2", None, None]]
    assert not chart.is_empty
    assert Chart(axis=Axis.TIME, x_name="t", series=(line("a", [(NOW, None)]),)).is_empty


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    points = [(float(n), float(n)) for n in range(10_001)]
    kept = thinned(points, 100)
    assert len(kept) <= 102
    assert kept[-1] == (10_000.0, 10_000.0)
    assert thinned([], 10) == []


def test_percentiles_are_read_off_buckets() -> None:
    assert latency_percentile((), 0.5) is None
    assert latency_percentile((0, 0, 10) + (0,) * 10, 0.5) == pytest.approx(1.5)
    assert latency_percentile((0,) * 12 + (4,), 0.99) == 1000.0
    assert latency_percentile((10,) + (0,) * 12, 1.0) == pytest.approx(0.5)


def test_json_has_no_nan_and_no_objects() -> None:
    node = Node(id="a", title="t")
    assert to_json({"a": float("nan"), "b": (NOW, timedelta(seconds=2)), "c": node}) == {
        "a": None,
        "b": ["2026-01-01T00:00:00+00:00", 2.0],
        "c": {"id": "a", "title": "t", "text": "", "address": "", "tone": "", "is_centre": False},
    }


def test_metrics_measured_in_several_places_make_one_table() -> None:
    table = tabulate(
        {"train.auc": 0.9, "train.loss": 0.2, "test.auc": 0.8, "test.loss": 0.3, "gate.auc": 0.8}
    )
    assert table.columns == ("test", "train")
    assert table.rows == (("auc", (0.8, 0.9)), ("loss", (0.3, 0.2)))


def test_what_a_step_handed_on_is_said_in_words() -> None:
    assert describe({"type": "table of 3 rows", "codec": "arrow", "size": 2000}) == (
        "table of 3 rows · 2.0 kB"
    )
    assert describe({"rows": 51_801, "name": "logistic"}) == "rows 51,801, name logistic"
    assert describe(["a", "b", "c", "d", "e"]) == "a, b, c, d + 1"
