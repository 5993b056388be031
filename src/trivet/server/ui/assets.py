"""The files that pages load: styles, modules, vendored libraries. No page has script within."""

from os import stat_result
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")


class Assets(StaticFiles):
    """Serves the folder; a browser asks each time whether a file changed, so none goes stale."""

    def file_response(
        self,
        full_path: str,  # type: ignore[override]  # the parent takes any path-like
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, marked to be checked before it is used again."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        return response
