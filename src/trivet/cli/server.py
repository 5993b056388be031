"""`trivet server`."""

import click

from trivet.app import App
from trivet.cli.context import read_settings
from trivet.server import check_loopback
from trivet.server.asgi import create_server
from trivet.server.process import serve


@click.command()
@click.option("--host", help="The address to listen on; loopback only.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.  [default: 5050]")
def server(host: str | None, port: int | None) -> None:
    """Run the server: pages and API.

    \b
    Example:
      trivet server --port 5050
    """
    settings = read_settings(host=host, port=port)
    check_loopback(settings.host)
    with App.open(settings) as app:
        ready = settings.processes / "server.json"
        serve(create_server(app), settings.host, settings.port, ready)
