"""The gateway as an ASGI application: framing, limits, and where errors become statuses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from trivet.kernel.clock import Stopwatch
from trivet.kernel.errors import TrivetError
from trivet.serving.endpoints import Endpoint, Endpoints, Push, Response, problem, refusal
from trivet.serving.following import TableFollower
from trivet.serving.gateway import Gateway

_log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Coroutine[Any, Any, Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 8 * 1024 * 1024
_INLINE_BODY_BYTES = 64 * 1024
_BODY_SECONDS = 10.0
_THREADS = 4


class HttpRefusal(Exception):
    """A request is refused for its form; carries the response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class GatewayApp:
    """Answers HTTP for a gateway.

    A request of ordinary size is answered on the event loop itself, since it takes well under a
    millisecond; what waits for a disk, and a large batch, is answered on a thread.

    Args:
        gateway: What computes the answers.
        follower: What knows how fresh the routing tables are.
        pusher: What takes pushed feature rows, if there is a feature store.
        hosts: The host names a request may be addressed to; any other is a rebinding attack.
        max_in_flight: Requests beyond this many at once get 429.
    """

    def __init__(
        self,
        gateway: Gateway,
        follower: TableFollower,
        pusher: Push | None,
        *,
        hosts: frozenset[str],
        stopwatch: Stopwatch,
        max_in_flight: int = 512,
    ) -> None:
        self._endpoints = Endpoints(gateway, follower, pusher, lambda: self._in_flight)
        self._metrics = gateway.metrics
        self._hosts = {host.encode() for host in hosts}
        self._stopwatch = stopwatch
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="gateway")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; lifespan events have nothing to do here."""
        if scope["type"] != "http":
            return
        self._in_flight += 1
        try:
            response = await self._respond(scope, receive)
        except ConnectionResetError:
            return
        finally:
            self._in_flight -= 1
        self._metrics.responded(response.status)
        headers = [
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            *response.headers,
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        """Wait for what is on threads."""
        self._threads.shutdown()

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        try:
            if self._in_flight > self._max_in_flight:
                text = f"{self._max_in_flight} requests are being answered; try again"
                raise HttpRefusal(problem(429, text, (b"retry-after", b"1")))
            endpoint = self._find(scope)
            body = b"" if endpoint.method == "GET" else await _read_body(receive)
            began = self._stopwatch()
            if endpoint.blocks or len(body) > _INLINE_BODY_BYTES:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, endpoint.answer, body, began)
            return endpoint.answer(body, began)
        except HttpRefusal as refused:
            return refused.response
        except TrivetError as error:
            return refusal(error)
        except ConnectionResetError:
            raise
        except Exception:  # noqa: BLE001 - the outermost edge: the caller gets no traceback
            _log.exception("a request failed", extra={"path": scope["path"]})
            return problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway failed; it has logged why."
            )

    def _find(self, scope: Scope) -> Endpoint:
        headers = scope["headers"]
        self._check_headers(headers, scope["method"])
        endpoint = self._endpoints.find(scope["path"])
        if endpoint is None:
            raise HttpRefusal(problem(HTTPStatus.NOT_FOUND, f"No path {scope['path'][:200]!r}."))
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method != endpoint.method:
            text = f"{scope['path'][:200]} takes {endpoint.method}, not {scope['method'][:20]}."
            allow = (b"allow", endpoint.method.encode())
            raise HttpRefusal(problem(HTTPStatus.METHOD_NOT_ALLOWED, text, allow))
        return endpoint

    def _check_headers(self, headers: list[tuple[bytes, bytes]], method: str) -> None:
        for name, value in headers:
            check = _HEADER_CHECKS.get(name)
            refused = check(value, method, self._hosts) if check is not None else None
            if refused is not None:
                raise HttpRefusal(refused)


_JSON_TYPE = b"application/json"


def _host_name(value: bytes) -> bytes:
    if value.startswith(b"["):
        return value.partition(b"]")[0][1:].lower()
    return value.partition(b":")[0].lower()


def _check_host(value: bytes, _method: str, hosts: set[bytes]) -> Response | None:
    if _host_name(value) in hosts:
        return None
    text = f"This gateway is not addressed as {value[:100].decode('latin-1')!r}."
    return problem(HTTPStatus.MISDIRECTED_REQUEST, text)


def _check_length(value: bytes, _method: str, _hosts: set[bytes]) -> Response | None:
    if value.isdigit() and len(value) <= 12 and int(value) <= MAX_BODY_BYTES:
        return None
    return _too_large()


def _check_type(value: bytes, method: str, _hosts: set[bytes]) -> Response | None:
    if method != "POST" or value.split(b";")[0].strip().lower() == _JSON_TYPE:
        return None
    text = "content-type: expected application/json."
    return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text)


def _check_origin(value: bytes, _method: str, hosts: set[bytes]) -> Response | None:
    if _host_name(value.partition(b"://")[2]) in hosts:
        return None
    return problem(HTTPStatus.FORBIDDEN, "Pages of other sites may not call this gateway.")


def _check_binary(_value: bytes, _method: str, _hosts: set[bytes]) -> Response | None:
    text = "Binary tensors are not spoken here; send the tensors' data as JSON."
    return problem(HTTPStatus.BAD_REQUEST, text)


_HEADER_CHECKS = {
    b"host": _check_host,
    b"content-length": _check_length,
    b"content-type": _check_type,
    b"origin": _check_origin,
    b"inference-header-content-length": _check_binary,
}


def _too_large() -> Response:
    text = f"The body may have {MAX_BODY_BYTES} bytes at most."
    # The rest of the body is not read, so the connection cannot be used again.
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, (b"connection", b"close"))


class _Begun:
    """A message on its way, received as far as that goes without waiting.

    Most bodies come with their head and are there at once; a timer for each is 5 us too many.
    """

    def __init__(self, receiving: Coroutine[Any, Any, Message]) -> None:
        self.message: Message | None = None
        self._receiving = receiving
        self._awaited: Any = None
        try:
            self._awaited = receiving.send(None)
        except StopIteration as done:
            self.message = done.value

    def __await__(self) -> Generator[Any, Any, Message]:
        if self.message is not None:
            return self.message
        try:
            yield self._awaited
        except BaseException as error:
            self._receiving.throw(error)
            raise
        return (yield from self._receiving.__await__())


async def _read_body(receive: Receive) -> bytes:
    first = _Begun(receive())
    message = first.message
    if message is not None and not message.get("more_body", False):
        return _part(message)
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await _read_rest(await first, receive)
    except TimeoutError:
        text = f"The body did not arrive within {_BODY_SECONDS:g} seconds."
        close = (b"connection", b"close")
        raise HttpRefusal(problem(HTTPStatus.REQUEST_TIMEOUT, text, close)) from None


async def _read_rest(message: Message, receive: Receive) -> bytes:
    chunks = [_part(message)]
    size = len(chunks[0])
    while message.get("more_body", False):
        message = await receive()
        chunks.append(_part(message))
        size += len(chunks[-1])
        if size > MAX_BODY_BYTES:
            raise HttpRefusal(_too_large())
    return b"".join(chunks)


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ConnectionResetError
    part: bytes = message.get("body", b"")
    if len(part) > MAX_BODY_BYTES:
        raise HttpRefusal(_too_large())
    return part
