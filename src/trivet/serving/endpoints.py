"""What a gateway answers to each path: functions from a body to a response, without sockets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import isfinite
from string import hexdigits
from typing import Any, Protocol

import msgspec

from trivet.kernel.errors import Conflict, InvalidInput, NotFound, TrivetError, Unavailable
from trivet.serving import bodies, open_inference
from trivet.serving.errors import BadRequest, JournalFailed, Unreadable
from trivet.serving.following import TableFollower
from trivet.serving.gateway import Answers, Gateway, Route
from trivet.serving.records import Feedback
from trivet.serving.requests import MAX_ROWS, parse_time
from trivet.serving.tables import table_to_json

_JSON = b"application/json"
_STALE_AFTER_SECONDS = 5.0
_ID_LENGTH = 32

_STATUS_OF: tuple[tuple[type[TrivetError], HTTPStatus], ...] = (
    (Unreadable, HTTPStatus.BAD_REQUEST),
    (JournalFailed, HTTPStatus.INSUFFICIENT_STORAGE),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


class Push(Protocol):
    """Takes rows of a source into the online store."""

    def push(self, name: str, columns: Mapping[str, Sequence[Any]]) -> dict[str, int]:
        """Push rows into the view, or every view over the dataset, of this name.

        Returns how many online rows each view wrote.
        """
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, all but its framing."""

    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers a path: `answer(body, began)`; `blocks` where it waits for a disk."""

    method: str
    answer: Callable[[bytes, float], Response]
    blocks: bool = False


def problem(status: int, text: str, *headers: tuple[bytes, bytes]) -> Response:
    """Return an error in the one shape all have: `{"error": "…"}`."""
    return Response(status, bodies.encode({"error": text}), headers=headers)


def refusal(error: TrivetError) -> Response:
    """Return the response to an error of ours."""
    status = next(status for kind, status in _STATUS_OF if isinstance(error, kind))
    return problem(status, str(error))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of one gateway."""

    gateway: Gateway
    follower: TableFollower
    pusher: Push | None
    in_flight: Callable[[], int]
    _predict: Any = field(default_factory=lambda: msgspec.json.Decoder(bodies.PredictBody))
    _feedback: Any = field(default_factory=lambda: msgspec.json.Decoder(bodies.FeedbackBody))
    _push: Any = field(default_factory=lambda: msgspec.json.Decoder(bodies.PushBody))

    def find(self, path: str) -> Endpoint | None:
        """Return what answers this path."""
        if path.startswith("/predict/"):
            return Endpoint("POST", lambda body, began: self.predict(path[9:], body, began))
        if path.startswith("/v2/models/"):
            return self._model_endpoint(path[11:])
        if path.startswith("/feedback/"):
            return Endpoint("POST", lambda body, _: self.feedback(path[10:], body), blocks=True)
        if path == "/push":
            return Endpoint("POST", lambda body, _: self.push(body), blocks=True)
        return self._plain_endpoint(path)

    def _model_endpoint(self, rest: str) -> Endpoint:
        if rest.endswith("/infer"):
            return Endpoint("POST", lambda body, began: self.infer(rest[:-6], body, began))
        if rest.endswith("/ready"):
            return Endpoint("GET", lambda _body, _began: self.model_ready(rest[:-6]))
        return Endpoint("GET", lambda _body, _began: self.model(rest))

    def _plain_endpoint(self, path: str) -> Endpoint | None:
        answer = {
            "/health": self.health,
            "/v2": lambda: _ok(open_inference.describe_server()),
            "/v2/health/live": lambda: _ok({"live": True}),
            "/v2/health/ready": lambda: _ok({"ready": True}),
            "/metrics": self.metrics,
            "/routing": self.routing,
        }.get(path.rstrip("/"))
        return None if answer is None else Endpoint("GET", lambda _body, _began: answer())

    def predict(self, deployment: str, body: bytes, began: float) -> Response:
        """POST /predict/{deployment}."""
        route = self.gateway.route(deployment)
        rows = bodies.decode(self._predict, body).rows
        answers = self.gateway.infer(route, rows, began)
        return _answered(route, answers, bodies.encode_answers(answers))

    def infer(self, deployment: str, body: bytes, began: float) -> Response:
        """POST /v2/models/{deployment}/infer."""
        route = self.gateway.route(deployment)
        request = open_inference.decode_infer(body)
        signature = route.revisions[route.table.stable].signature
        rows = open_inference.rows_of(request, signature)
        answers = self.gateway.infer(route, rows, began)
        return _answered(route, answers, open_inference.encode_infer(deployment, request, answers))

    def model(self, deployment: str) -> Response:
        """GET /v2/models/{deployment}."""
        return _ok(open_inference.describe_model(deployment, self.gateway.route(deployment)))

    def model_ready(self, deployment: str) -> Response:
        """GET /v2/models/{deployment}/ready."""
        self.gateway.route(deployment)
        return _ok({"name": deployment, "ready": True})

    def feedback(self, deployment: str, body: bytes) -> Response:
        """POST /feedback/{deployment}: acknowledged once it is on the disk."""
        self.gateway.route(deployment)
        items = bodies.decode(self._feedback, body).items
        if len(items) > MAX_ROWS:
            raise BadRequest("items", f"expected {MAX_ROWS} items at most, got {len(items)}")
        now = self.gateway.clock()
        records = []
        for position, item in enumerate(items):
            _check_feedback(position, item)
            event_at = (
                now
                if item.event_at is None
                else parse_time(f"items[{position}].event_at", item.event_at)
            )
            records.append(
                Feedback(
                    prediction=item.prediction,
                    deployment=deployment,
                    at=now,
                    event_at=event_at,
                    outcome=float(item.outcome),
                )
            )
        self.gateway.journal.append(records)
        self.gateway.journal.sync()
        self.gateway.metrics.counted("feedback", len(records))
        return _ok({"accepted": len(records)})

    def push(self, body: bytes) -> Response:
        """POST /push: rows of a source into the online store."""
        asked = bodies.decode(self._push, body)
        if asked.to != "online":
            raise BadRequest("to", f"expected 'online', got {asked.to!r}; commit what is to stay")
        if (asked.source is None) == (asked.push_source_name is None):
            raise BadRequest(
                "push_source_name", "name a feature view here, or a dataset as source"
            )
        lengths = {len(values) for values in asked.df.values()}
        if len(lengths) != 1:
            raise BadRequest("df", "expected one column or more, all of one length")
        if self.pusher is None:
            raise BadRequest("push_source_name", "this gateway has no feature store to push into")
        written = self.pusher.push(str(asked.source or asked.push_source_name), asked.df)
        self.gateway.metrics.counted("pushed_rows", lengths.pop())
        return _ok({"written": written})

    def health(self) -> Response:
        """GET /health: 200 as long as the process answers; what it says is for people."""
        stale = self.follower.stale_seconds
        is_stale = stale is None or stale > _STALE_AFTER_SECONDS
        return _ok(
            {
                "status": "stale" if is_stale else "ok",
                "id": self.follower.gateway_id,
                "stale_seconds": stale,
                "deployments": {
                    name: _summary(route) for name, route in self.gateway.routes.items()
                },
                "problems": self.follower.problems,
            }
        )

    def routing(self) -> Response:
        """GET /routing: the tables in force."""
        tables = [table_to_json(route.table) for route in self.gateway.routes.values()]
        return _ok({"tables": tables})

    def metrics(self) -> Response:
        """GET /metrics."""
        routes = self.gateway.routes.items()
        stale = self.follower.stale_seconds
        text = self.gateway.metrics.render(
            {
                "trivet_gateway_generation": {
                    (("deployment", name),): route.table.generation for name, route in routes
                },
                "trivet_gateway_weight": {
                    (("deployment", name),): route.table.weight for name, route in routes
                },
                "trivet_gateway_stale_seconds": {(): float("inf") if stale is None else stale},
                "trivet_gateway_problems": {(): len(self.follower.problems)},
                "trivet_gateway_shadow_waiting": {(): self.gateway.shadows.waiting},
                "trivet_gateway_journal_bytes": {(): self.gateway.journal.bytes_written},
                "trivet_gateway_in_flight": {(): self.in_flight()},
            }
        )
        return Response(HTTPStatus.OK, text.encode(), b"text/plain; version=0.0.4; charset=utf-8")


def _ok(value: Any) -> Response:
    return Response(HTTPStatus.OK, bodies.encode(value))


def _answered(route: Route, answers: Answers, body: bytes) -> Response:
    given = answers.answers
    revisions = {answer.revision: None for answer in given}
    headers = [
        (b"x-trivet-generation", b"%d" % route.table.generation),
        (b"x-trivet-revision", b",".join(b"%d" % number for number in revisions)),
        (b"x-trivet-prediction", given[0].id.encode()),
    ]
    if not answers.is_journalled:
        headers.append((b"x-trivet-journal", b"failed"))
    return Response(HTTPStatus.OK, body, headers=tuple(headers))


def _check_feedback(position: int, item: bodies.FeedbackItem) -> None:
    prediction = item.prediction
    if len(prediction) != _ID_LENGTH or not set(prediction) <= set(hexdigits):
        raise BadRequest(
            f"items[{position}].prediction", f"{prediction[:60]!r} is no prediction id"
        )
    if not isfinite(item.outcome):
        raise BadRequest(f"items[{position}].outcome", "expected a finite number")


def _summary(route: Route) -> dict[str, Any]:
    names = ("generation", "stable", "candidate", "weight", "shadow")
    return {name: getattr(route.table, name) for name in names}
