"""A client of the gateway: one kept-alive connection, JSON in and out, retries with a limit."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from trivet.kernel.clock import Sleep, sleep
from trivet.kernel.errors import InvalidInput, Unavailable

_ATTEMPTS = 40
_PAUSE_SECONDS = 0.25
_TIMEOUT_SECONDS = 30


class GatewayUnavailable(Unavailable):
    """The gateway did not answer, however often it was asked."""

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(address, cause)
        self.address = address
        self.cause = cause

    def __str__(self) -> str:
        return f"The gateway at {self.address} did not answer: {self.cause}."


class RequestRefused(InvalidInput):
    """The gateway refused a request as malformed."""

    def __init__(self, path: str, status: int, detail: str) -> None:
        super().__init__(path, status, detail)
        self.path = path
        self.status = status
        self.detail = detail

    def __str__(self) -> str:
        return f"The gateway refused {self.path} with {self.status}: {self.detail}."


@dataclass(frozen=True, slots=True)
class Answer:
    """One prediction as the gateway gave it; `probability` is None where it had none to give."""

    id: str
    revision: int
    probability: float | None
    generation: int


class GatewayClient:
    """Talks to one gateway over one connection; not for use from several threads.

    A request that gets no answer is repeated, up to ten seconds: predicting twice is harmless,
    and feedback and pushes name what they are about, so the gateway takes them once.
    """

    def __init__(self, host: str, port: int, sleep: Sleep = sleep) -> None:
        self.address = f"{host}:{port}"
        self._connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        self._sleep = sleep

    def predict(self, deployment: str, rows: Sequence[dict[str, Any]]) -> list[Answer]:
        """Ask for a prediction of each row, and return them in their order."""
        reply = self._post(f"/predict/{deployment}", {"rows": rows})
        generation = int(reply["generation"])
        return [
            Answer(str(item["id"]), int(item["revision"]), item.get("probability"), generation)
            for item in reply["predictions"]
        ]

    def infer(self, deployment: str, row: dict[str, Any]) -> float:
        """Ask for one row by the Open Inference Protocol, and return the probability."""
        inputs = [
            {"name": name, "shape": [1], "datatype": _datatype(value), "data": [value]}
            for name, value in row.items()
        ]
        reply = self._post(f"/v2/models/{deployment}/infer", {"inputs": inputs})
        outputs = {output["name"]: output["data"] for output in reply["outputs"]}
        return float(outputs["probability"][0])

    def feedback(self, deployment: str, items: Sequence[dict[str, Any]]) -> None:
        """Tell what became of earlier predictions."""
        if items:
            self._post(f"/feedback/{deployment}", {"items": items})

    def push(self, source: str, columns: dict[str, list[Any]]) -> None:
        """Push rows of a source into every feature view over it."""
        self._post("/push", {"source": source, "df": columns, "to": "online"})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(body).encode()
        cause = ""
        for _ in range(_ATTEMPTS):
            try:
                status, reply = self._exchange(path, content)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                cause = str(error) or type(error).__name__
            else:
                if status == HTTPStatus.OK:
                    answer: dict[str, Any] = json.loads(reply)
                    return answer
                cause = f"{status} {reply.decode(errors='replace')[:300]}"
                if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in (404, 429):
                    raise RequestRefused(path, status, cause)
            self._sleep(_PAUSE_SECONDS)
        raise GatewayUnavailable(self.address, cause)

    def _exchange(self, path: str, content: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", path, content, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, response.read()


def _datatype(value: object) -> str:
    if isinstance(value, str):
        return "BYTES"
    return "INT64" if isinstance(value, int) else "FP64"
