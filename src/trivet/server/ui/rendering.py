"""Jinja with every value defined, and what every template may use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from trivet.app import App
from trivet.server.errors import Problem
from trivet.server.security import TOKEN_COOKIE, TOKEN_FIELD, NewToken
from trivet.server.ui import formatting
from trivet.server.ui.addresses import address_of, find_address
from trivet.server.ui.page import Page, to_json
from trivet.server.ui.shell import ROOMS, Pulse, read_pulse
from trivet.server.ui.words import LANGUAGES, Words, choose_language

LANGUAGE_COOKIE = "trivet-language"
THEME_COOKIE = "trivet-theme"
THEMES = ("auto", "light", "dark")

_TEMPLATES = Path(__file__).with_name("templates")
# Raw HTML in Markdown stays text: playbooks may come with a model that a stranger made.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What surrounds every page.

    Attributes:
        twin: The address of the page's JSON.
        here: The path and query, to return to after a switch of theme or language.
        pulse: What needs attention, for the rail and the bar.
    """

    room: str
    theme: str
    token: str
    twin: str
    here: str
    pulse: Pulse


class Renderer:
    """Turns pages into answers, in the language and theme of whoever asks."""

    def __init__(self, app: App, new_token: NewToken) -> None:
        self._app = app
        self._new_token = new_token
        self._templates = make_environment()

    def routes(self, page: Page) -> list[Route]:
        """Return the routes of a page and of its JSON twin, which must come first."""
        return [
            Route(page.twin, partial(self._answer_json, page), methods=["GET"]),
            Route(page.address, partial(self._answer_html, page), methods=["GET"]),
        ]

    async def _answer_json(self, page: Page, request: Request) -> JSONResponse:
        facts = await run_in_threadpool(page.load, self._app, request)
        return JSONResponse(to_json(facts), headers={"cache-control": "no-cache"})

    async def _answer_html(self, page: Page, request: Request) -> Response:
        return await run_in_threadpool(self._draw, page, request)

    def _draw(self, page: Page, request: Request) -> Response:
        facts = page.load(self._app, request)
        return self._respond(request, page.template, page.room, read_pulse(self._app), page=facts)

    def error(self, request: Request, problem: Problem) -> Response:
        """Draw a problem as a page, which needs no store to answer."""
        return self._respond(
            request, "error.html", "", Pulse(), problem=problem, status=problem.status.value
        )

    def _respond(
        self,
        request: Request,
        template: str,
        room: str,
        pulse: Pulse,
        status: int = 200,
        **facts: Any,
    ) -> Response:
        token = request.cookies.get(TOKEN_COOKIE) or self._new_token()
        words = Words(
            choose_language(
                request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
            )
        )
        shell = Shell(
            room=room,
            theme=_theme(request),
            token=token,
            twin=_twin(request),
            here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            pulse=pulse,
        )
        now = self._app.recorder.clock()
        text = self._templates.get_template(template).render(
            shell=shell, now=now, **_sayings(words), **facts
        )
        headers = {"cache-control": "no-cache", "vary": "Cookie, Accept-Language"}
        response = HTMLResponse(text, status, headers=headers)
        if TOKEN_COOKIE not in request.cookies:
            response.set_cookie(TOKEN_COOKIE, token, httponly=True, samesite="strict")
        return response


def make_environment() -> Environment:
    """Return the Jinja environment; an undefined name in a template is an error."""
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names: dict[str, Callable[..., Any]] = {
        name: getattr(formatting, name)
        for name in (
            "number",
            "percent",
            "short",
            "short_ref",
            "shortened",
            "size",
            "exact",
            "day",
            "tone",
        )
    }
    templates.filters.update(
        names
        | {
            "address": address_of,
            "markdown": markdown,
            "breakable": breakable,
            "sign": formatting.sign,
        }
    )
    templates.globals.update(
        rooms=ROOMS,
        languages=LANGUAGES,
        themes=THEMES,
        token_field=TOKEN_FIELD,
        find_address=find_address,
    )
    return templates


def markdown(text: str) -> Markup:
    """Return Markdown as HTML; HTML within it is shown as text."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - the renderer escapes raw HTML


def breakable(name: str) -> Markup:
    """Return a long name as HTML that may be broken after each part of it."""
    parts = (Markup.escape(part) for part in re.split(r"(?<=[_.])", name))
    return Markup("<wbr>").join(parts)


def _sayings(words: Words) -> dict[str, Any]:
    return {
        "t": words,
        "language": words.language,
        "duration": partial(formatting.duration, words),
        "ago": partial(formatting.ago, words),
    }


def _theme(request: Request) -> str:
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def _twin(request: Request) -> str:
    path = "/index" if request.url.path == "/" else request.url.path
    return f"{path}.json" + (f"?{request.url.query}" if request.url.query else "")
