"""What keeps a loopback server from being used by a stranger's page: hosts, origins, tokens.

A browser on this machine may open any site, and any site may send requests to a loopback address.
So the server answers only to its own names (against DNS rebinding), and a request that changes
something must either carry a JSON content type, which a foreign page cannot send without asking
first, or the token of a form that this server made (standards: CVE classes 8 and 9).
"""

import hmac
import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trivet.kernel.errors import InvalidInput
from trivet.server.errors import Problem, problem_response
from trivet.server.headers import SECURITY_HEADERS

TOKEN_COOKIE = "trivet-token"  # noqa: S105 - the name of a cookie
TOKEN_FIELD = "token"  # noqa: S105 - the name of a form field
MAX_BODY_BYTES = 1_000_000
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PublicAddressRefused(InvalidInput):
    """A server without tokens was told to listen where others could reach it."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        return (
            f"The host {self.host!r} can be reached from outside, and this server has no tokens "
            "to tell who asks; listen on '127.0.0.1', or put a proxy that checks in front of it."
        )


def check_loopback(host: str) -> str:
    """Return the host if only this machine can reach it.

    Raises:
        PublicAddressRefused: It is another address, or a name that may stand for one.
    """
    if host == "localhost":
        return host
    try:
        if ipaddress.ip_address(host.strip("[]")).is_loopback:
            return host
    except ValueError:
        pass
    raise PublicAddressRefused(host)


class Guard:
    """Middleware that turns away what did not come from this server's own pages or from a tool.

    Every request must name a known host. One that may change something must come from the same
    origin and be JSON, or a form with the token of its cookie; its body is read here, up to
    `MAX_BODY_BYTES`, so that no route can forget the check.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts | LOOPBACK_NAMES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        secured = _secured(send)
        try:
            self._check_host(headers)
            if scope["method"] not in _SAFE_METHODS:
                _check_origin(headers)
                body = await _read_body(headers, receive)
                _check_form(headers, body)
                receive = _replayed(body, receive)
        except Problem as problem:
            await problem_response(problem)(scope, receive, secured)
            return
        await self._app(scope, receive, secured)

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if _without_port(host) not in self._hosts:
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "unknown-host",
                f"This server is not called {host!r}; "
                f"it answers to {', '.join(sorted(self._hosts))}.",
            )


def _secured(send: Send) -> Send:
    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_secured


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdecimal() else host.lower()


def _check_origin(headers: Headers) -> None:
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if foreign or headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "foreign-origin",
            f"The request comes from a page of {origin or 'another site'!r}; only this server's "
            "own pages may change something.",
        )


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-large",
                f"The body is longer than {MAX_BODY_BYTES} bytes.",
            )
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _check_form(headers: Headers, body: bytes) -> None:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        return
    if content_type != "application/x-www-form-urlencoded":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            f"The content type is {content_type!r}; send 'application/json'.",
        )
    given = parse_form(body).get(TOKEN_FIELD, "")
    kept = _cookie(headers, TOKEN_COOKIE)
    if not kept or not hmac.compare_digest(given.encode(), kept.encode()):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "token",
            "The form's token is missing or old; load the page again and repeat.",
        )


def parse_form(body: bytes) -> dict[str, str]:
    """Return the fields of a URL-encoded form; of a repeated one the last value."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    return {name: values[-1] for name, values in fields.items()}


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


NewToken = Callable[[], str]
"""Returns a text that nobody can guess."""
