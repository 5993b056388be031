"""GET /search?q=…: leads to the page of a ref, or of a thing that is called so."""

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from trivet.server.ui.refs import search


async def find(request: Request) -> RedirectResponse:
    """Lead to what `q` names, or 404."""
    wanted = request.query_params.get("q", "")
    address = await run_in_threadpool(search, request.app.state.trivet, wanted)
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


routes = [Route("/search", find, methods=["GET"])]
