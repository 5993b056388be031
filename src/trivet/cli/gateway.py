"""`trivet gateway`."""

from functools import partial

import click

from trivet.app import App
from trivet.cli.context import read_settings
from trivet.features import SqlFeatureStore
from trivet.ledger import Recorder
from trivet.serving import SqlRoutingStore
from trivet.serving.process import GatewayParts, run_gateway
from trivet.settings import Settings
from trivet.storage.blobs import open_blob_store
from trivet.storage.online import open_online_store
from trivet.storage.sql import Database


@click.command()
@click.option("--host", help="The address to listen on; loopback only.  [default: 127.0.0.1]")
@click.option(
    "--port", type=int, help="The port to listen on; 0 takes a free one.  [default: 5051]"
)
@click.option("--id", "gateway_id", default="main", show_default=True, help="Its own name.")
def gateway(host: str | None, port: int | None, gateway_id: str) -> None:
    """Answer predictions over HTTP, by the routing tables of the home.

    \b
    Example:
      trivet gateway --port 5051
    """
    settings = read_settings(host=host, gateway_port=port)
    _make_new_home(settings, gateway_id)
    # A database that has gone is not made anew by asking it: it may come back.
    database = Database(settings.database, create=False)
    recorder = Recorder(f"gateway:{gateway_id}")
    parts = GatewayParts(
        home=settings.home,
        id=gateway_id,
        routing=SqlRoutingStore(database, recorder),
        features=SqlFeatureStore(database, recorder),
        online=open_online_store(settings.online),
        open_blobs=partial(open_blob_store, settings.blobs),
    )
    try:
        run_gateway(parts, settings.host, settings.gateway_port)
    finally:
        database.close()


def _make_new_home(settings: Settings, gateway_id: str) -> None:
    """Make the home where this gateway never ran; where it did, it starts without a database."""
    if not (settings.home / "gateway" / gateway_id).exists():
        App.open(settings).close()
