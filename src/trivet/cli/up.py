"""`trivet up`."""

import signal
import threading

import click

from trivet.cli.context import read_settings
from trivet.cli.supervisor import Child, Supervisor, hold_home, make_home
from trivet.server import check_loopback
from trivet.settings import Settings


@click.command()
@click.option("--home", type=click.Path(file_okay=False), help="Where everything is kept.")
@click.option("--host", help="The address to listen on; loopback only.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Of pages and API.  [default: 5050]")
@click.option("--gateway-port", type=click.IntRange(0, 65535), help="[default: 5051]")
def up(home: str | None, host: str | None, port: int | None, gateway_port: int | None) -> None:
    """Run server, controller and gateway, and keep them running.

    One that dies is started again. Ctrl-C or SIGTERM stops all three.

    \b
    Example:
      trivet up --home .trivet
    """
    given = {"home": home} if home is not None else {}
    settings = read_settings(host=host, port=port, gateway_port=gateway_port, **given)
    check_loopback(settings.host)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    make_home(settings)
    with hold_home(settings.home):
        Supervisor(_children(settings), settings.processes, stop, _say).run()


def _children(settings: Settings) -> list[Child]:
    run = settings.processes
    where = ("--host", settings.host)
    return [
        Child("server", ("server", *where), settings.home, run / "server.json", settings.port),
        Child("controller", ("controller",), settings.home, run / "controller.json", None),
        Child(
            "gateway",
            ("gateway", *where),
            settings.home,
            run / "gateway-main.json",
            settings.gateway_port,
        ),
    ]


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
