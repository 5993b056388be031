"""The one place where errors become HTTP answers: RFC 9457 problem details, or a page."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trivet.kernel.errors import Conflict, InvalidInput, NotFound, TrivetError, Unavailable
from trivet.server.headers import SECURITY_HEADERS

_STATUS_OF: dict[type[TrivetError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

ErrorPage = Callable[[Request, "Problem"], Response]
"""Draws a problem as a page."""


class Problem(Exception):
    """What went wrong with a request, as the problem details will say it."""

    def __init__(self, status: HTTPStatus, kind: str, detail: str) -> None:
        super().__init__(status, kind, detail)
        self.status = status
        self.kind = kind
        self.detail = detail


def to_problem(error: Exception) -> Problem:
    """Return the problem that tells a client of `error`; an unforeseen one tells no details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TrivetError):
        status = next(s for kind, s in _STATUS_OF.items() if isinstance(error, kind))
        return Problem(status, type(error).__name__, str(error))
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return Problem(status, status.phrase.lower().replace(" ", "-"), _detail(error, status))
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "The server met an error that it did not foresee; its log says which.",
    )


def _detail(error: HTTPException, status: HTTPStatus) -> str:
    if status is HTTPStatus.NOT_FOUND:
        return "There is nothing at this address."
    return f"{error.detail}."


def problem_response(problem: Problem) -> JSONResponse:
    """Answer with the problem as RFC 9457 problem details."""
    body: dict[str, Any] = {
        "type": f"about:trivet#{problem.kind}",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
    }
    return JSONResponse(body, problem.status, media_type="application/problem+json")


def answer_errors(draw: ErrorPage) -> dict[Any, Callable[[Request, Exception], Response]]:
    """Return the exception handlers: a page for a browser that reads, JSON for all else."""

    def answer(request: Request, error: Exception) -> Response:
        problem = to_problem(error)
        said = draw(request, problem) if wants_page(request) else problem_response(problem)
        # What nobody foresaw is answered outside the middleware that adds these.
        said.headers.update(SECURITY_HEADERS)
        return said

    return {TrivetError: answer, HTTPException: answer, Problem: answer, Exception: answer}


def wants_page(request: Request) -> bool:
    """Return whether the client is a browser that asked for a page."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.endswith(".json")
