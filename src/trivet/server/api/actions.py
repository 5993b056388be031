"""How a verb is called: by a form, which is led back to its page, or by JSON for a record."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from trivet.app import App
from trivet.kernel.errors import InvalidInput
from trivet.server.security import parse_form
from trivet.server.ui.page import to_json

Given = dict[str, Any]
Verb = Callable[[App, dict[str, str], Given], object]
"""Does one thing to what the path names, with what the body gives; returns the record it made."""


def action(path: str, verb: Verb) -> Route:
    """Return the route that does `verb` at `POST path`."""

    async def answer(request: Request) -> Response:
        given = await read_body(request)
        done = await run_in_threadpool(
            verb, request.app.state.trivet, dict(request.path_params), given
        )
        if is_form(request):
            return RedirectResponse(safe_return(given.get("back")), HTTPStatus.SEE_OTHER)
        return JSONResponse(to_json(done))

    return Route(path, answer, methods=["POST"], name=path)


def is_form(request: Request) -> bool:
    """Return whether the request is a form's, not a tool's."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


async def read_body(request: Request) -> Given:
    """Return the fields of the body, be it a form or a JSON object.

    Raises:
        InvalidInput: The body is not a JSON object.
    """
    body = await request.body()
    if is_form(request):
        return dict(parse_form(body))
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not JSON.") from None
    if not isinstance(given, dict):
        raise InvalidInput(f"The body is a JSON {type(given).__name__}; send an object.")
    return given


def text(given: Given, name: str, default: str = "") -> str:
    """Return a field that must be text.

    Raises:
        InvalidInput: It is something else.
    """
    value = given.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput(f"{name!r} is {value!r}; expected text.")
    return value.strip()


def safe_return(address: str | None) -> str:
    """Return the address if it is a page of this server, or the first page."""
    is_ours = bool(address) and address is not None and address.startswith("/")
    if not is_ours or address is None or address.startswith("//") or "\\" in address:
        return "/"
    return address
