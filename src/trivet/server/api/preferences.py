"""The reader's theme and language, kept in cookies of the browser and nowhere else."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from trivet.kernel.errors import InvalidInput
from trivet.server.api.actions import read_body, safe_return, text
from trivet.server.ui.rendering import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from trivet.server.ui.words import LANGUAGES

_A_YEAR_SECONDS = 31_536_000


async def set_preferences(request: Request) -> RedirectResponse:
    """POST /preferences: keep `theme` or `language` and lead back to the page."""
    given = await read_body(request)
    chosen = {
        THEME_COOKIE: _one_of("theme", text(given, "theme"), tuple(THEMES)),
        LANGUAGE_COOKIE: _one_of("language", text(given, "language"), tuple(LANGUAGES)),
    }
    answer = RedirectResponse(safe_return(text(given, "back")), HTTPStatus.SEE_OTHER)
    for cookie, value in chosen.items():
        if value:
            answer.set_cookie(
                cookie, value, max_age=_A_YEAR_SECONDS, httponly=True, samesite="lax"
            )
    return answer


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value and value not in allowed:
        raise InvalidInput(f"{name!r} is {value!r}; expected one of {', '.join(allowed)}.")
    return value


routes = [Route("/preferences", set_preferences, methods=["POST"])]
