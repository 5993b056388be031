"""The ASGI application: routes, middleware and error handlers put together."""

import secrets
from http import HTTPStatus

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from trivet.app import App
from trivet.server.api import action_routes
from trivet.server.errors import answer_errors
from trivet.server.security import Guard, NewToken
from trivet.server.ui import page_routes
from trivet.server.ui.assets import STATIC, Assets
from trivet.server.ui.rendering import Renderer


def create_server(app: App, *, new_token: NewToken = secrets.token_urlsafe) -> Starlette:
    """Return the server of this app's home; `new_token` makes what forms are signed with."""
    renderer = Renderer(app, new_token)
    server = Starlette(
        routes=[
            Route("/health", health),
            Mount("/static", Assets(directory=STATIC)),
            *action_routes(),
            *page_routes(renderer),
        ],
        middleware=[Middleware(Guard, hosts=frozenset({app.settings.host.lower()}))],
        exception_handlers=answer_errors(renderer.error),
    )
    server.state.trivet = app
    return server


async def health(request: Request) -> JSONResponse:
    """GET /health: 200 once the database answers."""
    await run_in_threadpool(_touch, request.app.state.trivet)
    return JSONResponse({"status": "ready"}, HTTPStatus.OK)


def _touch(app: App) -> None:
    with app.database.read() as connection:
        connection.execute(text("SELECT 1"))
