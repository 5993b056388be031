"""`trivet demo flights`."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from trivet.app import App
from trivet.cli.context import read_settings
from trivet.demo.building import tell_data, tell_features, tell_training
from trivet.demo.claims import Claims
from trivet.demo.flights.features import REQUEST_COLUMNS
from trivet.demo.gateway_client import GatewayClient
from trivet.demo.ports import free_ports
from trivet.demo.processes import Everyday, MemoryWatch
from trivet.demo.proving import check_parity, compare_with_frozen, tell_answers
from trivet.demo.releasing import tell_bad_releases, tell_better_release, tell_first_release
from trivet.demo.replay import Replay
from trivet.demo.report import Plot, Report, write_report
from trivet.demo.shell import Shell
from trivet.demo.source import load_tables
from trivet.demo.story import DEPLOYMENT, Story, day
from trivet.demo.watching import tell_bad_partition, tell_repair
from trivet.kernel.clock import stopwatch
from trivet.kernel.durations import format_duration
from trivet.kernel.errors import Conflict
from trivet.settings import Settings

_MARKER = "demo.json"


class HomeInUse(Conflict):
    """The folder holds something else than an earlier demo."""

    def __init__(self, home: str) -> None:
        super().__init__(home)
        self.home = home

    def __str__(self) -> str:
        return (
            f"{self.home} is there already and is not of an earlier demo; name another folder: "
            "trivet --home DIR demo flights."
        )


@click.group()
def demo() -> None:
    """Watch a real model live its whole life."""


@demo.command()
@click.option("--fast", is_flag=True, help="A smoke version: fewer weeks, every mechanism.")
@click.option("--keep", is_flag=True, help="Leave the server up at the end, until Ctrl-C.")
def flights(fast: bool, keep: bool) -> None:
    """Replay the flights of 2013 through a model's whole life, and check every claim.

    \b
    Example:
      trivet demo flights --keep
    """
    # Somebody is to be told in the demo as in life; processes that are started inherit it.
    os.environ.setdefault("TRIVET_ON_CALL", "the operations desk")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    obj = click.get_current_context().find_object(dict) or {}
    home = _fresh(Path(obj.get("home") or ".trivet-demo").absolute())
    console = Console(highlight=False)
    claims = Claims(console)
    began = stopwatch()
    with MemoryWatch().running() as memory, _story(home, claims, fast) as story:
        plots = _tell(story)
        answers = tell_answers(story)
        claims.close_chapter()
        seconds = stopwatch() - began
        claims.open_chapter("The whole of it")
        if not fast:
            claims.check(seconds <= 180, f"it took {format_duration(seconds)}, of 3 min allowed")
        gigabytes = memory.peak_bytes / 1e9
        claims.check(
            gigabytes <= 2.0, f"all processes together held {gigabytes:.2f} GB, of 2 GB allowed"
        )
        claims.close_chapter()
        report = home / "report.html"
        write_report(
            Report(
                title="A model's life on the flights of 2013",
                summary=f"{len(story.replay.given):,} predictions over HTTP, replayed from "
                f"1 March to {story.replay.at:%d %B} in {format_duration(seconds)}.",
                facts=_facts(story, seconds, gigabytes),
                claims=tuple(claims.checked),
                seconds=tuple(
                    (name, format_duration(took)) for name, took in claims.seconds.items()
                ),
                plots=tuple(plots),
                answers=answers,
            ),
            report,
        )
        console.print(f"\nReport  {report.as_uri()}\nUI      http://127.0.0.1:{story.port}/")
        if keep:
            console.print("The server stays up until Ctrl-C.")
            _wait(story)
        else:
            console.print(f"Again   trivet --home {home} up")
    for claim in claims.failed:
        console.print(f"[red]did not hold:[/red] {claim.chapter}: {claim.sentence}")
    sys.exit(1 if claims.failed else 0)


def _tell(story: Story) -> list[Plot]:
    tell_data(story)
    tell_features(story)
    tell_training(story)
    tell_first_release(story)
    tell_better_release(story)
    tell_bad_releases(story)
    tell_bad_partition(story)
    tell_repair(story, day(5, 31) if story.fast else day(9))
    check_parity(story)
    return compare_with_frozen(story)


def _facts(story: Story, seconds: float, gigabytes: float) -> tuple[tuple[str, str], ...]:
    return (
        ("Took", format_duration(seconds)),
        ("Peak memory, all processes", f"{gigabytes:.2f} GB"),
        ("Predictions", f"{len(story.replay.given):,}"),
        ("Outcomes fed back", f"{story.replay.fed_back:,}"),
        ("Rows pushed", f"{story.replay.pushed:,}"),
        ("Pipeline from cache", format_duration(story.figures["cached_seconds"])),
        ("Shadow to full traffic", format_duration(story.figures["release_seconds"])),
    )


@contextmanager
def _story(home: Path, claims: Claims, fast: bool) -> Iterator[Story]:
    port, gateway_port = free_ports(2)
    claims.console.print(f"[bold]trivet[/bold] · the flights of 2013 · home {home}")
    everyday = Everyday.start(home, port, gateway_port)
    client, feedback_client = (GatewayClient("127.0.0.1", gateway_port) for _ in range(2))
    try:
        settings = read_settings()
        with App.open(Settings(home=home, actor=settings.actor, on_call=settings.on_call)) as app:
            tables = load_tables()
            yield Story(
                app=app,
                home=home,
                shell=Shell(home, claims.console),
                claims=claims,
                tables=tables,
                client=client,
                replay=Replay(
                    tables, client, feedback_client, DEPLOYMENT, REQUEST_COLUMNS, day(3)
                ),
                port=port,
                fast=fast,
            )
    finally:
        client.close()
        feedback_client.close()
        everyday.stop()


def _wait(story: Story) -> None:
    try:
        while True:
            story.sleep(3600)
    except KeyboardInterrupt:
        return


def _fresh(home: Path) -> Path:
    """Return the folder, empty; what an earlier demo left there is removed."""
    if home.exists() and any(home.iterdir()):
        if not (home / _MARKER).is_file():
            raise HomeInUse(str(home))
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARKER).write_text(json.dumps({"demo": "flights"}), encoding="utf-8")
    return home
